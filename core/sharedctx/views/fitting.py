"""Choosing what fits a budget: units by rank, and the loop that tightens a draft until it is within."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .kind import Brief, Draft
from .pieces import score, scores

_TRIES = 6
_FULL = 0.96
"""A draft that uses this share of the budget is good enough."""
_STEP = 1.5
_SHORT = 4000
"""Characters of a unit that is looked at as a whole."""


def by_rank(ranks: Sequence[float]) -> list[int]:
    """Return the places of units by falling rank, earlier ones first; a rank below 0 has none."""
    return sorted([index for index, rank in enumerate(ranks) if rank >= 0], key=lambda index: -ranks[index])


def afford(costs: Sequence[float], order: Sequence[int], budget: float) -> set[int]:
    """Choose units in an order, such as that of ``by_rank``, while their costs fit."""
    chosen: set[int] = set()
    least = min(costs, default=0.0)
    for index in order:
        if costs[index] <= budget:
            chosen.add(index)
            budget -= costs[index]
            if budget < least:
                break
    return chosen


def within(brief: Brief, budget: int, draft: Callable[[float], Draft]) -> Draft:
    """Return the ``draft(tokens)`` that uses most of the budget and is within it by the brief's counter.

    What the first ones cost tells how much to ask for; the last resort is a draft of nothing.
    """
    asked, fits, fails = float(budget), 0.0, math.inf
    best: Draft | None = None
    most = 0
    for _ in range(_TRIES):
        made = draft(asked)
        used = brief.count(made.text)
        if used > budget:
            fails = asked
        elif best is not None and used <= most:
            break  # there is no more to be shown
        else:
            best, most, fits = made, used, asked
            if used >= _FULL * budget:
                break
        aim = asked * 0.98 * budget / max(used, 1)
        asked = min(aim, asked * _STEP) if fails == math.inf else aim if fits < aim < fails else (fits + fails) / 2
    return best or draft(0)


def rate(text: str, brief: Brief) -> float:
    """How many tokens one character of this text costs; those of the original are counted already."""
    return max(brief.count(text), 1) / max(len(text), 1)


def relevance(text: str, brief: Brief) -> int:
    """How much a unit matters to the brief: 0 for nothing special; query words count most, then signs of trouble."""
    return score(text, brief.wanted)


def relevances(texts: Sequence[str], brief: Brief) -> list[int]:
    """The relevance of each unit; of many units at once this is much faster than one by one."""
    if max(map(len, texts), default=0) > _SHORT:
        return [score(text, brief.wanted) for text in texts]
    return scores(texts, brief.wanted)


def wanted(text: str, brief: Brief) -> int:
    """How many of the query's words a unit has."""
    if not brief.wanted:
        return 0
    low = text.lower()
    return sum(word in low for word in brief.wanted)
