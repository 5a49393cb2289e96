"""Running a server: in this process until it is told to stop."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from sharedctx import SharedContext, Store
from sharedctx.backends.registry import default_address, normalise, nothing_at
from sharedctx.callers import require_token
from sharedctx.errors import ConfigError
from sharedctx.opening import Opening

from .application import app
from .background import Registered
from .protocol import Protocol
from .settings import ServerSettings
from .sockets import Socket

_FRAME = 4096
_BACKLOG = 2048
_SELDOM = 20_000
"""Objects that are there more than there were, before the garbage collector looks at them."""


class Server(uvicorn.Server):
    """A uvicorn server whose streams end when it is told to stop, so that it need not wait for them."""

    def __init__(self, application: Starlette, settings: ServerSettings) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=settings.host,
                port=settings.port,
                http=Protocol,
                ws=Socket,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws_max_size=settings.projects.max_bytes + _FRAME,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=max(round(settings.drain), 1),
                timeout_keep_alive=settings.idle,  # type: ignore[arg-type]  # seconds for call_later
                backlog=_BACKLOG,
            )
        )
        self._service = application.state.service

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop. What was loaded before is for good, and what requests make goes without the
        garbage collector, which therefore seldom looks, and at little."""
        often = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(_SELDOM, *often[1:])
        try:
            super().run(sockets)
        finally:
            gc.set_threshold(*often)
            gc.unfreeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in good order at the first signal, at once at the second; the process then ends by itself, with 0."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams and drain what runs."""
        self._service.stop()
        await super().shutdown(sockets)


def serve(
    store: Store | SharedContext | str | os.PathLike[str] | None = None,
    *,
    settings: ServerSettings | None = None,
    ready: Callable[[], None] | None = None,
    **options: Any,
) -> None:
    """Serve a store until SIGINT or SIGTERM: an opened one, or a path or URL (default ``SHAREDCTX_URL``, else
    ``./.sharedctx``).

    ``ready`` is called once callers can connect. ``options`` are single ``ServerSettings``. A store that was opened
    here is closed at the end. Raises ``ConfigError`` where the address may be called by other machines and no token is
    set.
    """
    settings = replace(settings or ServerSettings(), **options)
    if not isinstance(store, Store | SharedContext) and nothing_at(normalise(store or default_address())):
        require_token(settings.host, settings.token, None)
    with listening(settings) as sockets:  # before the store: what is refused makes none
        opening = Opening(store) if isinstance(store, Store | SharedContext) else Opening(path=store)
        try:
            require_token(settings.host, settings.token, opening.store)
            with Registered(settings, opening.store.address):
                if ready is not None:
                    ready()
                Server(app(opening.store, settings), settings).run([sockets])
        finally:
            opening.close()


def listening(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens where the settings say; raises ``ConfigError`` where that cannot be."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"port {settings.port} of {settings.host} cannot be listened on ({error.strerror}): choose one by --port"
        ) from error
