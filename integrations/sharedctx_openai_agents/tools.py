"""Function tools of the SDK: the shared context's own, and any other with its large results kept in the context."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError
from sharedctx.extras import extra
from sharedctx.opening import check_context
from sharedctx.outputs import Outputs, check_view_tokens, is_retrieved
from sharedctx.tools import TOOLS
from sharedctx.tools.names import chosen

with extra("openai-agents", "context_tools"):
    from agents import FunctionTool
    from agents.tool_context import ToolContext

from .filters import FACE
from .results import with_texts

_log = logging.getLogger("sharedctx.openai_agents")
NAMES = ("list", "read", "write", "delete", "expand", "search")


def context_tools(
    context: SharedContext, participant: str | None = None, *, names: Sequence[str] = NAMES, prefix: str = ""
) -> list[FunctionTool]:
    """Return the shared context's tools for one agent, with strict schemas; errors are text for the model.

    ``participant`` is who the agent's reads and writes count for (a bound context has its own). ``names`` chooses among
    list, read, write, delete, expand, search and history; ``prefix`` goes before their names where an agent has others
    of the same, as in ``context_``. Raises ``ConfigError``, ``Forbidden``.
    """
    check_context(context)
    who = context.participant if participant is None else participant
    if who is None:
        raise ConfigError("context_tools needs to know who acts: pass a participant, or a bound context")
    named = chosen(names, prefix)
    bound = AsyncSharedContext.over(context.bind(who, face=FACE))
    return [_function_tool(bound, name, told) for name, told in named.items()]


def _function_tool(context: AsyncSharedContext, name: str, told: str) -> FunctionTool:
    tool = TOOLS[name]

    async def invoke(_: ToolContext[Any], arguments: str) -> str:
        return (await tool.acall(context, arguments)).text

    return FunctionTool(
        name=told,
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
    stay; of objects and lists the view is that of their JSON. What cannot be shortened is logged and given whole. The
    tool that was passed stays as it was. Raises ``ConfigError`` for a tool whose output has a schema, which a view
    would not fit.
    """
    check_view_tokens("max_tokens", max_tokens)
    if not isinstance(tool, FunctionTool):
        raise ConfigError(f"{type(tool).__name__} is no function tool: only those can be offloaded")
    if getattr(tool, "output_json_schema", None) is not None:
        raise ConfigError(f"the tool {tool.name!r} promises JSON of a schema: its output cannot become a view")
    outputs = Outputs(context, participant, face=FACE)
    offloaded = copy.copy(tool)
    invoke = offloaded.on_invoke_tool

    def shorten(text: str) -> str | None:
        made = outputs.shorten(tool.name, text, max_tokens)
        return None if made is None else made.text

    async def invoke_and_shorten(run: ToolContext[Any], arguments: str) -> Any:
        result = await invoke(run, arguments)
        if isinstance(result, str) and is_retrieved(tool.name, arguments, result):
            return result
        try:
            return await context.store.driver.leave_loop(with_texts, result, shorten)
        except Exception:
            _log.exception("what %s returned could not be shortened: it is given as it is", tool.name)
            return result

    offloaded.on_invoke_tool = invoke_and_shorten
    return offloaded
