"""The shared context as tools of crewai's agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sharedctx import SharedContext
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.tools import TOOLS, Tool

with extra("crewai", "the tools of crewai's agents"):
    from crewai.tools import BaseTool
    from pydantic import BaseModel, Field, PrivateAttr, create_model

_TYPES: dict[str, type] = {"string": str, "integer": int}


class ContextTool(BaseTool):
    """One tool of the shared context, for the participant that its context is bound to."""

    _context: SharedContext = PrivateAttr()
    _tool: Tool = PrivateAttr()

    def _run(self, **arguments: Any) -> str:
        return self._tool.call(self._context, arguments).text


def _schema(tool: Tool) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for argument in tool.arguments:
        kind = _TYPES[argument.type]
        if argument.required:
            fields[argument.name] = (kind, Field(description=argument.description))
        else:
            fields[argument.name] = (kind | None, Field(default=None, description=argument.description))
    return create_model(f"{tool.name.title()}Arguments", **fields)


def ContextTools(context: SharedContext, names: Sequence[str] = ("list", "read", "write", "expand")) -> list[BaseTool]:
    """Return tools for crewai's agents: ``Agent(tools=ContextTools(ctx.bind("agent:writer")))``.

    ``names`` are of ``sharedctx.tools.TOOLS``. Who acts is fixed by the context, never by an argument; errors are text
    for the model. Raises ``InvalidValue`` for other names and for no context.
    """
    if not isinstance(context, SharedContext):
        raise InvalidValue(f"{type(context).__name__} is no SharedContext: pass one, such as store.session()")
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise InvalidValue(f"{names!r:.60} is no list of tools: choose of {', '.join(TOOLS)}")
    if unknown := [name for name in names if name not in [*TOOLS]]:
        raise InvalidValue(f"{unknown!r} are no tools: choose of {', '.join(TOOLS)}")
    if context.participant is not None:
        context = context.bind(context.participant, face="crewai")
    made: list[BaseTool] = []
    for name in names:
        tool = TOOLS[name]
        one = ContextTool(name=tool.name, description=tool.description, args_schema=_schema(tool))
        one._context, one._tool = context, tool
        made.append(one)
    return made
