"""The text of a skeleton: lines as they are, and behind them the numbers of those left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kind import Draft
from ..view import Marks
from .plan import Plan

_LONGEST, _LONGEST_NOTE = 400, 120
_STRATEGY = "skeleton"
_WORD = re.compile(r"[\w.$-]{1,80}$")
_LEGEND = re.compile(r"\[\[[^\n\]]{1,60} of \d{1,9} lines; …\d{1,9}(?:-\d{1,9})? stands for lines? ")


def is_skeleton(first: str) -> bool:
    """Whether a text with this first line is a skeleton already."""
    return _LEGEND.match(first[:200]) is not None


def spell(plan: Plan, shown: Sequence[int], what: str, marks: Marks) -> Draft:
    """Return the shown lines (numbers from 0, rising) as a draft; a gap of next to nothing is shown as well.

    Behind a line ``…12-40`` says that lines 12 to 40 follow in the original; the legend says how to get them. A very
    long line is cut between words, and counts as left out.
    """
    lines = plan.lines
    gaps: list[tuple[int, int]] = []
    out: list[str] = []
    at = 0
    for index in [*shown, len(lines)]:
        if index > at:
            if _slight(lines, at, index - 1):
                out += [line.rstrip("\r") for line in lines[at:index]]
            else:
                gaps.append((at + 1, index))
                mark = f"…{_span(at + 1, index)}"
                if out:
                    out[-1] += f" {mark}"
                else:
                    out.append(mark)
        if index < len(lines):
            line = lines[index]
            longest = _LONGEST_NOTE if index in plan.notes else _LONGEST
            long = len(line) > longest
            out.append((_WORD.sub("", line[:longest]) if long else line).rstrip("\r"))
            at = index + (not long)
    if not gaps:
        return Draft("\n".join(out), _STRATEGY)
    a, b = gaps[0]
    noun = "lines" if b > a else "line"
    legend = marks.omitted(
        f"{what} of {len(lines)} lines; …{_span(a, b)} stands for {noun} {_span(a, b)}", f"lines:{_span(a, b)}"
    )
    refs = tuple(marks.ref(f"lines:{_span(first, last)}") for first, last in gaps)
    return Draft("\n".join([legend, *out]), _STRATEGY, refs)


def _span(first: int, last: int) -> str:
    return f"{first}-{last}" if last > first else f"{first}"


def _slight(lines: Sequence[str], first: int, last: int) -> bool:
    """Whether lines hold so little that a mark in their place would be longer."""
    return (
        last - first < 3
        and sum(len(line.strip()) for line in lines[first : last + 1]) < 5
        and (sum(map(len, lines[first : last + 1])) < 100)
    )
