"""A long program for a small view: its start is read closely, of the rest what stands at its top, and what fails."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from .language import Language
from .plan import FAILURE, FUNCTION, TYPE, LineNumbers, Plan

_FURTHER = 1000
"""Lines behind the place where the start may end, in which a declaration is looked for that it ends before."""
_APART = ("}", "#", "//", "*/", " */")
"""How a line starts behind which a declaration may."""
_COMMENTS = ("#", "//", "*", "/*", "--")

Reader = Callable[[str, list[str], Language], Plan]


def read(text: str, lines: list[str], language: Language, reader: Reader, enough: int) -> Plan:
    """Return the plan of a program of which about ``enough`` characters are read closely."""
    end = _end(lines, language, enough)
    if end == len(lines):
        return reader(text, lines, language)
    start = sum(map(len, lines[:end])) + end
    plan = reader(text[:start], lines[:end], language)
    plan.lines = lines
    plan.ranks.extend(bytes(len(lines) - end))
    for at in range(end, len(lines)):
        if lines[at][:1].isalpha() and language.declaring.match(lines[at]):
            plan.keep_declaration(at, TYPE if language.containing.match(lines[at]) else FUNCTION)
    number = LineNumbers(text)
    for place in language.failing_places(text, start):
        at = number.of(place)
        if not lines[at].lstrip().startswith(_COMMENTS):
            plan.keep_statement(at, FAILURE)
    return plan


def _end(lines: list[str], language: Language, enough: int) -> int:
    """The line before which the start ends, one that declares something at the top; the number of lines if none does
    in time."""
    sizes = accumulate(len(line) + 1 for line in lines)
    at = next((at for at, size in enumerate(sizes) if size > enough), len(lines))
    for place in range(at, min(at + _FURTHER, len(lines))):
        apart = lines[place - 1].strip() == "" or lines[place - 1].startswith(_APART)
        if apart and lines[place][:1].isalpha() and language.declaring.match(lines[place]):
            return place
    return len(lines)
