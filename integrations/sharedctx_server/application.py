"""The server as a Starlette application over an opened store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sharedctx import Store

from .api.audits import Audits
from .api.changes import SessionEvents
from .api.entries import Entries
from .api.evolutions import Evolutions
from .api.figures import Figures
from .api.reading import Readings
from .calls import Handler, Methods
from .contexts import delete_context, get_context, get_optimized, get_value, post_diff, post_rollback, put_context
from .events import ContextEvents
from .gate import Gate
from .heads import Head
from .health import Health
from .metrics import Metrics
from .openapi import Described
from .replies import Reply, error_reply
from .service import Service
from .settings import ServerSettings
from .static import FOLDER, page
from .streams import ContextSocket


def app(store: Store, settings: ServerSettings | None = None) -> Starlette:
    """Return the server for a store, which stays with its opener; ``app.state.service`` is what its routes share."""
    service = Service(store, settings or ServerSettings())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with service.running():
            yield

    async def refuse(request: Request, error: Exception) -> Response:
        status, message = 500, "the server failed: its log says why"
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if isinstance(error, HTTPException):
            status, message = error.status_code, f"there is nothing at {request.url.path[:200]!r}"
        reply = error_reply(status, message, service.now(), headers)
        return Response(reply.body, reply.status, media_type="application/json")

    built = Application(
        service,
        routes=routes(service),
        exception_handlers={HTTPException: refuse, Exception: refuse},
        lifespan=lifespan,
    )
    built.router.redirect_slashes = False
    built.state.service = service
    return built


class Application(Starlette):
    """Starlette behind the gate; the paths that most requests are for are found without asking its router."""

    def __init__(self, service: Service, **options: Any) -> None:
        super().__init__(**options)
        self._context = Methods(service, GET=get_context, PUT=put_context, DELETE=delete_context)
        self._diff = Methods(service, POST=post_diff)
        self._gate = Gate(self._find, service)
        self._others = super().__call__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self._gate(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp:
        if scope["type"] == "http":
            methods, project = self._of_context(scope["path"])
            if methods is not None:
                scope["path_params"] = {"project": project}
                return methods
        return self._others

    def _of_context(self, path: str) -> tuple[Methods | None, str]:
        """Return what answers for the path of a context or of changes to it, and its project; None for other paths."""
        prefix, _, rest = path.partition("/context/")
        project, _, verb = rest.partition("/")
        if prefix or not project or project == "stream":
            return None, ""
        return self._context if rest == project else self._diff if verb == "diff" else None, project

    def answer(self, head: Head, client: tuple[str, int] | None, body: bytes) -> Coroutine[Any, Any, Reply]:
        """Return the reply to a request that came whole, and from no page."""
        target, headers = head.target, head.headers
        scope: Scope = {
            "type": "http",
            "method": target.method,
            "path": target.path,
            "query_string": target.query,
            "client": client,
            "path_params": {"project": target.project},
        }
        methods = self._diff if target.verb else self._context
        if self._gate.waves(scope, headers):
            return methods.reply(scope, body)
        return self._admitted(scope, headers, methods, body)

    async def _admitted(self, scope: Scope, headers: Mapping[bytes, bytes], methods: Methods, body: bytes) -> Reply:
        refused = await self._gate.admit(scope, headers)
        return await methods.reply(scope, body) if refused is None else refused


def routes(service: Service) -> list[BaseRoute]:
    """The routes of a service but those of contexts and of changes to them, which are found before."""
    health = Health(service)
    socket, events = ContextSocket(service), ContextEvents(service)
    return [
        Route("/context/stream", events),
        Route("/context/{project}/rollback", Methods(service, POST=post_rollback)),
        Route("/context/{project}/optimized", Methods(service, GET=get_optimized)),
        Route("/context/{project}/value", Methods(service, GET=get_value)),
        Route("/context/{project}/stream", events),
        WebSocketRoute("/context/stream", socket),
        WebSocketRoute("/context/{project}/stream", socket),
        Route("/metrics", Methods(service, GET=Metrics(service).metrics)),
        Route("/health", Methods(service, GET=health.health)),
        Route("/ready", Methods(service, GET=health.ready)),
        Route("/openapi.json", Methods(service, GET=Described().document)),
        *_api(service),
        Route("/", Methods(service, GET=page)),
        Route(FOLDER + "{name:path}", Methods(service, GET=page)),
    ]


def _api(service: Service) -> list[BaseRoute]:
    readings = Readings(service)
    entries, figures, evolutions = Entries(service, readings), Figures(service, readings), Evolutions(service)
    handlers: dict[str, Handler] = {
        "/api/audit": Audits(service, readings).audit,
        "/api/sessions": entries.sessions,
        "/api/entries": entries.entries,
        "/api/entry": entries.entry,
        "/api/original": entries.original,
        "/api/expand": entries.expand,
        "/api/history": entries.history,
        "/api/diff": entries.diff,
        "/api/savings": figures.savings,
        "/api/savings/timeline": figures.timeline,
        "/api/readers": figures.readers,
        "/api/evolutions": evolutions.evolutions,
        "/api/evolutions/{evolution}": evolutions.evolution,
        "/api/evolutions/{evolution}/history": evolutions.history,
    }
    events = Route("/api/events", SessionEvents(service, readings))
    return [*(Route(path, Methods(service, GET=handler)) for path, handler in handlers.items()), events]
