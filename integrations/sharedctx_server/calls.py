"""One HTTP request as the routes see it, and routes as ASGI applications."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from sharedctx import errors
from sharedctx.entries.names import check_participant
from sharedctx.errors import SharedContextError

from .replies import CLOSE, COMPRESS_FROM, LARGE, Header, Reply, compress, error_reply, negotiate, send_reply
from .service import Service

T = TypeVar("T")

log = logging.getLogger(__name__)

_STATUS: list[tuple[type[SharedContextError], int]] = [
    (errors.KeyNotFound, 404),
    (errors.SessionNotFound, 404),
    (errors.VersionConflict, 409),
    (errors.Forbidden, 403),
    (errors.ValueTooLarge, 413),
    (errors.BudgetExceeded, 413),
    (errors.SessionArchived, 409),
    (errors.Compacted, 410),
    (errors.DiskFull, 507),
    (errors.BackendUnavailable, 503),
    (errors.DecodeError, 500),
    (errors.Internal, 500),
]
TOO_LARGE = "Context too large"
_CROWDED = "others send so much at the moment that there is no room for this body: send it again in a second"
_SOON: Header = (b"retry-after", b"1")
_PASSED_OVER = 4
"""Bodies up to so many times what is allowed are read to their end before they are refused."""
_VARY: Header = (b"vary", b"accept-encoding")


def status_of(error: SharedContextError) -> int:
    """The HTTP status of an error."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 400)


