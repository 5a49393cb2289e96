"""How much each line of a program matters, and where its functions lie."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

TYPE, FUNCTION, MEMBER, NESTED, FAILURE, IMPORT, DETAIL, STATEMENT = 9, 8, 7, 6, 5, 4, 3, 1
"""Ranks of lines: what declares, what fails, what is used, what explains; 0 is left out."""
STATED = 2
"""The rank of a statement that stands among declarations and is the first of its run."""

TODO = re.compile(r"(?:#|//|/\*|--|^[ \t]*\*)[^\n]{0,200}?\b(?:TODO|FIXME|XXX|HACK)\b", re.M)
_CLOSING = re.compile(r"[ \t]*[)\]}]")
_LONGEST_STATEMENT = 8


@dataclass(slots=True)
class Plan:
    """Ranks by line, and the functions as pairs of first and last line; lines count from 0, both ends included."""

    lines: list[str]
    ranks: bytearray = field(init=False)
    functions: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ranks = bytearray(len(self.lines))

    def keep(self, first: int, last: int, rank: int) -> None:
        """Raise lines to a rank."""
        for index in range(max(first, 0), min(last + 1, len(self.lines))):
            if self.ranks[index] < rank:
                self.ranks[index] = rank

    def keep_statement(self, first: int, rank: int) -> None:
        """Raise a statement to a rank: a line, and those behind it that are indented more, up to its closing bracket."""
        lines = self.lines
        indent = width(lines[first])
        last = first
        while last + 1 < len(lines) and last - first < _LONGEST_STATEMENT and lines[last][-1:] in "([{,\\+.|&":
            after = lines[last + 1]
            if width(after) <= indent:
                last += _CLOSING.match(after) is not None
                break
            last += 1
        else:
            if last > first and last + 1 < len(lines) and _CLOSING.match(lines[last + 1]):
                last += width(lines[last + 1]) == indent
        self.keep(first, last, rank)

    def keep_lines_of(self, places: Iterable[int], rank: int, inert: bytearray | None = None) -> None:
        """Raise the statements that start at lines, but for those that are inert: within a text or a comment."""
        for index in places:
            if inert is None or not inert[index]:
                self.keep_statement(index, rank)


def width(line: str) -> int:
    """How far a line is indented, a tab as four blanks."""
    blank = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blank) + 3 * blank.count("\t")


class LineNumbers:
    """Turns places of a text that only rise into numbers of lines, in linear time altogether."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = self._at = 0

    def of(self, place: int) -> int:
        """The line, from 0, of a place that is not before the last one asked for."""
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line
