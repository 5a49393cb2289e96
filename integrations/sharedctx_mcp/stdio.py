"""The server over standard input and output: for the client that started this process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from sharedctx.context import SharedContext
from sharedctx.extras import extra

from .serving import server
from .settings import McpSettings
from .unread import refusal, too_long

with extra("mcp", "the MCP server"):
    from mcp.server.stdio import stdio_server

_CHUNK = 1 << 16
_MOST = 1 << 26
"""Bytes of a line; what is longer is answered and not kept."""
_TOO_LONG = ""
"""Stands for such a line."""


def serve_stdio(context: SharedContext, settings: McpSettings | None = None) -> None:
    """Serve a context to the client at standard input and output until it closes them, or SIGINT or SIGTERM.

    Nothing but the protocol is written to standard output: what prints goes to standard error meanwhile. The store
    stays with its opener.
    """
    with _wire() as (given, taken):
        asyncio.run(_serve(context, settings or McpSettings(), given, taken))


@contextmanager
def _wire() -> Iterator[tuple[int, int]]:
    """Keep the two ends for the protocol alone; for everybody else input is empty and output is standard error."""
    given, taken = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdout.flush()
    os.dup2(2, 1)
    try:
        yield given, taken
    finally:
        sys.stdout.flush()
        os.dup2(given, 0)
        os.dup2(taken, 1)


async def _serve(context: SharedContext, settings: McpSettings, given: int, taken: int) -> None:
    made = server(context, settings)
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = True
        task.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows the client ends the process
            loop.add_signal_handler(name, stop)
    output = _Output(taken, loop)
    wire: Any = (_Lines(given, loop, output), output)
    try:
        async with stdio_server(*wire) as streams:
            await made.run(*streams, made.create_initialization_options())
    except BaseException:  # what was under way when it was told to stop fails in many ways
        if not stopping:
            raise
    finally:
        await made.service.close()


class _Lines:
    """The lines of a descriptor, read by a thread of its own: one that waits for more keeps no process from ending.

    Lines that are no messages are answered on ``output``, and not given on.
    """

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop, output: _Output) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._output = output
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(64)
        threading.Thread(target=self._read, name="sharedctx-mcp-input", daemon=True).start()

    def _read(self) -> None:
        held, too_long = bytearray(), False
        while True:
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                chunk = b""
            *ends, begun = chunk.split(b"\n") if chunk else (b"", b"")  # what is there at the end is a line, too
            for end in ends:
                held += end
                if too_long or len(held) > _MOST:
                    self._give(_TOO_LONG)
                elif held.strip():
                    self._give(held.decode("utf-8", "replace"))
                held, too_long = bytearray(), False
            held += begun
            if len(held) > _MOST:
                held, too_long = bytearray(), True
            if not chunk:
                self._put(None)
                return

    def _give(self, line: str) -> None:
        self._room.acquire()
        self._put(line)

    def _put(self, line: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            self._room.release()
            refused = too_long(_MOST) if line == _TOO_LONG else refusal(line)
            if refused is None:
                yield line
            else:
                await self._output.write(f"{refused}\n")


class _Output:
    """Writes to a descriptor by a thread of its own: a client that does not read keeps no process from ending."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._waiting: SimpleQueue[tuple[bytes, asyncio.Future[None]]] = SimpleQueue()
        threading.Thread(target=self._work, name="sharedctx-mcp-output", daemon=True).start()

    def _work(self) -> None:
        while True:
            data, written = self._waiting.get()
            failure: OSError | None = None
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                failure = error
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_settle, written, failure)

    async def write(self, text: str) -> None:
        """Write a text; returns when the client's end has taken it. Raises ``OSError`` where the client is gone."""
        written: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((text.encode("utf-8", "replace"), written))
        await written

    async def flush(self) -> None:
        """Nothing is held back."""


def _settle(written: asyncio.Future[None], failure: OSError | None) -> None:
    if written.done():
        return
    if failure is None:
        written.set_result(None)
    else:
        written.set_exception(failure)
