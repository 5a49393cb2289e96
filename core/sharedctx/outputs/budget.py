"""A budget for a whole input: the oldest outputs give way to a line each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_ROOM = 0.75
"""The share of the budget that is left after outputs gave way, so that not every call changes old items again."""
_SHORT = 60
"""Outputs of fewer tokens are not worth a line that costs as many."""


def within(
    items: Iterable[T], budget: int, *, cost: Callable[[T], int], gives: Callable[[T], bool], line: Callable[[T], T]
) -> list[T]:
    """Return the items with old outputs replaced by a reference, so that all together cost at most ``budget`` tokens.

    ``cost`` counts an item's tokens, ``gives`` tells whether it may give way, ``line`` makes what stands for it then.
    It is as if the input had grown item by item: what gave way at an earlier call has given way at every later one, so
    that the beginning of the input changes only when there is no more room. Nothing else is ever removed.
    """
    made = list(items)
    costs: list[int] = []
    old: deque[int] = deque()
    total = 0
    for at, item in enumerate(made):
        costs.append(cost(item))
        total += costs[at]
        if gives(item) and costs[at] > _SHORT:
            old.append(at)
        if total <= budget:
            continue
        while old and total > _ROOM * budget:
            place = old.popleft()
            made[place] = line(made[place])
            less = cost(made[place])
            total += less - costs[place]
            costs[place] = less
    return made
