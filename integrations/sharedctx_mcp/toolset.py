"""The shared context's tools in the words of the protocol."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sharedctx.aio import AsyncSharedContext
from sharedctx.errors import Internal, InvalidAction
from sharedctx.tools import TOOLS, Answer
from sharedctx.tools.paging import paged

from .settings import McpSettings

_TITLES = {
    "list": "List the shared context",
    "read": "Read an entry",
    "write": "Write an entry",
    "delete": "Remove an entry",
    "expand": "Read what a view left out",
    "search": "Search the shared context",
    "history": "See an entry's versions",
}
_WRITING = frozenset({"write", "delete"})
_DESTRUCTIVE = frozenset({"delete"})
_log = logging.getLogger("sharedctx.mcp")


class Toolset:
    """The tools that one server offers; what a call raises is text for the model, in a result that says so."""

    def __init__(self, settings: McpSettings) -> None:
        left_out = _WRITING if settings.read_only else frozenset() if settings.allow_delete else _DESTRUCTIVE
        self._tools = {settings.prefix + name: tool for name, tool in TOOLS.items() if name not in left_out}
        self._max_tokens = settings.max_tokens

    def described(self) -> list[dict[str, Any]]:
        """Return what a client lists: names, schemas, and hints of what a call may do."""
        return [
            {
                "name": name,
                "title": _TITLES[tool.name],
                "description": tool.description,
                "inputSchema": tool.schema(),
                "annotations": {
                    "title": _TITLES[tool.name],
                    "readOnlyHint": tool.name not in _WRITING,
                    "destructiveHint": tool.name in _DESTRUCTIVE,
                    "idempotentHint": tool.name not in _WRITING,
                    "openWorldHint": False,
                },
            }
            for name, tool in self._tools.items()
        ]

    async def call(self, context: AsyncSharedContext, name: str, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
        """Call a tool; the answer, or the error, is text for the model."""
        tool = self._tools.get(name)
        if tool is None:
            error = InvalidAction(f"there is no tool {name!r:.80}: use {', '.join(self._tools)}")
            return _result(Answer(f"{error.code}: {error.message}", error.code))
        try:
            return _result(await tool.acall(context, paged(tool, arguments or {}, self._max_tokens)))
        except Exception as failure:
            _log.exception("the tool %s failed", name)
            return _result(
                Answer(
                    f"{Internal.code}: {name} failed ({type(failure).__name__}): see the server's log", Internal.code
                )
            )


def _result(answer: Answer) -> dict[str, Any]:
    text = answer.text.encode("utf-8", "replace").decode()  # a lone surrogate has no spelling on the wire
    return {"content": [{"type": "text", "text": text}], "isError": answer.error is not None}
