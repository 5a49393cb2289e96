"""How much each line of a program matters, and where its functions lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..pieces import lines_with

TYPE, FUNCTION, MEMBER, NESTED, FAILURE, IMPORT, DETAIL, STATED, NOTE, STATEMENT = range(10, 0, -1)
"""Ranks of lines: types, functions, those in types, those in functions; what fails, what is used; attributes and
documentation, statements among declarations, comments before them, further statements. 0 is left out."""

_TODO_WORDS = ("TODO", "FIXME", "XXX", "HACK")
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
_COMMENT = re.compile(r"#|//|/\*|--|[ \t]*\*")
_SEARCHED = 1000
_CLOSING = re.compile(r"[ \t]*[)\]}>]")


@dataclass(slots=True)
class Plan:
    """Ranks by line, the functions as pairs of first and last line, and the lines that are comments.

    Lines count from 0, both ends included.
    """

    lines: list[str]
    ranks: bytearray = field(init=False)
    functions: list[tuple[int, int]] = field(default_factory=list)
    notes: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ranks = bytearray(len(self.lines))

    def keep(self, first: int, last: int, rank: int) -> None:
        """Raise lines to a rank."""
        for index in range(max(first, 0), min(last + 1, len(self.lines))):
            if self.ranks[index] < rank:
                self.ranks[index] = rank

    def keep_statement(self, first: int, rank: int, longest: int = 8, openers: str = "([{,\\+.|&=") -> None:
        """Raise a statement to a rank: a line, and those behind it while one ends in an opener and the next is
        indented more, with the closing bracket; at most ``longest`` lines."""
        lines = self.lines
        indent = width(lines[first])
        last = first
        end = min(len(lines), first + longest)
        while last + 1 < end and (width(lines[last]) > indent or lines[last].rstrip()[-1:] in tuple(openers)):
            after = lines[last + 1]
            if not after.strip() or width(after) <= indent:
                last += _CLOSING.match(after) is not None
                break
            last += 1
        self.keep(first, last, rank)

    def keep_todos(self, text: str) -> None:
        """Keep the lines whose comments tell of work to do."""
        at = LineNumbers(text)
        for start, end in lines_with(text, _TODO_WORDS):
            if _TODO.search(text, start, end) is None:
                continue
            index = at.of(start)
            if not self.ranks[index] and _COMMENT.search(self.lines[index][:_SEARCHED]):
                self.keep(index, index, DETAIL)

    def keep_declaration(self, first: int, rank: int) -> None:
        """Raise a declaration to a rank, down to where its body begins."""
        self.keep_statement(first, rank, 12, "([,<=|&")


def width(line: str) -> int:
    """How far a line is indented, a tab as four blanks."""
    blank = len(line) - len(line.lstrip(" \t"))
    return blank + 3 * line.count("\t", 0, blank) if blank else 0


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
