"""The server over streamable HTTP: one address, behind a gate that looks at names, pages and tokens."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any

from sharedctx.callers import Callers, bearer, require_token
from sharedctx.callers.bearers import Bearers
from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError, SharedContextError
from sharedctx.extras import extra

from .protocol import Protocol
from .serving import server
from .settings import McpSettings
from .unread import refusal

with extra("mcp", "the MCP server"):
    import uvicorn
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken
    from mcp.server.streamable_http_manager import DEFAULT_MAX_REQUEST_BODY_SIZE, StreamableHTTPSessionManager
    from starlette.applications import Starlette
    from starlette.routing import Route

PATH = "/mcp"
_UNAUTHORIZED = ((b"www-authenticate", b'Bearer realm="sharedctx"'),)
_log = logging.getLogger("sharedctx.mcp")


class Gate:
    """Checks Host (421), Origin (403) and token (401) before anything else is looked at; ends streams when told to."""

    def __init__(self, context: SharedContext, settings: McpSettings) -> None:
        self._callers = Callers(settings.host, settings.allow_hosts, settings.allow_origins)
        self._bearers = Bearers(context.store, settings.token)
        self._made = server(context, settings)
        self._sessions = StreamableHTTPSessionManager(self._made)
        self._app = Starlette(routes=[Route(PATH, _Endpoint(self._sessions))], lifespan=self._lifespan)
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        try:
            async with self._sessions.run():
                yield
        finally:
            await self._made.service.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin")
        if not self._callers.knows(host):
            await _refuse(send, 421, "this server does not go by that name: start it with --allow-host to add one")
            return
        if origin is not None and not self._callers.admits(origin.decode("latin-1"), host):
            await _refuse(send, 403, "pages of this origin may not call: --allow-origin lets one")
            return
        try:
            required = await self._bearers.required()
            shown = bearer(headers.get(b"authorization", b"")) if required else None
            token = None if shown is None else await self._bearers.find(shown)
        except SharedContextError as error:  # the store that knows the tokens does not answer
            _log.error("%s tokens", error.code)
            await _refuse(send, 503, error.message)
            return
        if required and token is None:
            why = "a valid bearer token is needed: `sharedctx token make` makes one"
            await _refuse(send, 401, why, _UNAUTHORIZED)
            return
        if token is not None:
            scope["sharedctx.participant"] = token.participant
            # a session of the protocol answers only to the token that began it
            access = AccessToken(token="", client_id=token.id or "server", scopes=[])
            scope["user"] = AuthenticatedUser(access)
        heard, told = await _read(scope, self._until_stopped(receive))
        if told is not None:
            await _answer(send, 400, told.encode())
            return
        open_body = False

        async def noted(message: Any) -> None:
            nonlocal open_body
            open_body = message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        await self._app(scope, heard, noted)
        if open_body and self._stopping.is_set():  # a stream that ended by us, not by its client: say so
            await send({"type": "http.response.body", "body": b""})

    def _until_stopped(self, receive: Any) -> Any:
        """Let a stream find its client gone when the server stops."""

        async def next_message() -> Any:
            stopping = asyncio.ensure_future(self._stopping.wait())
            message = asyncio.ensure_future(receive())
            try:
                await asyncio.wait((stopping, message), return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                for task in (stopping, message):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

        return next_message

    def stop(self) -> None:
        """End the streams."""
        self._made.end_streams()
        self._stopping.set()


class _Endpoint:
    """The SDK's handling of one path as an application of its own."""

    def __init__(self, sessions: StreamableHTTPSessionManager) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._sessions.handle_request(scope, receive, send)


async def _read(scope: Any, receive: Any) -> tuple[Any, str | None]:
    """Return what gives the body of a request again, and the error that answers it where the SDK would not read it as
    it is; a body above its bound is left to it."""
    if scope["method"] != "POST":
        return receive, None
    messages = [await receive()]
    size = len(messages[0].get("body", b""))
    while messages[-1].get("more_body") and size <= DEFAULT_MAX_REQUEST_BODY_SIZE:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
    whole = messages[-1]["type"] == "http.request" and size <= DEFAULT_MAX_REQUEST_BODY_SIZE
    body = b"".join(message.get("body", b"") for message in messages) if whole else b""
    told = refusal(body) if whole else None

    async def again() -> Any:
        return messages.pop(0) if messages else await receive()

    return again, told


async def _refuse(send: Any, status: int, message: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    await _answer(send, status, json.dumps({"error": message, "statusCode": status}).encode(), more)


async def _answer(send: Any, status: int, body: bytes, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    """Ends in good order at the first signal, at once at the second; the process then ends by itself, with 0."""

    def __init__(self, gate: Gate, settings: McpSettings) -> None:
        super().__init__(
            uvicorn.Config(
                gate,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=max(round(settings.drain), 1),
                http=Protocol,
                timeout_keep_alive=settings.idle,  # type: ignore[arg-type]  # seconds for call_later
            )
        )
        self._gate = gate

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gate.stop()
        await super().shutdown(sockets)


def listening(settings: McpSettings) -> socket.socket:
    """Return a socket that listens where the settings say; raises ``ConfigError`` where that cannot be."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=512)
    except OSError as error:
        raise ConfigError(
            f"port {settings.port} of {settings.host} cannot be listened on ({error.strerror}): choose one by --port"
        ) from error


def serve_http(context: SharedContext, settings: McpSettings | None = None, *, ready: Any = None) -> None:
    """Serve a context over streamable HTTP at ``/mcp`` until SIGINT or SIGTERM; the store stays with its opener.

    ``ready`` is called with the URL once clients can connect. Raises ``ConfigError`` where the address may be called by
    other machines and no token is asked for, or is taken.
    """
    settings = settings or McpSettings()
    require_token(settings.host, settings.token, context.store)
    with listening(settings) as bound:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{bound.getsockname()[1]}{PATH}"
        if ready is not None:
            ready(url)
        _Server(Gate(context, settings), settings).run([bound])
