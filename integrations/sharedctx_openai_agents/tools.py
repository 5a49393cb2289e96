"""Function tools of the SDK: the shared context's own, and any other with its large results kept in the context."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError
from sharedctx.extras import extra
from sharedctx.outputs import Outputs, check_view_tokens
from sharedctx.tools import TOOLS

with extra("openai-agents", "context_tools"):
    from agents import FunctionTool, ToolOutputFileContent, ToolOutputImage, ToolOutputText
    from agents.tool_context import ToolContext

from .filters import FACE

NAMES = ("list", "read", "write", "delete", "expand", "search")


def context_tools(
    context: SharedContext, participant: str | None = None, *, names: Sequence[str] = NAMES, prefix: str = ""
) -> list[FunctionTool]:
    """Return the shared context's tools for one agent, with strict schemas; errors are text for the model.

    ``participant`` is who the agent's reads and writes count for (a bound context has its own). ``names`` chooses among
    list, read, write, delete, expand, search and history; ``prefix`` goes before their names where an agent has others
    of the same, as in ``context_``. Raises ``ConfigError``, ``Forbidden``.
    """
    who = participant or context.participant
    if who is None:
        raise ConfigError("context_tools needs to know who acts: pass a participant, or a bound context")
    if unknown := [name for name in names if name not in TOOLS]:
        raise ConfigError(f"there is no tool {', '.join(map(repr, unknown))}: choose from {', '.join(TOOLS)}")
    bound = AsyncSharedContext.over(context.bind(who, face=FACE))
    return [_function_tool(bound, name, prefix) for name in names]


def _function_tool(context: AsyncSharedContext, name: str, prefix: str) -> FunctionTool:
    tool = TOOLS[name]

    async def invoke(_: ToolContext[Any], arguments: str) -> str:
        return (await tool.acall(context, arguments)).text

    return FunctionTool(
        name=prefix + name,
        description=tool.description,
        params_json_schema=tool.schema(strict=True),
        on_invoke_tool=invoke,
        strict_json_schema=True,
    )


def offload_tool(
    tool: FunctionTool, context: SharedContext, *, max_tokens: int | None = 300, participant: str | None = None
) -> FunctionTool:
    """Return the tool with results of more than ``max_tokens`` kept in the context and given as views.

    For what no hand-off filter meets, such as ``agent.as_tool(...)``: the caller's model reads the view, and redeems
    its markers with the tools of ``context_tools``. Text is shortened, also in structured results; images and files
    stay. The tool that was passed stays as it was. Raises ``ConfigError`` for a tool whose output has a schema, which
    a view would not fit.
    """
    check_view_tokens("max_tokens", max_tokens)
    if not isinstance(tool, FunctionTool):
        raise ConfigError(f"{type(tool).__name__} is no function tool: only those can be offloaded")
    if getattr(tool, "output_json_schema", None) is not None:
        raise ConfigError(f"the tool {tool.name!r} promises JSON of a schema: its output cannot become a view")
    outputs = Outputs(context, participant, face=FACE)
    offloaded = copy.copy(tool)
    invoke = offloaded.on_invoke_tool

    def shorten(result: Any) -> Any:
        if isinstance(result, ToolOutputText):
            return result.model_copy(update={"text": shorten(result.text)})
        if isinstance(result, list):
            return [shorten(part) if isinstance(part, ToolOutputText) else part for part in result]
        if isinstance(result, ToolOutputImage | ToolOutputFileContent | dict):
            return result
        text = result if isinstance(result, str) else str(result)
        made = outputs.shorten(tool.name, text, max_tokens)
        return result if made is None else made.text

    async def invoke_and_shorten(run: ToolContext[Any], arguments: str) -> Any:
        result = await invoke(run, arguments)
        return await context.store.driver.leave_loop(shorten, result)

    offloaded.on_invoke_tool = invoke_and_shorten
    return offloaded
