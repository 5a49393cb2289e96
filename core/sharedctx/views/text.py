"""Plain text: head, tail and lines that matter; a text of few long lines is cut by characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .gist import gist
from .kind import Brief, Draft, Source
from .pieces import assemble, select
from .view import Marks

DEFAULT_TOKENS = 2000
"""A text of no known kind is shortened to about this many tokens where no budget is given, or to a quarter."""
MOST_TOKENS = 8000
_TIGHT = 600
"""Tokens: a smaller budget has no room for a marker in each gap."""
_WORD = 80


class Text:
    """The kind of every text that is of no other."""

    name = "text"

    def fits(self, source: Source) -> float:
        """A floor: any kind that is surer gets it."""
        return 0.01

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Head, tail, and between them the lines with words of the query or signs of trouble."""
        whole = brief.count(source.text)
        usual = min(max(DEFAULT_TOKENS, whole // 4), MOST_TOKENS)
        budget = usual if brief.budget is None else brief.budget
        if whole <= budget:
            return None
        if brief.budget is not None and brief.budget < _TIGHT and (made := gist(source, brief, budget)) is not None:
            return made
        for share in (1.0, 0.8, 0.6, 0.4):
            text, refs = shorten(source.text, int(budget * share), brief.count, brief.wanted, brief.marks)
            if brief.count(text) <= budget:
                break
        return Draft(text, "head-tail", tuple(refs))


KIND = Text()


def shorten(
    text: str, budget: int, count: Callable[[str], int], wanted: Sequence[str], marks: Marks
) -> tuple[str, list[str]]:
    """Return a text of about ``budget`` tokens and its references; lines are divided at ``\\n`` alone."""
    lines = text.split("\n")
    marker = count(marks.omitted("lines 100000-100000", "lines:100000-100000")) + 1
    if len(lines) > 3:
        chosen = select(lines, budget - marker, count, wanted, marker)
        if chosen:
            pieces, refs = assemble(lines, chosen, marks, "lines", 1)
            return "\n".join(pieces), refs
    return cut(text, budget - marker, count, marks)


def cut(text: str, budget: int, count: Callable[[str], int], marks: Marks) -> tuple[str, list[str]]:
    """Keep the start and the end by characters, with a ``chars`` reference between them; words stay whole."""
    whole = max(count(text), 1)
    keep = max(int(len(text) * max(budget, 0) / whole * 0.8), 0)
    a, b = word_end(text, keep * 2 // 3), word_start(text, len(text) - keep // 3)
    if a >= b:
        return text, []
    ref = f"chars:{a}-{b}"
    return f"{text[:a]}{marks.omitted(f'characters {a}-{b}', ref)}{text[b:]}", [marks.ref(ref)]


def word_end(text: str, at: int) -> int:
    """The nearest place at or before ``at`` where no word is cut; ``at`` itself inside a very long word."""
    for place in range(at, max(at - _WORD, 0), -1):
        if place >= len(text) or not (_joins(text[place - 1]) and _joins(text[place])):
            return place
    return at if at > _WORD else 0


def word_start(text: str, at: int) -> int:
    """The nearest place at or behind ``at`` where no word is cut; ``at`` itself inside a very long word."""
    for place in range(at, min(at + _WORD, len(text))):
        if place == 0 or not (_joins(text[place - 1]) and _joins(text[place])):
            return place
    return at if at + _WORD < len(text) else len(text)


def _joins(char: str) -> bool:
    return char.isalnum() or char in "_-.:/"
