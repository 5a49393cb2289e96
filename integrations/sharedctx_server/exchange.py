"""Small requests for contexts are answered as soon as they are there, without a task, events or ASGI messages."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from .calls import Methods
from .replies import CLOSE, LARGE, Reply

if TYPE_CHECKING:
    from .protocol import Protocol

_FAILED = Reply(500, b"Internal Server Error", (CLOSE,), (b"content-type", b"text/plain; charset=utf-8"))
_ODD = frozenset({b"expect", b"origin", b"transfer-encoding", b"upgrade"})
"""Headers of requests that are left to ASGI."""


_METHODS = {method.encode(): method for method in ("GET", "POST", "PUT", "DELETE")}
_LONG = 512
"""Bytes of a path and query that are not worth remembering."""


class Exchange:
    """One request and its reply. It stands in its connection where uvicorn has the cycle of a request, and while it
    waits among the server's tasks."""

    message_event = asyncio.Event()
    """uvicorn sets that of a cycle whose connection is lost; nobody waits for this one."""
    response_started = False

    def __init__(
        self, protocol: Protocol, scope: Scope, headers: dict[bytes, bytes], methods: Methods, *, keep_alive: bool
    ) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.more_body = True
        self.response_complete = False
        self.parts: list[bytes] = []
        self._protocol = protocol
        self._about = scope, headers, methods
        self._waits: asyncio.Future[Any] | None = None

    def begin(self) -> None:
        """Answer the request, of which all is there."""
        self.more_body = False
        self._work = self._protocol.application.answer(*self._about, b"".join(self.parts))
        self._go_on()

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
        parts = [STATUS_LINE[reply.status]]
        for name, value in protocol.server_state.default_headers:
            parts.append(b"%b: %b\r\n" % (name, value))
        if body:
            parts.append(b"%b: %b\r\n" % reply.type)
        for header in reply.headers:
            if header is CLOSE:
                self.keep_alive = False
            else:
                parts.append(b"%b: %b\r\n" % header)
        end = b"" if self.keep_alive else b"connection: close\r\n"
        parts.append(b"content-length: %d\r\n%b\r\n%b" % (len(body), end, body))
        protocol.transport.write(b"".join(parts))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


def exchange_of(protocol: Protocol) -> Exchange | None:
    """Return that of the request whose head is complete; None of one that is left to ASGI: for others than contexts,
    with a large body or one of unknown size, from a page."""
    parser, url = protocol.parser, protocol.url
    method = _METHODS.get(parser.get_method())
    if method is None or len(url) > _LONG:
        return None
    path, query = _target(url)
    methods, project = protocol.application.of_context(path)
    headers = dict(protocol.headers)
    if methods is None or not _ODD.isdisjoint(headers) or int(headers.get(b"content-length", 0)) > LARGE:
        return None
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "client": protocol.client,
        "path_params": {"project": project},
    }
    keep_alive = parser.get_http_version() != "1.0" and parser.should_keep_alive()
    return Exchange(protocol, scope, headers, methods, keep_alive=keep_alive)


@lru_cache(4096)
def _target(url: bytes) -> tuple[str, bytes]:
    """The path, empty where it must be unquoted first, and the query."""
    if not url.isascii() or b"%" in url or b"#" in url:
        return "", b""
    path, _, query = url.partition(b"?")
    return path.decode(), query
