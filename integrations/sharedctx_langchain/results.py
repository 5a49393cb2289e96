"""Results of tools in messages: the large ones stored whole, and their views in their place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError
from sharedctx.extras import extra
from sharedctx.outputs import Outputs, check_view_tokens, is_retrieved
from sharedctx.settings import check_bound
from sharedctx.views.plain import LEAST_TOKENS

from .tools import FACE, is_ours
from .turns import Turn, Turns

with extra("langchain", "ContextOffloadMiddleware"):
    from langchain_core.messages import ToolMessage
    from langgraph.types import Command


class Results:
    """Shortens results, of each turn to at most ``max_tokens`` together."""

    def __init__(self, context: SharedContext, max_tokens: int, participant: str | None) -> None:
        check_bound("max_tokens", max_tokens)
        check_view_tokens("max_tokens", max_tokens)
        self.outputs = Outputs(context, participant, face=FACE)
        self.max_tokens = max_tokens

    def shortened(self, message: ToolMessage, tool: str, arguments: Any, turn: Turn, turns: Turns) -> ToolMessage:
        """Return the message with its text as a view within the turn's share; the same one where that is not needed.

        Only the content changes: name, ids, status, artifact and metadata stay, as do images and files.
        """
        whole = text_of(message)
        if is_ours(message.artifact) or is_retrieved(tool, arguments, whole):
            turns.spend(turn, message.tool_call_id, 0)
            return message
        view = self._view(tool, whole, turns.share(turn, message.tool_call_id))
        turns.spend(turn, message.tool_call_id, self.outputs.tokens(whole if view is None else view))
        return message if view is None else with_text(message, view)

    def _view(self, tool: str, text: str, share: int) -> str | None:
        if share >= LEAST_TOKENS:
            made = self.outputs.shorten(tool, text, share)
            return None if made is None else made.text
        return self.outputs.stub(tool, text) if self.outputs.tokens(text) > LEAST_TOKENS else None


def check_names(exclude_tools: Collection[str]) -> frozenset[str]:
    """Return the names of tools; raises ``ConfigError`` for one text, whose letters would count as names."""
    if isinstance(exclude_tools, str) or not all(isinstance(name, str) for name in exclude_tools):
        raise ConfigError(f"exclude_tools {exclude_tools!r:.80} is no list of names: write ['NAME', ...]")
    return frozenset(exclude_tools)


def text_of(message: Any) -> str:
    """Return what a message says: its text, or the texts among its blocks, one after the other."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(text for text in map(_text, message.content) if text is not None)


def with_text(message: ToolMessage, text: str) -> ToolMessage:
    """Return a copy that says ``text``, in place of the first of its texts; blocks of other kinds stay."""
    content: Any = text
    if not isinstance(message.content, str):
        content = []
        for block in message.content:
            if _text(block) is None:
                content.append(block)
            elif text:
                content.append(text if isinstance(block, str) else {**block, "text": text})
                text = ""
    return message.model_copy(update={"content": content})


def _text(block: Any) -> str | None:
    if isinstance(block, Mapping):
        block = block.get("text") if block.get("type") == "text" else None
    return block if isinstance(block, str) else None


def changed(result: Any, change: Callable[[ToolMessage], ToolMessage]) -> Any:
    """Return what a tool gave (a message, a command that updates messages, or several of them) with its tool messages
    changed; the same object where none is."""
    if isinstance(result, ToolMessage):
        return change(result)
    if isinstance(result, Command):
        update = changed(result.update, change)
        return result if update is result.update else dataclasses.replace(result, update=update)
    if isinstance(result, dict):
        messages = changed(result.get("messages"), change)
        return result if messages is result.get("messages") else {**result, "messages": messages}
    if isinstance(result, list):
        made = [changed(each, change) for each in result]
        return result if all(new is old for new, old in zip(made, result, strict=True)) else made
    return result
