"""HTTP connections: what comes is bounded in bytes and in time, replies leave in one piece."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from sharedctx.callers.patience import Patience

from .application import Application
from .exchange import Exchange
from .heads import head_of
from .replies import error_reply

_JOINED = 1 << 16
"""Bytes up to which copying is cheaper than a call of the system."""
_HEAD = 1 << 16
"""Bytes of a request's line and headers."""
_TOO_LARGE = "the head of a request is at most 64 KiB: send what is large as its body"


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a ``Joining`` transport, until it becomes that of a WebSocket.

    httptools bounds neither the head of a request nor how long it takes: a head of more than 64 KiB is refused with
    431, a request of which nothing more comes for ``timeout_keep_alive`` seconds, or its head in all, with 408. Small
    requests for contexts are an ``Exchange``; others go to the application as ASGI has it.
    """

    cycle: Exchange | RequestResponseCycle | None  # type: ignore[assignment]
    _part: Literal["head", "body"] | None = "head"
    """What of a request is awaited; nothing between requests, and while a reply is."""
    _begun = False  # any request
    _told = _came = 0  # bytes of the head: those parsed, those of reads that did not end it

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.application = cast(Application, config.app)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.joining = Joining(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self.joining))
        self._patience = Patience(self.loop, self.timeout_keep_alive, self._lose_patience)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        if self._part is None or not self._begun or (isinstance(cycle, Exchange) and cycle.more_body):
            data = self._exchange(data)
            if not data:
                return
        before = self._part
        super().data_received(data)
        if self._part == "body":  # every piece is a sign of life
            self._wait()
        elif self._part == "head":
            if before == "head" and self._patience.due is not None:
                self._came += len(data)
                if self._came > _HEAD:
                    self._refuse(431, _TOO_LARGE)
            else:
                self._wait()

    def _exchange(self, data: bytes) -> bytes:
        """Answer small requests for contexts as far as data has them; returns what is left to the parser."""
        cycle = self.cycle
        if isinstance(cycle, Exchange) and cycle.more_body:
            data = self._feed(cycle, data)
        while data and (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused:
            head = None if self.transport.is_closing() else head_of(data)
            if head is None:
                return data
            self._begun = True
            self.cycle = exchange = Exchange(self, head)
            data = self._feed(exchange, data[head.size :])
        return data

    def _feed(self, exchange: Exchange, data: bytes) -> bytes:
        """Give an exchange the body, or more of it; returns what follows."""
        self._part = self._patience.due = None
        rest = exchange.take(data)
        if exchange.more_body:
            self._part = "body"
            self._wait()
        return rest

    def handle_websocket_upgrade(self) -> None:
        self._part = self._patience.due = None
        self.transport = self.joining.joined
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
        if not self.transport.is_closing():  # after the reply to what came before, in one piece with this
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not isinstance(self.cycle, Exchange):  # which had no successor, as the connection closes
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._part = self._patience.due = None
        if not isinstance(self.cycle, Exchange):
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._part is None:
            self._patience.begin()

    def _wait(self) -> None:
        if not self.transport.is_closing():
            self._patience.begin()

    def _lose_patience(self) -> None:
        if self._part is None or self.transport.is_closing():
            self.transport.close()
            return
        cycle = self.cycle
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
        self.is_closing = joined.is_closing  # asked several times a request

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
        self._pass_on(data)

    def write_whole(self, data: bytes) -> None:
        """Write a whole reply, after what is held."""
        if self._held:
            self.write(data)
        else:
            self._pass_on(data)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._pass_on(held)

    def _pass_on(self, data: bytes) -> None:
        if not self.joined.is_closing():  # uvloop raises where the caller has gone, before it says so
            self._write(data)

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self.joined.close()
