"""A budget for a whole input: the oldest outputs give way to a line each."""

from __future__ import annotations

from collections import deque
from typing import Any

from sharedctx.outputs import Outputs

from .items import Calls, is_output, texts, with_output

_ROOM = 0.75
"""The share of the budget that is left after outputs gave way, so that not every call changes old items again."""
_SHORT = 60
"""Outputs of fewer tokens are not worth a line that costs as many."""


def within(items: list[Any], calls: Calls, budget: int, outputs: Outputs) -> list[Any]:
    """Return the items with old outputs replaced by a reference, so that all together cost at most ``budget`` tokens.

    It is as if the input had grown item by item: what gave way at an earlier call has given way at every later one, so
    that the beginning of the input changes only when there is no more room. Nothing else is ever removed.
    """
    made = list(items)
    costs: list[int] = []
    old: deque[int] = deque()
    total = 0
    for at, item in enumerate(items):
        costs.append(_cost(item, outputs))
        total += costs[at]
        if is_output(item) and costs[at] > _SHORT:
            old.append(at)
        if total <= budget:
            continue
        while old and total > _ROOM * budget:
            place = old.popleft()
            made[place] = with_output(made[place], calls, lambda tool, text: outputs.stub(tool, text) or text)
            cost = _cost(made[place], outputs)
            total += cost - costs[place]
            costs[place] = cost
    return made


def _cost(item: Any, outputs: Outputs) -> int:
    return sum(map(outputs.tokens, texts(item)))
