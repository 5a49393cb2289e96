"""HTTP connections: what comes is bounded in bytes and in time, replies leave in one piece."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from .replies import error_reply

_JOINED = 1 << 16
"""Bytes up to which copying is cheaper than a call of the system."""
_HEAD = 1 << 16
"""Bytes of a request's line and headers."""
_TOO_LARGE = "the head of a request is at most 64 KiB: send what is large as its body"


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a ``Joining`` transport, until it becomes that of a WebSocket.

    httptools bounds neither the head of a request nor how long it takes: a head of more than 64 KiB is refused with
    431, a request of which nothing more comes for ``timeout_keep_alive`` seconds, or its head in all, with 408.
    """

    _part: Literal["head", "body"] | None = "head"
    """What of a request is awaited; nothing between requests, where uvicorn's own timeout counts."""
    _begun = False  # any request
    _told = _came = 0  # bytes of the head: those parsed, those of reads that did not end it
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, Joining(transport, self.loop)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._part
        super().data_received(data)
        if self._part is None:
            self._wait_no_more()
        elif self._part == "body":  # every piece is a sign of life
            self._wait()
        elif before == "head" and self._patience is not None:
            self._came += len(data)
            if self._came > _HEAD:
                self._refuse(431, _TOO_LARGE)
        else:
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        self._part = None
        self.transport = cast(Joining, self.transport).joined
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        if self._told > _HEAD:
            self._refuse(431, _TOO_LARGE)
        else:
            self._refuse(400, "this is no HTTP request")

    def on_message_begin(self) -> None:
        self._part, self._begun, self._told, self._came = "head", True, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._told += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._told += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._told > _HEAD:
            raise ValueError(_TOO_LARGE)  # the parser makes an error of its own of it
        self._part = "body"
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._part = None
        super().on_message_complete()

    def _wait(self) -> None:
        self._wait_no_more()
        if not self.transport.is_closing():
            self._patience = self.loop.call_later(self.timeout_keep_alive, self._lose_patience)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        cycle = cast(RequestResponseCycle | None, self.cycle)
        replying = cycle is not None and not cycle.response_complete
        if cycle is not None and replying and (cycle.response_started or not cycle.more_body):
            self._wait()  # the reply to this request, or to the one before, is under way
        elif not self._begun or (self._part == "body" and not replying):
            self.transport.close()  # nothing was asked, or what was asked has its reply
        else:
            self._refuse(408, f"the rest of the request did not come within {self.timeout_keep_alive:g} s")

    def _refuse(self, status: int, why: str) -> None:
        body = error_reply(status, why, time.time()).body
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()


class Joining:
    """A transport that holds the head of a reply until what follows is written, at the latest until the loop turns:
    uvicorn writes a reply's head and its body separately, and each write is a call of the system, a packet, and often
    a reading on the other side."""

    def __init__(self, joined: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.joined = joined
        self._write = joined.write
        self._later = loop.call_soon
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.joined, name)

    def write(self, data: bytes) -> None:
        """Write, after what is held; hold the head of a reply."""
        if self._held:
            if len(data) > _JOINED:
                self._flush()
            else:
                data, self._held = self._held + data, b""
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n"):
            self._held = data
            self._later(self._flush)
            return
        self._write(data)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self.joined.close()

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.joined.is_closing()
