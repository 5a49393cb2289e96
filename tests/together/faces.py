"""Each integration as something that writes, reads and expands entries of a session, by its framework's own calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

from sharedctx import SharedContext
from sharedctx.tools import TOOLS

LINES = 2000
Use = Callable[[str, dict[str, Any]], str]
"""Calls a tool by its name in the table, with its arguments; returns what the model is told."""


class Face(NamedTuple):
    """An integration, the package that it needs (or none), and how its tools are called for a bound context."""

    name: str
    package: str | None
    tools: Callable[[SharedContext], Use]

    @property
    def installed(self) -> bool:
        try:
            return self.package is None or find_spec(self.package) is not None
        except ModuleNotFoundError:
            return False

    @property
    def participant(self) -> str:
        return f"agent:{self.name}"

    def on(self, session: SharedContext) -> Use:
        """Its tools for its own participant."""
        return self.tools(session.bind(self.participant))


def core(context: SharedContext) -> Use:
    from sharedctx.tools import call

    return lambda name, arguments: call(context, name, arguments).text


def langchain(context: SharedContext) -> Use:
    from sharedctx_langchain import ContextToolkit

    tools = {tool.name: tool for tool in ContextToolkit(context, names=list(TOOLS)).get_tools()}
    return lambda name, arguments: str(tools[f"context_{name}"].invoke(arguments))


def crewai(context: SharedContext) -> Use:
    from sharedctx_crewai import ContextTools

    tools = {tool.name: tool for tool in ContextTools(context, list(TOOLS))}
    return lambda name, arguments: str(tools[name].run(**arguments))


def openai_agents(context: SharedContext) -> Use:
    from agents.tool_context import ToolContext

    from sharedctx_openai_agents import context_tools

    tools = {tool.name: tool for tool in context_tools(context, names=list(TOOLS))}

    def use(name: str, arguments: dict[str, Any]) -> str:
        spelled = json.dumps(arguments)
        run: Any = ToolContext(context=None, tool_name=name, tool_call_id="1", tool_arguments=spelled)
        return str(asyncio.run(tools[name].on_invoke_tool(run, spelled)))

    return use


def openai(context: SharedContext) -> Use:
    from sharedctx_openai import handle_tool_call

    def use(name: str, arguments: dict[str, Any]) -> str:
        function = {"name": "shared_context", "arguments": json.dumps({"action": name, **arguments})}
        reply = handle_tool_call({"id": "1", "type": "function", "function": function}, context)
        assert reply is not None
        return said(reply["content"])

    return use


def anthropic(context: SharedContext) -> Use:
    from sharedctx_anthropic import handle_tool_use

    def use(name: str, arguments: dict[str, Any]) -> str:
        call = {"type": "tool_use", "id": "1", "name": "shared_context", "input": {"action": name, **arguments}}
        reply = handle_tool_use(call, context)
        assert reply is not None
        return said(reply["content"])

    return use


def mcp(context: SharedContext) -> Use:
    from mcp.shared.memory import create_connected_server_and_client_session

    from sharedctx_mcp import McpSettings, server

    served = server(context, McpSettings(allow_delete=True))

    async def ask(name: str, arguments: dict[str, Any]) -> str:
        async with create_connected_server_and_client_session(served) as session:
            [block] = (await session.call_tool(f"context_{name}", arguments)).content
            return str(block.text)

    return lambda name, arguments: asyncio.run(ask(name, arguments))


def said(content: str) -> str:
    """The words in a result of the one tool of raw loops."""
    found = json.loads(content)
    return str(found.get("result") or found.get("message"))


FACES = (
    Face("core", None, core),
    Face("langchain", "langchain", langchain),
    Face("crewai", "crewai", crewai),
    Face("openai_agents", "agents", openai_agents),
    Face("openai", None, openai),
    Face("anthropic", None, anthropic),
    Face("mcp", "mcp.shared.memory", mcp),
)
INSTALLED = tuple(face for face in FACES if face.installed)


def text(name: str) -> str:
    """What an integration stores: long enough that a view leaves most of it out."""
    return "\n".join(f"line {n} of {name}" for n in range(1, LINES + 1))
