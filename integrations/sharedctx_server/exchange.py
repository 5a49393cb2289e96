"""Small requests for contexts are answered as soon as they are there, without a task, events or ASGI messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from .heads import Head
from .replies import CLOSE, Reply

if TYPE_CHECKING:
    from .protocol import Protocol

_FAILED = Reply(500, b"Internal Server Error", (CLOSE,), (b"content-type", b"text/plain; charset=utf-8"))
_HEADERS = b"%b: %b\r\n"


class Exchange:
    """One request and its reply. It stands in its connection where uvicorn has the cycle of a request, and while it
    waits among the server's tasks."""

    message_event = asyncio.Event()
    """uvicorn sets that of a cycle whose connection is lost; nobody waits for this one."""
    response_started = False

    def __init__(self, protocol: Protocol, head: Head) -> None:
        self.keep_alive = True
        self.disconnected = False
        self.more_body = True
        self.response_complete = False
        self._protocol = protocol
        self._head = head
        self._parts: list[bytes] = []
        self._lacks = head.length
        self._waits: asyncio.Future[Any] | None = None

    def take(self, data: bytes) -> bytes:
        """Take the body, or more of it, answer the request when all is there, and return what follows."""
        lacks = self._lacks
        self._lacks = lacks - len(data)
        if self._lacks > 0:
            self._parts.append(data)
            return b""
        body = data[:lacks] if self._lacks else data
        if self._parts:
            body = b"".join((*self._parts, body))
        self.more_body = False
        protocol = self._protocol
        self._work = protocol.application.answer(self._head, protocol.client, body)
        self._go_on()
        return data[lacks:] if self._lacks else b""

    def _go_on(self, _: object = None) -> None:
        """Go as far as that goes without waiting; what is waited for goes on from there."""
        try:
            waits = self._work.send(None)
        except StopIteration as stop:
            self._reply(stop.value)
        except BaseException as error:
            self._protocol.logger.error("Exception in ASGI application\n", exc_info=error)
            self._reply(_FAILED)
        else:
            if self._waits is None:
                self._protocol.tasks.add(self)  # type: ignore[arg-type]  # cancelled as a task is
            self._waits = waits
            waits._asyncio_future_blocking = False
            waits.add_done_callback(self._go_on)

    def cancel(self, msg: object = None) -> bool:
        """Cancel what is waited for."""
        return self._waits is not None and self._waits.cancel(msg)

    def _reply(self, reply: Reply) -> None:
        protocol, body = self._protocol, reply.body
        self.response_complete = True
        if self._waits is not None:
            protocol.tasks.discard(self)
        if self.disconnected:
            return
        parts = [STATUS_LINE[reply.status], _lines(protocol.server_state.default_headers)]
        if body:
            parts.append(_HEADERS % reply.type)
        for header in reply.headers:
            if header is CLOSE:
                self.keep_alive = False
            else:
                parts.append(_HEADERS % header)
        end = b"" if self.keep_alive else b"connection: close\r\n"
        parts.append(b"content-length: %d\r\n%b\r\n%b" % (len(body), end, body))
        protocol.joining.write_whole(b"".join(parts))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


_written: tuple[list[tuple[bytes, bytes]], bytes] = [], b""


def _lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The lines of the headers that all replies have, which are another list each second."""
    global _written
    if _written[0] is not headers:
        _written = headers, b"".join([_HEADERS % header for header in headers])
    return _written[1]
