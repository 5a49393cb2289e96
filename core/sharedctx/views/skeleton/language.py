"""What has to be known of a programming language to see a program's skeleton."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    type or a function (and is the sign by which the language is known), ``hints`` further signs; ``contains`` the
    header of a block whose members are of interest; ``fails`` a line that raises or returns an error, which has one of
    ``failures``, texts that are found faster than patterns; ``imports`` one that imports. ``reader`` says how blocks
    are delimited; ``needs`` are texts of which a program has one at least, and with ``opens`` one of no other language
    starts.
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
    needs: tuple[str, ...] = ("",)
    opens: str = ""

    def may_be(self, sample: str) -> bool:
        """Whether a sample may be of the language at all, seen quickly: with braces, some lines end in one."""
        if self.reader == "braces" and _LINES_TO_A_BRACE * (sample.count("{\n") + sample.count("{\r")) < sample.count(
            "\n"
        ):
            return False
        return any(need in sample for need in self.needs) and self.declaring.search(sample) is not None

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
    def hinting(self) -> re.Pattern[str]:
        """Finds signs of the language."""
        return re.compile(self.hints, re.M)
