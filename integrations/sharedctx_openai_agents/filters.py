"""Filters of the SDK: what the next agent is given at a hand-off, and what any model is given at each call."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sharedctx.context import SharedContext
from sharedctx.errors import SharedContextError
from sharedctx.extras import extra
from sharedctx.outputs import Outputs, Shortened, Unseen, check_view_tokens
from sharedctx.outputs.budget import within
from sharedctx.settings import check_bound

from .items import Calls, is_message, is_output, texts, with_content, with_output

with extra("openai-agents", "ContextHandoffFilter"):
    from agents.items import MessageOutputItem, RunItem, ToolCallOutputItem
    from agents.run_config import ModelInputData

if TYPE_CHECKING:
    from agents import HandoffInputData
    from agents.run_config import CallModelData

    from .ahead import ViewsAhead

FACE = "openai_agents"
_log = logging.getLogger("sharedctx.openai_agents")
_Asked = tuple[str, str, int | None]
"""A tool's name, what it returned, and the most tokens of its view."""


class OutputFilter:
    """What both filters do with the outputs of tools: store the large ones and put their views in their place.

    Raises ``ConfigError`` when made with odd numbers.
    """

    def __init__(
        self,
        context: SharedContext,
        *,
        max_tokens: int | None = 300,
        keep_last: int = 0,
        max_message_tokens: int | None = None,
        participant: str | None = None,
    ) -> None:
        check_view_tokens("max_tokens", max_tokens)
        check_view_tokens("max_message_tokens", max_message_tokens)
        check_bound("keep_last", keep_last, 0)
        self._outputs = Outputs(context, participant, face=FACE)
        self._max_tokens = max_tokens
        self._keep_last = keep_last
        self._max_message_tokens = max_message_tokens

    def hooks(self) -> ViewsAhead:
        """Return run hooks that store outputs and make their views when tools end, while others still run: the filter
        then finds them ready. Pass them to ``Runner.run(hooks=...)``."""
        from .ahead import ViewsAhead

        return ViewsAhead(self._outputs, self._max_tokens)

    async def _shortened(self, items: list[Any], calls: Calls) -> list[Any]:
        """Return input items with their large outputs (and messages) replaced; the latest ``keep_last`` stay."""
        asked: list[_Asked] = []

        def note(tool: str, text: str, max_tokens: int | None) -> str:
            asked.append((tool, text, max_tokens))
            return text

        self._with(items, calls, note)
        given = iter(await self._texts(asked))
        return self._with(items, calls, lambda *_: next(given))

    def _with(self, items: list[Any], calls: Calls, shorten: Callable[[str, str, int | None], str]) -> list[Any]:
        """The items with what ``shorten`` gives for a tool, a text and the most tokens of its view."""
        outputs = [at for at, item in enumerate(items) if is_output(item)]
        kept = set(outputs[len(outputs) - self._keep_last :]) if self._keep_last else set()
        limit = self._max_message_tokens

        def shorter(item: Any) -> Any:
            if is_output(item):
                return with_output(item, calls, lambda tool, text: shorten(tool, text, self._max_tokens))
            if limit is not None and is_message(item):
                return with_content(item, lambda _, text: shorten("message", text, limit))
            return item

        return [item if at in kept else shorter(item) for at, item in enumerate(items)]

    async def _texts(self, asked: Sequence[_Asked]) -> list[str]:
        """What a model is given for each text: at once where it was seen and the store is on this machine. To make a
        view takes long, and so may a question over a network: those leave the event loop, together."""
        outputs, store = self._outputs, self._outputs.context.store
        made: dict[int, Shortened | None] = {}
        if store.backend.local:
            for at, one in enumerate(asked):
                with suppress(Unseen, SharedContextError):  # which is logged where it is met again
                    made[at] = outputs.recall(*one)
        left = [at for at in range(len(asked)) if at not in made]
        if left:
            found = await store.driver.leave_loop(lambda: [outputs.shorten(*asked[at]) for at in left])
            made.update(zip(left, found, strict=True))
        return [text if (view := made[at]) is None else view.text for at, (_, text, _) in enumerate(asked)]


