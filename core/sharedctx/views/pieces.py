"""A value cut into numbered units (lines of a text, rows of a table), of which a view keeps some."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate, islice

from .view import Marks

_NOTABLE = (
    "error", "exception", "fatal", "panic", "traceback", "fail", "critical", "severe", "denied", "refused", "timeout",
    "timed out", "warn", "destroy", "must be replaced",
)  # fmt: skip
_ANYWHERE = ("error", "exception")  # as in ValueError
_SCANNED = 4096
_WORDS = 64
_BLANK = 3
_NUMBER = re.compile(r"\d+")
_REPEATING, _OFTEN, _FEW = 40, 5, 0.1


def words(query: str | None) -> list[str]:
    """The words of a query, in lower case, each once."""
    return list(islice(dict.fromkeys(re.findall(r"\w+", fold(query))), _WORDS)) if query else []


def fold(text: str) -> str:
    """The text in lower case, every character in its place (``str.lower`` makes two of one of them)."""
    return text.replace("\u0130", "I").lower()


def notable(low: str) -> list[tuple[int, int]]:
    """Return where the lines with a sign of trouble start and end, in a text in lower case.

    Word by word with ``str.find``, which is some ten times faster than one pattern for all.
    """
    lines: dict[int, int] = {}
    for word in _NOTABLE:
        at = low.find(word)
        while at >= 0:
            after = at + len(word)
            if word in _ANYWHERE or at == 0 or not (low[at - 1].isalnum() or low[at - 1] == "_"):
                after = low.find("\n", after)
                after = len(low) if after < 0 else after
                lines[low.rfind("\n", 0, at) + 1] = after
            at = low.find(word, after)
    return sorted(lines.items())


def evenly(units: Sequence[str], most: int) -> Sequence[str]:
    """At least ``most`` of many units, from the first to near the last; the step is odd, as lines often come in
    pairs."""
    return units[:: max(len(units) // most - 1, 0) | 1]


def lines_with(text: str, words: Sequence[str], first: int = 0) -> list[tuple[int, int]]:
    """Return where the lines from a place on that have one of the words start and end, in order; with ``""`` among them
    all lines."""
    lines: dict[int, int] = {}
    for word in words:
        at = text.find(word, first)
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            lines[text.rfind("\n", 0, at) + 1] = end
            at = text.find(word, end + 1) if end < len(text) else -1
    return sorted(lines.items())


def units_with(units: Sequence[str], words: Sequence[str], *, any_case: bool = False) -> list[int]:
    """Return which units have one of the words, in order; with ``any_case`` words in lower case stand for all cases.

    Word by word through all units at once, which is some ten times faster than a pattern on each.
    """
    joined = "\n".join(units)
    if any_case:
        joined = fold(joined).replace("\u0131", "i").replace("\u017f", "s")  # as patterns without case take them
    ends: list[int] = []
    found: set[int] = set()
    for word in words:
        at = joined.find(word)
        while at >= 0:
            ends = ends or list(accumulate([len(unit) + 1 for unit in units]))
            index = bisect_right(ends, at)
            found.add(index)
            at = joined.find(word, ends[index])
    return sorted(found)


def score(unit: str, wanted: Sequence[str]) -> int:
    """How much a unit matters: query words first, then signs of trouble."""
    found = 0
    if wanted:
        low = fold(unit)
        found = 10 * sum(word in low for word in wanted)
    return found + bool(notable(fold(unit[:_SCANNED])))


def scores(units: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """The score of each unit; of many units at once this is much faster than one by one."""
    joined = "\n".join(units)
    if joined.count("\n") != len(units) - 1:
        return [score(unit, wanted) for unit in units]
    low = fold(joined)
    lows = low.split("\n")
    found = [10 * sum(word in unit for word in wanted) for unit in lows] if wanted else [0] * len(units)
    index = at = 0
    for start, _ in notable(low):
        index += low.count("\n", at, start)
        at = start
        found[index] += 1
    return found


def odd(units: Sequence[str]) -> list[int]:
    """Return which units are of no form that another has, digits aside, in a text that mostly repeats few forms."""
    forms = _NUMBER.sub("0", "\n".join(units)).split("\n")
    if len(forms) != len(units) or len(forms) < _REPEATING:
        return []
    times = Counter(forms)
    if sum(number for number in times.values() if number >= _OFTEN) < 0.5 * len(forms):
        return []
    found = [index for index, form in enumerate(forms) if times[form] == 1 and form.strip()]
    return found if len(found) <= _FEW * len(forms) else []


def select(
    units: Sequence[str], budget: int, count: Callable[[str], int], wanted: Sequence[str], marker_cost: int
) -> list[int]:
    """Choose units within ``budget`` tokens: a head and a tail, then what matters most; indexes in order."""
    found = scores(units, wanted)
    for index in odd(units):
        found[index] += 1
    costs: dict[int, int] = {}
    chosen: set[int] = set()
    left = budget

    def take(index: int, share: float) -> bool:
        nonlocal left
        extra = 0 if index - 1 in chosen or index + 1 in chosen else marker_cost
        if index not in costs:  # a token is hardly ever longer than this: do not count what cannot fit
            costs[index] = count(units[index]) + 1 if len(units[index]) < 100 * budget else budget + 1
        if costs[index] + extra > left or budget - left + costs[index] + extra > share * budget:
            return False
        if index not in chosen:
            chosen.add(index)
            left -= costs[index] + extra
        return True

    top = sorted((index for index, value in enumerate(found) if value), key=lambda index: (-found[index], index))
    first, last = 0, len(units) - 1
    share = 0.5 if top else 1.0
    while first <= last:
        if not take(first, share):
            break
        if last > first and not take(last, share):
            break
        first, last = first + 1, last - 1
    for index in top:
        if left < 2:
            break
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
        if 0 < index - at <= _BLANK and all(len(unit) < 9 and not unit.strip() for unit in units[at:index]):
            pieces += units[at:index]  # a marker would be longer than these blanks
        elif index > at:
            a, b = at + first, index - 1 + first
            ref = f"{unit}:{a}-{b}"
            refs.append(marks.ref(ref))
            pieces.append(marks.omitted(f"{unit} {a}-{b}", ref))
        if index < len(units):
            pieces.append(units[index])
        at = index + 1
    return pieces, refs
