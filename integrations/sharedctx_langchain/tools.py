"""The shared context as tools of LangChain's agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import check_context
from sharedctx.outputs import check_view_tokens
from sharedctx.tools import TOOLS, Answer, Tool
from sharedctx.tools.names import chosen
from sharedctx.tools.paging import paged
from sharedctx.views import split_version

with extra("langchain", "ContextToolkit"):
    from langchain_core.tools import BaseTool, ToolException
    from langchain_core.tools.base import BaseToolkit
    from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, WithJsonSchema, create_model

FACE = "langchain"
MARK = "sharedctx"
"""The name in an artifact that says whose it is."""
NAMES = ("list", "read", "write", "delete", "expand", "search")
PREFIX = "context_"


class ContextTool(BaseTool):
    """One tool of the shared context, for the participant that its context is bound to.

    A result's artifact is ``{"sharedctx": {"session", "key", "version"}}``, as much of it as the call is about: a
    reference, never the text. Errors are text for the model, in messages of status "error".
    """

    _context: AsyncSharedContext = PrivateAttr()
    _tool: Tool = PrivateAttr()
    _most: int = PrivateAttr()

    def _run(self, **arguments: Any) -> tuple[str, dict[str, Any]]:
        given = paged(self._tool, arguments, self._most)
        return self._told(given, self._tool.call(self._context.sync, given))

    async def _arun(self, **arguments: Any) -> tuple[str, dict[str, Any]]:
        given = paged(self._tool, arguments, self._most)
        return self._told(given, await self._tool.acall(self._context, given))

    def _told(self, given: Mapping[str, Any], answer: Answer) -> tuple[str, dict[str, Any]]:
        if answer.error is not None:
            raise ToolException(answer.text)
        about: dict[str, Any] = {"session": self._context.sync.session}
        if "key" in given:
            about["key"] = given["key"]
        version = split_version(given["ref"])[0] if "ref" in given else given.get("version")
        if version is not None:
            about["version"] = version
        return answer.text, {MARK: about}


def is_ours(artifact: Any) -> bool:
    """Whether an artifact is that of a tool of the shared context."""
    return isinstance(artifact, Mapping) and MARK in artifact


def context_tool(context: SharedContext, name: str, *, named: str | None = None, max_tokens: int) -> ContextTool:
    """Return one tool of a bound context; what it reads is cut to pages of ``max_tokens``."""
    tool = TOOLS[name]
    made = ContextTool(
        name=named or PREFIX + name,
        description=tool.description,
        args_schema=_schema(tool),
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=lambda error: _explained(tool, error),
    )
    made._context, made._tool, made._most = AsyncSharedContext.over(context), tool, max_tokens
    return made


def _schema(tool: Tool) -> type[BaseModel]:
    """The arguments as a pydantic model; a value may be any JSON, though the model is asked for text."""
    from typing import Annotated

    kinds: dict[str, Any] = {"string": str, "integer": int}
    fields: dict[str, Any] = {}
    for argument in tool.arguments:
        kind = kinds[argument.type]
        if argument.name == "value":
            kind = Annotated[Any, WithJsonSchema({"type": argument.type})]
        if argument.required:
            fields[argument.name] = (kind, Field(description=argument.description))
        else:
            fields[argument.name] = (kind | None, Field(default=None, description=argument.description))
    return create_model(f"{tool.name.title()}Arguments", __config__=ConfigDict(extra="forbid"), **fields)


def _explained(tool: Tool, error: Any) -> str:
    """What a model is told of arguments that do not fit."""
    known = {argument.name: argument.description for argument in tool.arguments}
    faults = error.errors() if isinstance(error, ValidationError) else []
    told = []
    for fault in faults:
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if name in known:
            told.append(f"{name}: {fault['msg'].lower()} ({known[name]})")
        else:
            told.append(f"{tool.name} takes no {name!r}: it takes {', '.join(known)}")
    return f"{InvalidValue.code}: {'; '.join(told) or error}"


class ContextToolkit(BaseToolkit):
    """The shared context's tools for one agent: ``create_agent(model, ContextToolkit(ctx, "coder").get_tools())``.

    ``participant`` is who the agent's reads and writes count for (a bound context has its own). ``names`` chooses among
    list, read, write, delete, expand, search and history; ``prefix`` goes before their names. What is read is cut to
    pages of ``max_tokens``, whatever the model asks for. Raises ``ConfigError``, ``Forbidden``.
    """

    _tools: list[ContextTool] = PrivateAttr()

    def __init__(
        self,
        context: SharedContext,
        participant: str | None = None,
        *,
        names: Sequence[str] = NAMES,
        prefix: str = PREFIX,
        max_tokens: int = 2000,
    ) -> None:
        super().__init__()
        check_context(context)
        who = context.participant if participant is None else participant
        if who is None:
            raise ConfigError("ContextToolkit needs to know who acts: pass a participant, or a bound context")
        named = chosen(names, prefix)
        check_view_tokens("max_tokens", max_tokens)
        bound = context.bind(who, face=FACE)
        self._tools = [context_tool(bound, name, named=told, max_tokens=max_tokens) for name, told in named.items()]

    def get_tools(self) -> list[BaseTool]:
        """Return the tools, in the order of their names as given."""
        return list(self._tools)
