"""The server by version 1 of the SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from mcp import types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.shared.exceptions import McpError

from .service import Connection, Refused, Service
from .version import VERSION

_connection: ContextVar[Connection] = ContextVar("sharedctx_mcp_connection")

_METHODS: dict[str, tuple[type[Any], type[Any]]] = {
    "tools/list": (types.ListToolsRequest, types.ListToolsResult),
    "tools/call": (types.CallToolRequest, types.CallToolResult),
    "resources/list": (types.ListResourcesRequest, types.ListResourcesResult),
    "resources/templates/list": (types.ListResourceTemplatesRequest, types.ListResourceTemplatesResult),
    "resources/read": (types.ReadResourceRequest, types.ReadResourceResult),
    "resources/subscribe": (types.SubscribeRequest, types.EmptyResult),
    "resources/unsubscribe": (types.UnsubscribeRequest, types.EmptyResult),
    "completion/complete": (types.CompleteRequest, types.CompleteResult),
}


class ContextServer(Server):  # type: ignore[misc]
    """The SDK's server over a service; each ``run`` is one client's connection."""

    def __init__(self, service: Service) -> None:
        super().__init__("sharedctx", version=VERSION, instructions=service.instructions)
        self.service = service
        for method, (request, result) in _METHODS.items():
            self.request_handlers[request] = self._handler(service, method, result)

    def _handler(self, service: Service, method: str, result: type[Any]) -> Callable[[Any], Awaitable[Any]]:
        async def handle(request: Any) -> Any:
            params = request.params.model_dump(mode="json", by_alias=True) if request.params is not None else {}
            try:
                answer = await service.answer(method, self._known(), params)
            except Refused as error:
                raise McpError(types.ErrorData(code=error.code, message=error.message, data=error.data)) from error
            return types.ServerResult(result.model_validate(answer))

        return handle

    def _known(self) -> Connection:
        """The client that asks, with all that is known of it now."""
        connection = _connection.get()
        context = self.request_context
        session, http = context.session, context.request
        if connection.client is None and session.client_params is not None:
            connection.client = session.client_params.clientInfo.name
        if http is not None:
            connection.participant = http.scope.get("sharedctx.participant")
        if connection.tell is None:

            async def tell(uri: str | None) -> None:
                if uri is None:
                    await session.send_resource_list_changed()
                else:
                    await session.send_resource_updated(uri)

            connection.tell = tell
        return connection

    def get_capabilities(
        self, notification_options: NotificationOptions, experimental_capabilities: dict[str, dict[str, Any]]
    ) -> Any:
        """Say that resources can be subscribed to, and that changes of their list are told."""
        capabilities = super().get_capabilities(NotificationOptions(resources_changed=True), experimental_capabilities)
        capabilities.resources.subscribe = True
        return capabilities

    async def run(self, *streams: Any, **options: Any) -> None:
        """Serve one client until its stream ends."""
        connection = Connection()
        token = _connection.set(connection)
        try:
            await super().run(*streams, **options)
        finally:
            _connection.reset(token)
            await connection.close()

    def end_streams(self) -> None:
        """Nothing to end: streams of this version end with their transports."""
