"""Parts of a text in order of what they tell for their tokens, shown in the text's order under one reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .fitting import afford, by_rank, rate, within
from .kind import Brief, Draft

_WORD = re.compile(r"\w(?:[\w.-]*\w)?")
_CHUNK = 100
"""Characters: longer lines are told in parts."""
_TOKEN = 4
"""Characters, about; a part costs two tokens more."""
_ROW = 300
"""Characters of short forms after which a part is told in full again."""


class Part(NamedTuple):
    """A line or a part of one: its text, its rank, whether the part before it is of the same line, whether the name
    of a file, and what is told in its place behind another such name if nothing is shown between them."""

    text: str
    rank: float
    goes_on: bool = False
    listed: bool = False
    short: str = ""


class Novelty:
    """Tells how much of a text's words stands in no text before."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def of(self, text: str) -> float:
        """New words for each token, about."""
        words = set(_WORD.findall(text))
        told = len(words - self._seen) / (len(text) / _TOKEN + 2)
        self._seen |= words
        return told


def chunks(line: str) -> list[str]:
    """Parts of a long line, cut between words; nothing for an empty one."""
    line = line.rstrip()
    found: list[str] = []
    while len(line) > _CHUNK * 3 // 2:
        at = line.find(" ", _CHUNK)
        if at < 0:
            break
        found.append(line[:at])
        line = line[at + 1 :]
    if line:
        found.append(line)
    return found


def fit(parts: Sequence[Part], source: str, whole: str, brief: Brief, budget: int, strategy: str) -> Draft:
    """Return the parts that fit, those of high rank first; ``whole`` is the reference that redeems the source."""
    note = brief.marks.omitted("what stands between and at …", whole)
    fixed = brief.count(note)
    price = rate(source, brief)
    costs = [len(part.short or part.text) * price + 1.5 for part in parts]
    order = by_rank([part.rank for part in parts])

    def attempt(tokens: float) -> Draft:
        chosen = afford(costs, order, tokens - fixed)
        return Draft("\n".join([note, *_lines(parts, chosen)]), strategy, (brief.marks.ref(whole),))

    return within(brief, budget, attempt)


def _lines(parts: Sequence[Part], chosen: set[int]) -> Iterator[str]:
    row = ""
    listed = False
    for at, part in enumerate(parts):
        if at in chosen:
            if part.goes_on and at - 1 in chosen:
                row += f" {part.text}"
                continue
            if listed and part.short and len(row) < _ROW:
                row += f" {part.short}"
                continue
            if row:
                yield row
            row = f"… {part.text}" if part.goes_on else part.text
            listed = part.listed
        elif part.goes_on and row and at - 1 in chosen:
            row += " …"
    if row:
        yield row