class Refusal(Exception):
    """A request that is answered with this reply."""

    def __init__(self, status: int, message: str, headers: tuple[Header, ...] = (), **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
        self.more = more


class Call:
    """One request, its body received or not yet. ``participant`` is that of the caller's token, or None."""

    def __init__(self, service: Service, scope: Scope, receive: Receive | bytes) -> None:
        self.service = service
        self.scope = scope
        self.headers: Mapping[bytes, bytes] = scope["sharedctx.headers"]
        self.participant: str | None = scope["sharedctx.participant"]
        self._received = receive
        self._query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query; of a name that stands twice the last."""
        if self._query is None:
            found = self.scope["query_string"]
            try:
                self._query = (
                    dict(parse_qsl(found.decode("ascii"), keep_blank_values=True, errors="strict")) if found else {}
                )
            except (UnicodeDecodeError, ValueError):
                raise Refusal(400, "the query is not text in UTF-8, percent-encoded") from None
        return self._query

    def number(self, name: str) -> int | None:
        """A whole number from 0 up out of the query; refuses what is none."""
        text = self.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            raise Refusal(400, f"{name}={text[:40]!r} is not a whole number")
        return int(text)

    def after(self, name: str) -> int | None:
        """After which number a stream goes on: Last-Event-ID, and where that is none of ours the query's."""
        last = self.headers.get(b"last-event-id")
        return int(last) if last is not None and last.isdigit() and len(last) < 16 else self.number(name)

    def path(self, name: str) -> str:
        """A part of the path."""
        found: str = self.scope["path_params"][name]
        return found

    def agent(self, given: str | None = None) -> str | None:
        """Who calls: the token's participant, else who the request says; raises ``Forbidden`` where they differ."""
        if given is None:
            given = self.query.get("agentId")
            if given is None and (header := self.headers.get(b"x-agent-id")) is not None:
                try:
                    given = header.decode()
                except UnicodeDecodeError:
                    raise Refusal(400, "X-Agent-Id is not text in UTF-8") from None
        if self.participant is not None:
            if given is not None and given != self.participant:
                raise errors.Forbidden(f"this token speaks for {self.participant!r}; it cannot speak as another")
            return self.participant
        return None if given is None else check_participant(given)

    async def body(self, most: int) -> bytes:
        """The body, at most that many bytes; refuses larger ones (413), compressed ones (415), and those without
        room beside what others send (503)."""
        if self.headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refusal(415, "send the body as it is: compressed ones are not taken", (CLOSE,))
        length = self.headers.get(b"content-length")
        receive = self._received
        if length is not None and length.isdigit() and int(length) > most:
            if not isinstance(receive, bytes) and int(length) <= _PASSED_OVER * most:
                while (await receive()).get("more_body"):  # who still sends when the connection ends reads no reply
                    pass
            raise Refusal(413, TOO_LARGE, (CLOSE,), maxBytes=most)
        if isinstance(receive, bytes):
            if len(receive) > most:
                raise Refusal(413, TOO_LARGE, (CLOSE,), maxBytes=most)
            return receive
        message = await receive()
        first: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if message["type"] != "http.request":
                raise Refusal(400, "the connection closed before the body was there")
            if len(first) > most:
                raise Refusal(413, TOO_LARGE, (CLOSE,), maxBytes=most)
            return first
        service, parts, size = self.service, [first], 0
        try:
            while True:
                size += len(parts[-1])
                service.receiving += len(parts[-1])
                if size > most:
                    raise Refusal(413, TOO_LARGE, (CLOSE,), maxBytes=most)
                if service.receiving > service.settings.body_bytes:
                    raise Refusal(503, _CROWDED, (_SOON, CLOSE))
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
                if message["type"] != "http.request":
                    raise Refusal(400, "the connection closed before the body was there")
                parts.append(message.get("body", b""))
        finally:
            service.receiving -= size

    async def off(self, size: int, work: Callable[..., T], *args: Any) -> T:
        """Do work on ``size`` bytes, off the event loop where that takes long."""
        if size <= LARGE:
            return work(*args)
        return await self.service.store.driver.leave_loop(work, *args)

    def decode(self, data: bytes, kind: type[T]) -> T:
        """Read a body as a struct; refuses what is none."""
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal(400, f"the body does not fit: {error}") from None


Handler = Callable[[Call], Awaitable[Reply]]


class Methods:
    """An ASGI application of handlers by method; errors become replies, large replies are compressed."""

    def __init__(self, service: Service, **handlers: Handler) -> None:
        self._service = service
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(send, await self.reply(scope, receive), head=scope["method"] == "HEAD")

    async def reply(self, scope: Scope, receive: Receive | bytes) -> Reply:
        """Return the reply to a request, of which the body was received or is to be received."""
        method = scope["method"]
        handler = self.handlers.get("GET" if method == "HEAD" else method)
        call = Call(self._service, scope, receive)
        if handler is None:
            allowed = ", ".join([*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])])
            return self._error(405, f"{method} is not for this path: use {allowed}", ((b"allow", allowed.encode()),))
        try:
            reply = await handler(call)
        except Exception as error:
            reply = self._failed(error, call)
        if len(reply.body) <= COMPRESS_FROM:
            return reply
        encoding = negotiate(call.headers.get(b"accept-encoding"))
        if encoding is None:
            return reply._replace(headers=(*reply.headers, _VARY))
        return await self._compressed(call, reply, encoding)

    async def answer(self, handler: Handler, call: Call) -> Reply:
        """Return a handler's reply, or that of its error."""
        try:
            return await handler(call)
        except Exception as error:
            return self._failed(error, call)

    def _failed(self, error: Exception, call: Call) -> Reply:
        """The reply of an error, which is counted, and logged where it is the server's."""
        meter, method = self._service.meter, call.scope["method"]
        if isinstance(error, Refusal):
            meter.refused += 1
            return self._error(error.status, error.message, error.headers, **error.more)
        if not isinstance(error, SharedContextError):
            meter.errors += 1
            log.error("%s failed", method, exc_info=error)
            return self._error(500, "the server failed: its log says why")
        status = status_of(error)
        if status >= 500:
            meter.errors += 1
            log.error("%s %s", error.code, method)
        else:
            meter.refused += 1
        more: dict[str, Any] = {"code": error.code}
        if isinstance(error, errors.VersionConflict):
            meter.conflicts += 1
            more |= {"currentVersion": error.actual, "agentId": error.agent}
        if isinstance(error, errors.Compacted):
            more["oldest"] = error.oldest
        if status == 413:
            return self._error(status, TOO_LARGE, detail=error.message, **more)
        return self._error(status, error.message, **more)

    def _error(self, status: int, message: str, headers: tuple[Header, ...] = (), **more: Any) -> Reply:
        return error_reply(status, message, self._service.now(), headers, **more)

    async def _compressed(self, call: Call, reply: Reply, encoding: str) -> Reply:
        if reply.packed is None:
            packed = await call.off(len(reply.body), compress, reply.body, encoding)
        else:
            packed = await call.off(len(reply.body), reply.packed, encoding)
        headers = ((b"content-encoding", encoding.encode()), _VARY)
        meter = self._service.meter
        meter.bytes_before += len(reply.body)
        meter.bytes_after += len(packed)
        meter.bytes_saved += len(reply.body) - len(packed)
        return reply._replace(body=packed, headers=reply.headers + headers)
