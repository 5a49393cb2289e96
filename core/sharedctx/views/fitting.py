"""Choosing what fits a budget: units by rank, and the loop that tightens a draft until it is within."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .kind import Brief, Draft
from .pieces import score

_TRIES = 6
_FULL = 0.85
"""A first try that uses less than this share of the budget is followed by one with more."""


def afford(costs: Sequence[float], ranks: Sequence[float], budget: float) -> set[int]:
    """Choose units by falling rank, earlier ones first, while their costs fit; a rank below 0 is never chosen."""
    chosen: set[int] = set()
    for index in sorted(range(len(costs)), key=lambda index: (-ranks[index], index)):
        if ranks[index] < 0:
            break
        if costs[index] <= budget:
            chosen.add(index)
            budget -= costs[index]
    return chosen


def within(brief: Brief, budget: int, draft: Callable[[float], Draft]) -> Draft:
    """Return ``draft(tokens)`` for a share of the budget whose text is within it by the brief's counter.

    Each miss lowers the share by what was over; the last try is with nothing.
    """
    share = 1.0
    for _ in range(_TRIES):
        made = draft(budget * share)
        used = brief.count(made.text)
        if used <= budget:
            more = (
                draft(budget * share * 0.95 * budget / max(used, 1)) if share == 1 and used < _FULL * budget else made
            )
            return more if brief.count(more.text) <= budget else made
        share *= min(0.95 * budget / used, 0.9)
    return draft(0)


def rate(text: str, brief: Brief) -> float:
    """How many tokens one character of this text costs, from one count of at most 20,000 characters of it."""
    sample = text[:20_000]
    return max(brief.count(sample), 1) / max(len(sample), 1)


def relevance(text: str, brief: Brief) -> int:
    """How much a unit matters to the brief: 0 for nothing special; query words count most, then signs of trouble."""
    return score(text, brief.wanted)


def wanted(text: str, brief: Brief) -> int:
    """How many of the query's words a unit has."""
    if not brief.wanted:
        return 0
    low = text.lower()
    return sum(word in low for word in brief.wanted)
