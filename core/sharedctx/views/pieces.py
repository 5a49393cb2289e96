"""A value cut into numbered units (lines of a text, rows of a table), of which a view keeps some."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .view import Marks

_NOTABLE = re.compile(r"\b(error|fatal|panic|exception|traceback|fail(ed|ure)?|critical|denied|refused|timeout)", re.I)
_SCANNED = 4096


def words(query: str | None) -> list[str]:
    """The words of a query, in lower case."""
    return re.findall(r"\w+", query.lower()) if query else []


def score(unit: str, wanted: Sequence[str]) -> int:
    """How much a unit matters: query words first, then signs of trouble."""
    text = unit[:_SCANNED]
    found = 0
    if wanted:
        low = unit.lower()
        found = 10 * sum(word in low for word in wanted)
    return found + (1 if _NOTABLE.search(text) else 0)


def select(
    units: Sequence[str], budget: int, count: Callable[[str], int], wanted: Sequence[str], marker_cost: int
) -> list[int]:
    """Choose units within ``budget`` tokens: a head and a tail, then what matters most; indexes in order."""
    costs = [count(unit) + 1 for unit in units]
    scores = [score(unit, wanted) for unit in units]
    chosen: set[int] = set()
    left = budget

    def take(index: int, share: float) -> bool:
        nonlocal left
        extra = 0 if index - 1 in chosen or index + 1 in chosen else marker_cost
        if costs[index] + extra > left or budget - left + costs[index] + extra > share * budget:
            return False
        if index not in chosen:
            chosen.add(index)
            left -= costs[index] + extra
        return True

    top = sorted((index for index, found in enumerate(scores) if found), key=lambda index: (-scores[index], index))
    first, last = 0, len(units) - 1
    share = 0.5 if top else 1.0
    while first <= last:
        if not take(first, share):
            break
        if last > first and not take(last, share):
            break
        first, last = first + 1, last - 1
    for index in top:
        take(index, 1.0)
    return sorted(chosen)


def assemble(
    units: Sequence[str], chosen: Sequence[int], marks: Marks, unit: str, first: int
) -> tuple[list[str], list[str]]:
    """Return the kept units with markers in the gaps, and the references; ``first`` numbers the first unit."""
    pieces: list[str] = []
    refs: list[str] = []
    at = 0
    for index in [*chosen, len(units)]:
        if index > at:
            a, b = at + first, index - 1 + first
            ref = f"{unit}:{a}-{b}"
            refs.append(marks.ref(ref))
            pieces.append(marks.omitted(f"{unit} {a}-{b}", ref))
        if index < len(units):
            pieces.append(units[index])
        at = index + 1
    return pieces, refs
