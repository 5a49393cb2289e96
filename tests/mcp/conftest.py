"""Clients of the Model Context Protocol, the same for both versions of the SDK and of the protocol."""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mcp", reason="mcp is not installed: pip install 'sharedctx[mcp]'")

import sharedctx
from sharedctx import SharedContext
from sharedctx_mcp import McpSettings, server

SDK = int(version("mcp").partition(".")[0])
ERAS = ("handshake",) if SDK == 1 else ("handshake", "2026-07-28")
PATIENCE = 20.0
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


class Refusal(Exception):
    """An error of the protocol, as a client gets it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Client:
    """What a client does, in plain data."""

    def __init__(self, session: Any, era: str, stack: AsyncExitStack) -> None:
        self.session = session
        self._era = era
        self._stack = stack
        self._told: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()

    async def ask(self, method: str, *given: Any, **named: Any) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "resources/(un)?subscribe is removed")  # of the handshake's era
                result = await getattr(self.session, method)(*given, **named)
        except Exception as error:
            refused = getattr(error, "error", None)
            if refused is None:
                raise
            raise Refusal(refused.code, refused.message) from error
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def call(self, name: str, **arguments: Any) -> SimpleNamespace:
        result = await self.ask("call_tool", name, arguments)
        [block] = result["content"]
        return SimpleNamespace(text=block["text"], failed=result.get("isError", False))

    async def tools(self) -> dict[str, dict[str, Any]]:
        return {tool["name"]: tool for tool in (await self.ask("list_tools"))["tools"]}

    async def page(self, cursor: str | None = None) -> dict[str, Any]:
        if cursor is None:
            return await self.ask("list_resources")
        if SDK == 1:
            from mcp.types import PaginatedRequestParams

            return await self.ask("list_resources", params=PaginatedRequestParams(cursor=cursor))
        return await self.ask("list_resources", cursor=cursor)

    async def resources(self) -> dict[str, dict[str, Any]]:
        found, cursor = {}, None
        while True:
            page = await self.page(cursor)
            found |= {each["uri"]: each for each in page["resources"]}
            cursor = page.get("nextCursor")
            if cursor is None:
                return found

    async def read(self, uri: str) -> dict[str, Any]:
        [content] = (await self.ask("read_resource", uri))["contents"]
        return content

    async def complete(self, begun: str, name: str = "key") -> list[str]:
        types = _types()
        ref = types.ResourceTemplateReference(type="ref/resource", uri="context://team/{key}")
        result = await self.ask("complete", ref, {"name": name, "value": begun})
        return result["completion"]["values"]

    async def listen(self, *uris: str) -> None:
        """Hear of changes of these resources, and of the list of them."""
        if self._era == "handshake":
            await self.page()
            for uri in uris:
                await self.ask("subscribe_resource", uri)
            return
        stream = await self._stack.enter_async_context(
            self.session.listen(resources_list_changed=True, resource_subscriptions=list(uris))
        )
        task = asyncio.create_task(self._hear(stream))
        self._stack.callback(task.cancel)

    async def _hear(self, stream: Any) -> None:
        async for event in stream:
            uri = getattr(event, "uri", None)
            self._told.put_nowait(("list", None) if uri is None else ("updated", uri))
        self._told.put_nowait(("end", None))

    async def take(self, message: Any) -> None:
        """Take a notification of the handshake's era."""
        told = getattr(message, "root", message)
        method = getattr(told, "method", None)
        if self._era != "handshake":
            return
        if method == "notifications/resources/updated":
            self._told.put_nowait(("updated", str(told.params.uri)))
        elif method == "notifications/resources/list_changed":
            self._told.put_nowait(("list", None))

    async def told(self) -> tuple[str, str | None]:
        """The next word of a change."""
        return await asyncio.wait_for(self._told.get(), PATIENCE)

    async def told_of(self, uri: str) -> None:
        """Wait for word of this resource."""
        while await self.told() != ("updated", uri):
            pass

    @property
    def silent(self) -> bool:
        return self._told.empty()


def _types() -> Any:
    if SDK == 1:
        import mcp.types

        return mcp.types
    import mcp_types

    return mcp_types


@asynccontextmanager
async def connected(target: Any, era: str = "handshake", name: str = "tester") -> AsyncIterator[Client]:
    """A client of a server in this process, of a command line (a list) or of a URL (with headers, a pair)."""
    async with AsyncExitStack() as stack:
        client = Client(None, era, stack)
        info = _types().Implementation(name=name, version="1")
        if SDK == 1:
            from mcp import ClientSession
            from mcp.shared.memory import create_connected_server_and_client_session

            if isinstance(target, list | tuple):
                streams = await stack.enter_async_context(await _transport(target, stack))
                session = ClientSession(streams[0], streams[1], message_handler=client.take, client_info=info)
                client.session = await stack.enter_async_context(session)
                await client.session.initialize()
            else:
                client.session = await stack.enter_async_context(
                    create_connected_server_and_client_session(
                        target, message_handler=client.take, client_info=info, raise_exceptions=False
                    )
                )
        else:
            import mcp

            client.session = await stack.enter_async_context(
                mcp.Client(
                    await _transport(target, stack) if isinstance(target, list | tuple) else target,
                    mode="legacy" if era == "handshake" else era,
                    message_handler=client.take,
                    client_info=info,
                )
            )
        yield client


async def _transport(target: Any, stack: AsyncExitStack) -> Any:
    if isinstance(target, list):
        from mcp.client.stdio import StdioServerParameters, stdio_client

        return stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    from mcp.client.streamable_http import streamable_http_client

    url, headers = target
    if SDK == 1:
        import httpx as http
    else:
        import httpx2 as http
    calls = await stack.enter_async_context(http.AsyncClient(headers=headers, timeout=PATIENCE))
    return streamable_http_client(url, http_client=calls)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run each coroutine on a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(context: SharedContext, era: str) -> Callable[..., Any]:
    """Connects a client, in this process, to a server of its own over the context."""

    @asynccontextmanager
    async def connect(to: SharedContext | None = None, name: str = "tester", **settings: Any) -> AsyncIterator[Client]:
        made = server(to or context, McpSettings(pace=0.0, **settings))
        async with connected(made, era, name) as opened:
            yield opened

    return connect


@pytest.fixture
def wire() -> SimpleNamespace:
    """Clients over real transports: ``connected``, and the command that they start."""
    return SimpleNamespace(
        connected=connected,
        Refusal=Refusal,
        eras=ERAS,
        sdk=SDK,
        command=_command,
        initialize=INITIALIZE,
        initialized=INITIALIZED,
    )


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from sharedctx_cli.main import main; main()", "mcp", *arguments]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture
def seeded(path: str) -> str:
    with sharedctx.open(path) as store:
        store.session("team").put("plan", "first", agent="planner")
    return path
