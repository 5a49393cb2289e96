"""What has to be known of a programming language to see a program's skeleton."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ...lazy import lazy
from ..pieces import lines_with

SLASHED = r"//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?"
HASHED = r"\#[^\n]*+"
DOUBLE = r'"(?:[^"\\\n]++|\\[\s\S])*+"?'
SINGLE = r"'(?:[^'\\\n]++|\\[\s\S])*+'?"
LETTER = r"'(?:[^'\\\n]|\\[^\n']{1,9}|\\')'"
"""One character between quotes, where a lone quote may mean something else."""
INDENT = r"^[ \t]{0,80}"
_LINES_TO_A_BRACE = 60


@dataclass(frozen=True)
class Language:
    """A language as patterns, which are written to be linear on any text.

    ``comments`` and ``strings`` are what brackets do not count in, ended or not; ``declares`` a line that declares a
    type or a function (and is the sign by which the language is known), ``hints`` how its other lines start; ``signs``
    are what such lines have at the start of a word and ``within`` anywhere, each with a fixed first character, which
    is looked for before all else; ``contains`` the header of a block whose members are of interest; ``fails`` a line
    that raises or returns an error, which has one of ``failures``, texts that are found faster than patterns;
    ``imports`` one that imports. ``reader`` says how blocks are delimited; ``needs`` are texts of which a program has
    one at least, and with ``opens`` one of no other language starts.
    """

    name: str
    reader: Literal["python", "braces", "indents", "statements"]
    comments: str
    strings: str
    declares: str
    contains: str
    fails: str
    imports: str
    hints: str
    failures: tuple[str, ...] = ("",)
    signs: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    needs: tuple[str, ...] = ("",)
    opens: str = ""

    def may_be(self, sample: str, braced: bool) -> bool:
        """Whether a sample may be of the language at all, seen quickly; ``braced``: as ``is_braced`` tells of it."""
        if self.reader == "braces" and not braced:
            return False
        return any(need in sample for need in self.needs) and self.declarations.search(f"\n{sample}") is not None

    @lazy
    def inert(self) -> re.Pattern[str]:
        """Finds comments (group 1) and strings (group 2)."""
        return re.compile(f"({self.comments})|({self.strings})", re.M)

    @lazy
    def tokens(self) -> re.Pattern[str]:
        """Finds comments (group 1), strings (group 2) and braces."""
        return re.compile(rf"({self.comments})|({self.strings})|[{{}}]", re.M)

    @lazy
    def declaring(self) -> re.Pattern[str]:
        """Finds lines that declare."""
        return re.compile(rf"{INDENT}(?:{self.declares})", re.M)

    @lazy
    def containing(self) -> re.Pattern[str]:
        """Matches the header of a block of members."""
        return re.compile(rf"[ \t]*(?:{self.contains})")

    @lazy
    def failing(self) -> re.Pattern[str]:
        """Finds what raises or returns an error."""
        return re.compile(self.fails, re.M)

    def failing_places(self, text: str, at: int = 0) -> Iterator[int]:
        """Yield where lines behind a place raise or return an error."""
        for start, end in lines_with(text, self.failures, at):
            found = self.failing.search(text, start, end)
            if found is not None:
                yield found.start()

    @lazy
    def importing(self) -> re.Pattern[str]:
        """Finds lines that import."""
        return re.compile(rf"{INDENT}(?:{self.imports})", re.M)

    @lazy
    def declarations(self) -> re.Pattern[str]:
        """Finds lines that declare with the end of the line before them, in a third of the time."""
        return re.compile(rf"\n[ \t]{{0,80}}(?:{self.declares})", re.M)

    def declared(self, text: str) -> list[int]:
        """Return the lines, from 0, that declare something."""
        text = f"\n{text}"
        lines: list[int] = []
        at, line = 0, -1
        for found in self.declarations.finditer(text):
            line += text.count("\n", at, found.end())
            at = found.end()
            lines.append(line)
        return lines

    @lazy
    def _start(self) -> re.Pattern[str]:
        return re.compile(self.hints)

    @lazy
    def _signs(self) -> re.Pattern[str] | None:
        words = [rf"{sign[0]}(?<!\w{sign[0]}){sign[1:]}" for sign in self.signs]
        return re.compile("|".join([*words, *self.within])) if words or self.within else None

    def hinted(self, lines: Sequence[str]) -> list[int]:
        """Return which of the lines have a sign of the language."""
        start, signs = self._start.match, self._signs
        if signs is None:
            return [index for index, line in enumerate(lines) if start(line)]
        within = signs.search
        return [index for index, line in enumerate(lines) if start(line) or within(line)]


def is_braced(sample: str) -> bool:
    """Whether so many lines end in a brace as do at least where braces delimit blocks."""
    return _LINES_TO_A_BRACE * (sample.count("{\n") + sample.count("{\r")) >= sample.count("\n")
