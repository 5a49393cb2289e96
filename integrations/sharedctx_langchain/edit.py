"""ContextEdit: views in place of large tool results at each call of a model, for ContextEditingMiddleware."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sharedctx.context import SharedContext
from sharedctx.entries.arguments import check_number
from sharedctx.extras import extra
from sharedctx.outputs import is_retrieved
from sharedctx.outputs.budget import within
from sharedctx.settings import check_bound
from sharedctx.views.view import Marks
from sharedctx.wire import part, parts

from .results import Results, check_names, text_of, with_text
from .turns import Turns, turn_of

with extra("langchain", "ContextEdit"):
    from langchain.agents.middleware import AgentMiddleware, ContextEditingMiddleware
    from langchain_core.messages import ToolMessage

_log = logging.getLogger("sharedctx.langchain")


class ContextEdit:
    """An edit that keeps what a model is given small while the agent's own state keeps everything.

    ``ContextEdit(ctx).middleware()``, or ``ContextEditingMiddleware(edits=[ContextEdit(ctx)])``, which makes views on
    the event loop where there is one. Large results become views as by
    ``ContextOffloadMiddleware``, with the same budget ``max_tokens`` for the results of one message; the latest
    ``keep`` results stay whole. With ``max_input_tokens`` all messages together are kept within so many tokens: the
    oldest results give way to one line each that names the reference, in steps down to three quarters of the budget,
    so that between them a prompt cache keeps working. Nothing is done while the messages have at most ``trigger``
    tokens. The agent needs the tools of ``ContextToolkit``, or at least ``context_expand``, to read what was left out.

    Whatever fails here is logged, and the messages stay as they are. Raises ``ConfigError`` or
    ``InvalidValue`` when made with odd numbers.
    """

    def __init__(
        self,
        context: SharedContext,
        *,
        max_tokens: int = 150,
        max_input_tokens: int | None = None,
        keep: int = 0,
        trigger: int = 0,
        participant: str | None = None,
        exclude_tools: Sequence[str] = (),
    ) -> None:
        if max_input_tokens is not None:
            check_bound("max_input_tokens", max_input_tokens)
        self._results = Results(context, max_tokens, participant)
        self._max_input_tokens = max_input_tokens
        self._keep = check_number("keep", keep)
        self._trigger = check_number("trigger", trigger)
        self._excluded = check_names(exclude_tools)

    def middleware(self) -> AgentMiddleware[Any, Any, Any]:
        """Return LangChain's middleware of this edit, which leaves the event loop for it: the first view of a large
        result takes long."""
        return _Editing(self, self._results.outputs.context)

    def apply(self, messages: list[Any], *, count_tokens: Callable[[Sequence[Any]], int]) -> None:
        """Replace large results in the list; the messages themselves stay as they were."""
        if self._trigger and count_tokens(messages) <= self._trigger:
            return
        try:
            messages[:] = self._edited(messages)
        except Exception:
            _log.exception("the edit failed: the model is given its messages as they are")

    def _edited(self, messages: list[Any]) -> list[Any]:
        calls = {str(part(call, "id")): call for message in messages for call in parts(message, "tool_calls")}
        made = list(messages)
        places = [at for at, message in enumerate(messages) if self._may_change(message, calls)]
        places = places[: max(len(places) - self._keep, 0)]
        cost = self._results.outputs.tokens
        turns = Turns(self._results.max_tokens)
        for at in sorted(places, key=lambda at: cost(text_of(messages[at]))):  # the small ones leave room to the others
            message = messages[at]
            call = calls.get(message.tool_call_id)
            turn = turn_of(messages[:at], message.tool_call_id)
            made[at] = self._results.shortened(message, _tool(message, call), part(call, "args"), turn, turns)
        if self._max_input_tokens is None:
            return made
        may = {id(made[at]) for at in places}
        return within(
            made,
            self._max_input_tokens,
            cost=lambda message: sum(map(cost, _texts(message))),
            gives=lambda message: id(message) in may,
            line=lambda message: self._line(message, calls.get(message.tool_call_id)),
        )

    def _may_change(self, message: Any, calls: dict[str, Any]) -> bool:
        if not isinstance(message, ToolMessage):
            return False
        return _tool(message, calls.get(message.tool_call_id)) not in self._excluded

    def _line(self, message: ToolMessage, call: Any) -> ToolMessage:
        """The message as one line; of what was read from the context before, the line names where it stands."""
        tool, arguments, text = _tool(message, call), part(call, "args"), text_of(message)
        if is_retrieved(tool, arguments, text):
            marks = Marks(arguments["key"], arguments.get("version"))
            what = f"output of {self._results.outputs.tokens(text)} tokens"
            return with_text(message, marks.omitted(what, arguments.get("ref", "all")))
        line = self._results.outputs.stub(tool, text)
        return message if line is None else with_text(message, line)


class _Editing(ContextEditingMiddleware):
    def __init__(self, edit: ContextEdit, context: SharedContext) -> None:
        super().__init__(edits=[edit])
        self._context = context

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        edit: Callable[..., Any] = self.wrap_model_call
        return await handler(await self._context.store.driver.leave_loop(edit, request, lambda edited: edited))


def _tool(message: ToolMessage, call: Any) -> str:
    return str(message.name or part(call, "name") or "tool")


def _texts(message: Any) -> list[str]:
    """What counts of a message: what it says and calls."""
    return [text_of(message), *(f"{call['name']} {call['args']}" for call in parts(message, "tool_calls"))]
