"""Lines picked from a text in order of importance, shown with their numbers under one marker for all the gaps."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..kind import Brief, Draft, Source

_CUT = "…"
_LONGEST_WORD = 200
_SHORT = 3
"""Tokens: a gap of one line that costs no more than this is closed."""
_PATIENCE = 60
_WIDEST = 600
_NARROWEST = 60
_TIGHT = 400
"""Tokens: a smaller budget has no room for an explanation."""
_START = 200
"""Characters of a line in which the common parts of all starts are looked for."""
_ROOM, _TRIED = 12, 100
"""Tokens of a budget that are worth another line, and how many lines are tried for them."""
_BREAK = re.compile(r"[^\w.-]")


def clip(line: str, width: int, at: int = 0) -> str:
    """The line cut to about ``width`` characters between words: its start, what is around ``at``, its end."""
    if len(line) <= width:
        return line
    head, tail = width // 2, width // 4
    if at < head or at >= len(line) - tail:
        return f"{line[: _before(line, head)]}{_CUT}{line[_after(line, len(line) - tail) :]}"
    a, b = _after(line, max(at - tail // 4, head // 2)), _before(line, min(at + tail, len(line)))
    middle = f"{line[a:b]}{_CUT}" if a < b else ""
    return f"{line[: _before(line, head // 2)]}{_CUT}{middle}{line[_after(line, len(line) - tail) :]}"


def _before(line: str, at: int) -> int:
    """The nearest place at or before ``at`` that is inside no word."""
    for place in range(at, max(at - _LONGEST_WORD, 0), -1):
        if _BREAK.match(line[place - 1]) or _BREAK.match(line[place : place + 1] or " "):
            return place
    return 0


def _after(line: str, at: int) -> int:
    for place in range(at, min(at + _LONGEST_WORD, len(line))):
        if _BREAK.match(line[place - 1]) or _BREAK.match(line[place]):
            return place
    return len(line)


class Picks:
    """Which lines of a source a view shows; those added first matter most. ``without`` is what starts of lines have in
    common, told once and left out of each."""

    def __init__(self, source: Source, brief: Brief, without: Sequence[str] = ()) -> None:
        self._lines = source.lines
        self._brief = brief
        self._without = without
        self._widths: dict[int, int] = {}
        self._width = _WIDEST if brief.budget is None else max(_NARROWEST, min(_WIDEST, brief.budget))
        self._picked: dict[int, None] = {}
        self._notes: dict[int, str] = {}
        self._spots: dict[int, int] = {}
        self._spent = 0
        self._misses = 0
        self._unfit: dict[int, None] = {}

    def add(self, index: int, limit: int, *, spot: int = 0, width: int = _WIDEST) -> None:
        """Pick a line (counted from 0) if the tokens spent stay within ``limit``; ``spot`` is what matters in it,
        ``width`` the most characters of it."""
        if index in self._picked or self._misses > _PATIENCE:
            return
        near = not self._without and (index - 1 in self._picked or index + 1 in self._picked)
        self._spots[index] = spot
        self._widths[index] = min(width, self._width)
        cost = self._brief.count(self._shown(index)) + (1 if near else 4)
        if self._spent + cost > limit:
            self._misses += 1
            self._unfit[index] = None
            return
        self._misses = 0
        self._picked[index] = None
        self._spent += cost

    def patient(self) -> None:
        """Forget the lines that did not fit: what is added next is tried again."""
        self._misses = 0

    def note(self, index: int, note: str) -> None:
        """Say something beside a line's number, if the line is picked."""
        self._notes[index] = note

    def draft(self, strategy: str, about: str, intro: str = "") -> Draft | None:
        """Return the picked lines in their order within the budget, or None where that shows nothing or everything.

        ``about`` is said in the marker, ``intro`` below it.
        """
        order = list(self._picked)
        budget = self._brief.budget
        about = "" if budget is not None and budget < _TIGHT else about
        while order:
            if len(order) == 1:  # what one line alone says is told in its place
                self._without = ()
            each = f", each {' and '.join(map(json.dumps, self._without))}" if self._without else ""
            chosen = set(order)
            self._close(chosen)
            if len(chosen) == len(self._lines) and not any(self._cut(index) for index in chosen):
                return None
            text, ref = self._render(sorted(chosen), each + about, intro)
            over = 0 if budget is None else self._brief.count(text) - budget
            if over <= 0:
                if budget is not None and over <= -_ROOM:
                    text = self._filled(chosen, text, each + about, intro)
                return Draft(text, strategy, (ref,))
            order = order[: len(order) - max(1, min(over // 30, len(order) // 2))]
        return None

    def _filled(self, chosen: set[int], text: str, about: str, intro: str) -> str:
        """The text with those lines added that fit into what is left of the budget."""
        count = self._brief.count
        left = (self._brief.budget or 0) - count(text)
        more = [index for index in (*self._picked, *self._unfit) if index not in chosen]
        for index in more[:_TRIED]:
            cost = count(f"{index + 1}{self._notes.get(index, '')}: {self._shown(index)}") + 1
            if cost > left:
                continue
            chosen.add(index)
            longer, _ = self._render(sorted(chosen), about, intro)
            over = count(longer) - (self._brief.budget or 0)
            if over > 0:
                chosen.remove(index)
                continue
            text, left = longer, -over
            if left < _ROOM:
                break
        return text

    def _shown(self, index: int) -> str:
        line, spot = self._lines[index], self._spots.get(index, 0)
        for told in self._without:
            at = line.find(told, 0, _START)
            if at >= 0:
                line = line[:at] + line[at + len(told) :]
                spot = max(spot - len(told), 0) if spot > at else spot
        return clip(line, self._widths.get(index, self._width), spot)

    def _cut(self, index: int) -> bool:
        return len(self._lines[index]) > self._width

    def _close(self, chosen: set[int]) -> None:
        for index in list(chosen):
            gap = index + 1
            small = gap not in chosen and gap + 1 in chosen and len(self._lines[gap]) <= 12
            if small and self._brief.count(self._lines[gap]) <= _SHORT:
                chosen.add(gap)

    def _render(self, chosen: list[int], about: str, intro: str) -> tuple[str, str]:
        total = len(self._lines)
        ref = f"lines:1-{total}"
        left = total - len(chosen)
        what = f"{left} of {total} lines{about}" if left else f"parts of {total} lines{about}"
        marks = self._brief.marks
        pieces = [marks.omitted(what, ref), *([intro] if intro else [])]
        last = -2
        for index in chosen:
            note = self._notes.get(index, "")
            shown = self._shown(index)
            goes_on = (
                index == last + 1 and not note and not self._without
            )  # what is left of a line may look like a number
            pieces.append(shown if goes_on else f"{index + 1}{note}: {shown}")
            last = index
        return "\n".join(pieces), marks.ref(ref)
