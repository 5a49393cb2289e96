"""What an MCP server answers, in plain data of the protocol and for any version of the SDK."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import Forbidden, InvalidKey, InvalidValue, KeyNotFound, SharedContextError

from .addresses import Address
from .feeds import Feed, Subscriber, Tell
from .resources import Resources
from .settings import McpSettings
from .toolset import Toolset

FACE = "mcp"
NOT_FOUND = -32002
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
_FACES = 1000

INSTRUCTIONS = """\
A context that agents share: entries by key; each write is a new version, and older ones stay.
Before you rely on memory, look: {prefix}search or {prefix}list, then {prefix}read.
{writing}A reading is compressed. A mark such as expand("plan", "lines:12-40") stands for what it leaves out: call \
{prefix}expand with that key and ref.
A last line in brackets tells which entries have changed since you read them: read them again before you act on them."""
_WRITING = """\
Write what others should know with {prefix}write; with expected_version, nobody's newer version is overwritten.
"""


class Refused(Exception):
    """An answer that is an error of the protocol: its code, a message, and what else helps."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass
class Connection:
    """One client, as far as it is known: by what name it calls itself, whose token it shows, and how it is told later.

    ``tell`` is None where the protocol's version has another way for that.
    """

    client: str | None = None
    participant: str | None = None
    tell: Tell | None = None
    subscriber: Subscriber | None = None
    leave: Callable[[], None] | None = None
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def close(self) -> None:
        """The client is gone."""
        if self.leave is not None:
            self.leave()
        if self.subscriber is not None:
            await self.subscriber.close()


class Face:
    """What one participant is served."""

    def __init__(self, context: SharedContext, participant: str, page: int) -> None:
        self.context = AsyncSharedContext.over(context.bind(participant, face=FACE))
        self.resources = Resources(self.context, page)
        self.feed = Feed(self.context)


class Service:
    """Answers requests by their method. The store stays with its opener."""

    def __init__(self, context: SharedContext, settings: McpSettings) -> None:
        self.context = context
        self.settings = settings
        self._tools = Toolset(settings)
        self._faces: OrderedDict[str, Face] = OrderedDict()
        self.methods: dict[str, Callable[[Connection, Mapping[str, Any]], Awaitable[dict[str, Any]]]] = {
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "resources/read": self._read_resource,
            "resources/subscribe": self._subscribe,
            "resources/unsubscribe": self._unsubscribe,
            "completion/complete": self._complete,
        }

    @property
    def instructions(self) -> str:
        """What a client's model is told about the server."""
        prefix = self.settings.prefix
        writing = "" if self.settings.read_only else _WRITING.format(prefix=prefix)
        return INSTRUCTIONS.format(prefix=prefix, writing=writing)

    def face(self, connection: Connection) -> Face:
        """Return what the client's participant is served; raises ``Forbidden`` for another's token."""
        bound = self.context.participant
        if bound is not None and connection.participant not in (None, bound):
            raise Forbidden(f"this server speaks for {bound!r}: take a token of its own")
        name = bound or connection.participant or _spelled(connection.client)
        face = self._faces.get(name)
        if face is None:
            face = self._faces[name] = Face(self.context, name, self.settings.page)
            while len(self._faces) > _FACES:
                idle = next((old for old, held in self._faces.items() if not held.feed.followed), None)
                if idle is None or idle == name:
                    break
                del self._faces[idle]
        self._faces.move_to_end(name)
        return face

    async def answer(self, method: str, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a request; raises ``Refused``."""
        with refusing(params):
            await self._join(connection)
            return await self.methods[method](connection, params)

    async def _join(self, connection: Connection) -> None:
        """Let a client that can be told later hear of changes."""
        if connection.tell is None or connection.subscriber is not None:
            return
        async with connection.joining:
            if connection.subscriber is None:
                subscriber = Subscriber(connection.tell, self.settings.pace)
                connection.leave = await self.face(connection).feed.join(subscriber.hear)
                connection.subscriber = subscriber

    async def _list_tools(self, _: Connection, __: Mapping[str, Any]) -> dict[str, Any]:
        return {"tools": self._tools.described()}

    async def _call_tool(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self._tools.call(self.face(connection).context, params["name"], params.get("arguments"))

    async def _list_resources(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self.face(connection).resources.listed(params.get("cursor"))

    async def _list_templates(self, connection: Connection, _: Mapping[str, Any]) -> dict[str, Any]:
        return self.face(connection).resources.templates()

    async def _read_resource(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self.face(connection).resources.read(params["uri"])

    async def _subscribe(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        self.check_uri(params["uri"])
        if connection.subscriber is not None:
            connection.subscriber.subscribe(params["uri"])
        return {}

    async def _unsubscribe(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        self.check_uri(params["uri"])
        if connection.subscriber is not None:
            connection.subscriber.unsubscribe(params["uri"])
        return {}

    def check_uri(self, uri: str) -> Address:
        """Return the address that a URI names in this session; raises ``InvalidKey``, ``KeyNotFound``."""
        address = Address.read(uri)
        if address.session != self.context.session:
            raise KeyNotFound(f"this server has the session {self.context.session!r}, not {address.session!r:.140}")
        return address

    async def _complete(self, connection: Connection, params: Mapping[str, Any]) -> dict[str, Any]:
        argument = params["argument"]
        if params["ref"]["type"] != "ref/resource" or argument["name"] != "key":
            return {"completion": {"values": [], "total": 0, "hasMore": False}}
        return await self.face(connection).resources.completed(argument["value"])

    async def close(self) -> None:
        """Follow nothing more."""
        for face in self._faces.values():
            face.feed.stop()


@contextmanager
def refusing(params: Mapping[str, Any]) -> Iterator[None]:
    """Turn errors of the context into those of the protocol."""
    try:
        yield
    except SharedContextError as error:
        code = INTERNAL_ERROR
        if isinstance(error, KeyNotFound):
            code = NOT_FOUND
        elif isinstance(error, InvalidKey | InvalidValue):
            code = INVALID_PARAMS
        data = {"error": error.code, **({"uri": params["uri"]} if "uri" in params else {})}
        raise Refused(code, f"{error.code}: {error.message}", data) from error


def _spelled(client: str | None) -> str:
    """A participant's name from what a client calls itself."""
    plain = unicodedata.normalize("NFC", client or "")
    return "".join(char for char in plain if char.isprintable()).strip()[:60] or FACE
