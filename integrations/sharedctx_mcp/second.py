"""The server by version 2 of the SDK, for clients of the handshake and for those of 2026-07-28 and later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.subscriptions import ListenHandler, ResourcesListChanged, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from sharedctx.errors import InvalidValue

from .addresses import Address
from .feeds import MOST, Changes
from .service import INVALID_PARAMS, NOT_FOUND, Connection, Refused, Service, refusing
from .version import VERSION

_METHODS: dict[str, tuple[type[Any], type[Any]]] = {
    "tools/list": (types.PaginatedRequestParams, types.ListToolsResult),
    "tools/call": (types.CallToolRequestParams, types.CallToolResult),
    "resources/list": (types.PaginatedRequestParams, types.ListResourcesResult),
    "resources/templates/list": (types.PaginatedRequestParams, types.ListResourceTemplatesResult),
    "resources/read": (types.ReadResourceRequestParams, types.ReadResourceResult),
    "resources/subscribe": (types.SubscribeRequestParams, types.EmptyResult),
    "resources/unsubscribe": (types.UnsubscribeRequestParams, types.EmptyResult),
    "completion/complete": (types.CompleteRequestParams, types.CompleteResult),
}
_STATE = "sharedctx"
_MOST = 1000
"""Streams of changes that one server has open, at most."""


class ContextServer(Server):  # type: ignore[misc]
    """The SDK's server over a service."""

    def __init__(self, service: Service) -> None:
        super().__init__("sharedctx", version=VERSION, instructions=service.instructions)
        self.service = service
        self._listening: set[ListenHandler] = set()
        for method, (params, result) in _METHODS.items():
            self.add_request_handler(method, params, self._handler(method, result))
        self.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, self._listen)

    def _handler(self, method: str, result: type[Any]) -> Callable[[Any, Any], Awaitable[Any]]:
        async def handle(context: Any, params: Any) -> Any:
            given = params.model_dump(mode="json", by_alias=True)
            try:
                answer = await self.service.answer(method, _known(context), given)
            except Refused as error:
                raise _error(context, error) from error
            return result.model_validate(answer, by_name=False)

        return handle

    async def _listen(self, context: Any, params: Any) -> Any:
        """Serve one stream of changes: those that this client asked for, of what its participant may read."""
        asked = params.notifications
        try:
            with refusing({}):
                if len(self._listening) >= _MOST or len(asked.resource_subscriptions or ()) > MOST:
                    raise InvalidValue("too many streams of changes, or too many resources in one: end some")
                uris = [self.service.check_uri(uri).uri for uri in asked.resource_subscriptions or ()]
                feed = self.service.face(_known(context)).feed
        except Refused as error:
            raise _error(context, error) from error
        asked = asked.model_copy(update={"resource_subscriptions": uris or None})
        bus = _Bus(self.service.context.session)
        handler = ListenHandler(bus)
        leave = await feed.join(bus.hear)
        self._listening.add(handler)
        try:
            return await handler(context, params.model_copy(update={"notifications": asked}))
        finally:
            self._listening.discard(handler)
            leave()

    def create_initialization_options(self, *_: Any, **options: Any) -> Any:
        """Say that changes of the list of resources are told."""
        return super().create_initialization_options(NotificationOptions(resources_changed=True), **options)

    def end_streams(self) -> None:
        """End the streams of changes, so that their clients know."""
        for handler in list(self._listening):
            handler.close()


class _Bus:
    """Changes as the events of one stream."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._listeners: list[Callable[[Any], None]] = []

    def subscribe(self, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Send events to the stream from now on; returns what ends that."""
        self._listeners.append(listener)
        return self._listeners.clear

    def hear(self, changes: Changes) -> None:
        """Send changes to the stream."""
        events = [ResourceUpdated(Address(self._session, key).uri) for key in sorted(changes.keys)]
        if changes.keys:
            events.append(ResourceUpdated(Address(self._session).uri))
        if changes.listing:
            events.append(ResourcesListChanged())
        for event in events:
            for listener in self._listeners:
                listener(event)


def _known(context: Any) -> Connection:
    """The client that asks; one of the handshake keeps its connection, later ones tell all with each request."""
    session = context.session
    connection = Connection() if context.protocol_version in MODERN_PROTOCOL_VERSIONS else _kept(session)
    if connection.client is None and session.client_params is not None:
        connection.client = session.client_params.client_info.name
    if context.request is not None:
        connection.participant = context.request.scope.get("sharedctx.participant")
    return connection


def _kept(session: Any) -> Connection:
    kept = session._connection  # the one place where a connection has a state and an end
    if _STATE not in kept.state:
        connection = kept.state[_STATE] = Connection()

        async def tell(uri: str | None) -> None:
            if uri is None:
                await kept.send_resource_list_changed()
            else:
                await kept.send_resource_updated(uri)

        connection.tell = tell
        kept.exit_stack.push_async_callback(connection.close)
    found: Connection = kept.state[_STATE]
    return found


def _error(context: Any, error: Refused) -> Exception:
    modern = context.protocol_version in MODERN_PROTOCOL_VERSIONS
    code = INVALID_PARAMS if modern and error.code == NOT_FOUND else error.code  # that code is retired
    failure: Exception = MCPError(code, error.message, error.data)
    return failure
