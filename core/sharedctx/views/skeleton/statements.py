"""Skeletons of SQL: the first lines of statements, and the columns of tables."""

from __future__ import annotations

import re

from .language import Language
from .plan import FAILURE, FUNCTION, STATED, STATEMENT, TYPE, LineNumbers, Plan

_BREAKS = r"({comments})|({strings})|(\$\w{{0,40}}\$)|;"
_COLUMNS = 80
_ROWS = 2


def read(text: str, lines: list[str], language: Language) -> Plan:
    """Return the plan of a script: a statement is its first line, a table its columns, a query its first lines."""
    plan = Plan(lines)
    for first, last in _statements(text, lines, language):
        line = lines[first][:300]
        if language.containing.match(line):
            plan.keep(first, min(last, first + _COLUMNS), TYPE)
        elif language.declaring.match(line):
            plan.keep(first, first, FUNCTION)
            plan.functions.append((first, last))
        else:
            kept = min(last, first + _ROWS)
            plan.keep(first, kept, STATED if first == 0 or plan.ranks[max(first - 2, 0)] != STATED else STATEMENT)
            plan.functions.append((first, last))
    at = LineNumbers(text)
    for place in language.failing_places(text):
        plan.keep_statement(at.of(place), FAILURE)
    plan.keep_todos(text)
    return plan


def _statements(text: str, lines: list[str], language: Language) -> list[tuple[int, int]]:
    """First and last line of each statement; between dollar quotes nothing ends."""
    found: list[tuple[int, int]] = []
    line = at = first = 0
    quote: str | None = None
    breaks = re.compile(_BREAKS.format(comments=language.comments, strings=language.strings), re.M)
    for token in breaks.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        if token[3]:
            quote = None if quote == token[3] else quote or token[3]
        elif quote is None and token[0] == ";":
            _add(found, lines, first, line)
            first = line + 1
        elif quote is None and token[1] and line == first and lines[line].lstrip(" \t")[:2] == token[0][:2]:
            first = line + token[0].count("\n") + 1
    _add(found, lines, first, len(lines) - 1)
    return found


def _add(found: list[tuple[int, int]], lines: list[str], first: int, last: int) -> None:
    while first <= last and not lines[first].strip():
        first += 1
    if first <= last:
        found.append((first, last))