class ContextHandoffFilter(OutputFilter):
    """Gives the next agent views of large tool outputs, which stay whole in the context: an ``input_filter``.

    Pass it to ``handoff(input_filter=...)`` or ``RunConfig(handoff_input_filter=...)``. An output of more than
    ``max_tokens`` becomes its view within that many tokens (None: as many as its kind of content needs), whose markers
    the next agent redeems with the tools of ``context_tools``; the latest ``keep_last`` outputs stay whole (and are
    shortened at a later hand-off, which breaks a prompt cache there). With ``max_message_tokens`` long messages of
    users and assistants are shortened, too. The same history becomes the same bytes at each hand-off. Sessions and
    results keep the full text. What ``expand`` and ``read`` returned is not shortened again.

    Whatever fails here is logged, and the history handed over as it is. Raises ``ConfigError`` when made with odd
    numbers.
    """

    async def __call__(self, data: HandoffInputData) -> HandoffInputData:
        """Return the hand-off's data with the model's part of it shortened; views are made off the event loop."""
        try:
            return await self._filtered(data)
        except Exception:
            _log.exception("the hand-off filter failed: the history is handed over as it is")
            return data

    async def _filtered(self, data: HandoffInputData) -> HandoffInputData:
        history = data.input_history
        past: list[Any] = [{"role": "user", "content": history}] if isinstance(history, str) else list(history)
        given = data.new_items if data.input_items is None else data.input_items
        runs = (*data.pre_handoff_items, *given)
        calls = Calls([*past, *(item.raw_item for item in runs)])
        plain = [*past, *(_raw(item) for item in runs)]
        made = await self._shortened(plain, calls)
        if all(new is old for new, old in zip(made, plain, strict=True)):
            return data
        after = tuple(
            item if new is old else _with_raw(item, new)
            for item, new, old in zip(runs, made[len(past) :], plain[len(past) :], strict=True)
        )
        middle = len(data.pre_handoff_items)
        said = made[: len(past)]
        return data.clone(
            input_history=said[0]["content"] if isinstance(history, str) else tuple(said),
            pre_handoff_items=after[:middle],
            input_items=after[middle:],
        )


class ContextInputFilter(OutputFilter):
    """Keeps the input of every model call within bounds while a run grows: a ``call_model_input_filter``.

    Large outputs become views as in ``ContextHandoffFilter``. With ``max_input_tokens`` the whole input with its
    instructions is kept within that many tokens: the oldest outputs give way to one line each that names the reference.
    That happens in steps down to three quarters of the budget, so that between them a prompt cache keeps
    working. Messages and calls are never removed: where they alone are over the budget, so is the input.
    """

    def __init__(
        self,
        context: SharedContext,
        *,
        max_tokens: int | None = 300,
        max_input_tokens: int | None = None,
        keep_last: int = 0,
        max_message_tokens: int | None = None,
        participant: str | None = None,
    ) -> None:
        super().__init__(
            context,
            max_tokens=max_tokens,
            keep_last=keep_last,
            max_message_tokens=max_message_tokens,
            participant=participant,
        )
        if max_input_tokens is not None:
            check_bound("max_input_tokens", max_input_tokens)
        self._max_input_tokens = max_input_tokens

    async def __call__(self, data: CallModelData[Any]) -> ModelInputData:
        """Return the model's input with large outputs shortened, in views made off the event loop; unchanged, with a
        log line, when that fails."""
        try:
            return await self._filtered(data.model_data)
        except Exception:
            _log.exception("the input filter failed: the model is given its input as it is")
            return data.model_data

    async def _filtered(self, given: ModelInputData) -> ModelInputData:
        calls = Calls(given.input)
        made = await self._shortened(list(given.input), calls)
        if self._max_input_tokens is not None:
            leave = self._outputs.context.store.driver.leave_loop
            made = await leave(self._within, made, calls, self._max_input_tokens, given.instructions or "")
        return ModelInputData(input=made, instructions=given.instructions)

    def _within(self, items: list[Any], calls: Calls, most: int, instructions: str) -> list[Any]:
        """Return the items within a budget of tokens, which the instructions share: the oldest outputs give way to a
        line each."""
        budget = most - self._outputs.tokens(instructions)

        def line(item: Any) -> Any:
            return with_output(item, calls, lambda tool, text: self._outputs.stub(tool, text, self._max_tokens) or text)

        def cost(item: Any) -> int:
            return sum(map(self._outputs.tokens, texts(item)))

        return within(items, budget, cost=cost, gives=is_output, line=line)


def _raw(item: RunItem) -> Any:
    """The part of a run's item that may be shortened, as plain data; what must stay is shown as nothing."""
    if isinstance(item, ToolCallOutputItem):
        return item.raw_item
    return item.to_input_item() if isinstance(item, MessageOutputItem) else None


def _with_raw(item: RunItem, raw: Any) -> RunItem:
    """A copy of the item that gives the model something else; the item itself, its tool's output and agent stay."""
    changed = copy.copy(item)
    changed.raw_item = item.raw_item.__class__(**raw) if isinstance(item, MessageOutputItem) else raw
    return changed
