"""The gate before all routes: who may call, by which name, from which page, how often."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sharedctx.callers import Callers, bearer
from sharedctx.errors import SharedContextError

from .calls import status_of
from .replies import CLOSE, Header, Reply, error_reply, send_reply
from .service import Service
from .static import FOLDER

log = logging.getLogger(__name__)

_OPEN = frozenset({"/", "/health", "/ready"})
_METHODS = b"GET, POST, PUT, DELETE, OPTIONS"
_ASKED = b"authorization, content-type, if-match, if-none-match, last-event-id, x-agent-id"
_CALLERS = 4096
_HOSTS = 64

SUBPROTOCOL = "sharedctx"
_BEARER = "bearer."


class Gate:
    """Before what ``find`` returns for a request: checks Host (421), Origin (403), token (401) and rate (429)."""

    def __init__(self, find: Callable[[Scope], ASGIApp], service: Service) -> None:
        self._find = find
        self._service = service
        settings = service.settings
        self._callers = Callers(settings.host, settings.allow_hosts, settings.allow_origins)
        self._met: set[bytes] = set()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._find(scope)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        refused = await self.admit(scope, headers)
        if refused is not None:
            await self._send(scope, receive, send, refused)
            return
        if origin is None or kind != "http":
            await self._find(scope)(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            asked = ((b"access-control-allow-methods", _METHODS), (b"access-control-allow-headers", _ASKED))
            await send_reply(send, Reply(204, b"", (*asked, (b"access-control-max-age", b"600"), *_allow(origin))))
            return

        async def allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_allow(origin)]
            await send(message)

        await self._find(scope)(scope, receive, allowed)

    def waves(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Note in the scope that anybody calls, and let a request in that is from no page, as far as that takes no
        asking: where neither tokens nor rates are looked at."""
        if headers.get(b"host") not in self._met or b"origin" in headers or self._service.settings.rate is not None:
            return False
        if not self._service.tokens.unasked:
            return False
        self._service.meter.requests += 1
        scope["sharedctx.headers"] = headers
        scope["sharedctx.participant"] = None
        return True

    async def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Reply | None:
        """Note in the scope who calls, and return what refuses the request, None where it may go on."""
        meter = self._service.meter
        meter.requests += 1
        scope["sharedctx.headers"] = headers
        scope["sharedctx.participant"] = None
        refused = await self._refuse(scope, headers, headers.get(b"origin"))
        if refused is not None:
            meter.refused += 1
        return refused

    async def _refuse(self, scope: Scope, headers: Mapping[bytes, bytes], origin: bytes | None) -> Reply | None:
        named = headers.get(b"host", b"")
        host = named.decode("latin-1")
        if not self._callers.knows(host):
            message = "this server does not go by that name: start it with --allow-host to add one"
            close = (CLOSE,) if scope["type"] == "http" else ()
            return error_reply(421, message, self._service.now(), close)
        if len(self._met) < _HOSTS:
            self._met.add(named)
        if origin is not None and not self._callers.admits(origin.decode("latin-1"), host):
            return error_reply(403, "pages of this origin may not call: --allow-origin lets one", self._service.now())
        if origin is not None and scope["type"] == "http" and scope["method"] == "OPTIONS":
            return None
        if scope["path"] not in _OPEN and not scope["path"].startswith(FOLDER):
            try:
                refused = await self._refuse_token(scope, headers)
            except SharedContextError as error:  # the store that knows the tokens does not answer
                self._service.meter.errors += 1
                log.error("%s tokens", error.code)
                return error_reply(status_of(error), error.message, self._service.now(), code=error.code)
            if refused is not None:
                return refused
        if self._service.settings.rate is not None and (wait := self._wait(scope)) > 0:
            after: tuple[Header, ...] = ((b"retry-after", b"%d" % max(round(wait + 0.5), 1)),)
            return error_reply(429, "too many requests: wait a little", self._service.now(), after)
        return None

    async def _refuse_token(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Reply | None:
        tokens = self._service.tokens
        if not await tokens.required():
            return None
        given = _bearer(scope, headers)
        found = None if given is None else await tokens.find(given)
        if found is None:
            ask: tuple[Header, ...] = ((b"www-authenticate", b'Bearer realm="sharedctx"'),)
            why = "a valid bearer token is needed: `sharedctx token make` makes one"
            return error_reply(401, why, self._service.now(), ask)
        scope["sharedctx.participant"], scope["sharedctx.token"] = found.participant, given
        return None

    def _wait(self, scope: Scope) -> float:
        """Take one request out of the caller's bucket; returns the seconds to wait where it is empty."""
        rate = self._service.settings.rate or 1.0
        peer = scope.get("client") or ("",)
        caller = scope["sharedctx.participant"] or str(peer[0])
        now = time.monotonic()
        left, since = self._buckets.pop(caller, (rate * 2, now))
        left = min(left + (now - since) * rate, rate * 2)
        self._buckets[caller] = (max(left - 1, 0), now)
        if len(self._buckets) > _CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / rate

    async def _send(self, scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
        if scope["type"] == "http":
            await send_reply(send, reply)
            return
        await receive()
        headers = [reply.type, (b"content-length", b"%d" % len(reply.body)), *reply.headers]
        await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": reply.body})


def _bearer(scope: Scope, headers: Mapping[bytes, bytes]) -> str | None:
    """The token that the caller shows: as a header, or as a WebSocket subprotocol, where pages can send no header."""
    token = bearer(headers.get(b"authorization", b""))
    if token is not None:
        return token
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith(_BEARER):
            return str(protocol.removeprefix(_BEARER))
    return None


def _allow(origin: bytes) -> tuple[Header, ...]:
    expose = (b"access-control-expose-headers", b"etag, retry-after")
    return ((b"access-control-allow-origin", origin), expose, (b"vary", b"origin"))
