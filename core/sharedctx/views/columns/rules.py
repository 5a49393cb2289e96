"""How the cells of a column can be told without spelling them: constants, steps, templates, what stands above."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from .layout import ABSENT, Column
from .literals import NUMBER
from .templates import find_templates

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STEPS = re.compile(r"(\S+) ([+-][0-9]{1,9})(d?)")
_TEXTS = {str, type(None), type(ABSENT)}
_NUMERIC = frozenset("-0123456789")
_LEAST_STEPS = 4
_LEAST_STICKY = 8
_MOSTLY = 0.4
"""A value that so many cells of a column have is told in its header; those cells are empty."""
DITTO = 5
"""Cells at least this long are ``^`` where they equal the one above."""


def set_rules(leaves: list[Column], lines: bool) -> None:
    """Set rule, given and alone of the columns of one table; ``lines``: its rows are lines of their own."""
    same: dict[tuple[int, ...], Column] = {}
    open_ = []
    for leaf in leaves:
        numbers = leaf.numbers
        distinct = len(set(numbers))
        if distinct == 1 and numbers[0] >= 0:
            leaf.rule, leaf.given = "const", leaf.values[0]
            continue
        key = tuple(numbers)
        if key in same and distinct > 1:
            leaf.rule, leaf.given = "same", same[key]
            continue
        if leaf.reference:
            same[key] = leaf
        if lines and leaf.form == "cell" and (steps := _steps(leaf.values)):
            leaf.rule, leaf.given = "steps", steps
        else:
            open_.append(leaf)
    find_templates(leaves, [leaf for leaf in open_ if leaf.form == "cell"])
    for leaf in open_:
        if lines and leaf.spelled and _in_runs(leaf.numbers):
            leaf.rule, leaf.optional = "sticky", False
        if leaf.form == "cell" and not leaf.rule:
            _default(leaf)
        if leaf.form == "cell" and leaf.rule != "template":
            leaf.alone = is_text(leaf.values)


def _in_runs(numbers: list[int]) -> bool:
    """Whether equal values follow one another, so that a change is worth a line."""
    if len(numbers) < _LEAST_STICKY or -1 in numbers:
        return False
    return 1 + sum(a != b for a, b in pairwise(numbers)) <= len(numbers) / 4


def _default(leaf: Column) -> None:
    numbers = leaf.numbers
    number, times = Counter(numbers).most_common(1)[0]
    if len(numbers) >= 4 and times >= _MOSTLY * len(numbers) and number >= 0:
        value = leaf.values[numbers.index(number)]
        if type(value) not in (dict, list) and value != "":
            leaf.rule, leaf.given = "default", value


def is_text(values: list[Any]) -> bool:
    """Whether cells are texts, some of which would be read as numbers."""
    if not set(map(type, values)) <= _TEXTS:
        return False
    known = set(values)
    return any(NUMBER.fullmatch(value) for value in known if type(value) is str and value[:1] in _NUMERIC)


def _steps(values: list[Any]) -> str | None:
    """The spelling of an arithmetic sequence of integers or days."""
    if len(values) < _LEAST_STEPS:
        return None
    kind = type(values[0])
    if kind is int and abs(values[0]) < 10**15 and type(values[1]) is int:
        step = values[1] - values[0]
        if abs(step) < 10**9 and all(
            type(value) is int and value == values[0] + at * step for at, value in enumerate(values)
        ):
            return f"{values[0]} {step:+d}"
    if kind is str and _DATE.fullmatch(values[0]) and type(values[1]) is str and _DATE.fullmatch(values[1]):
        try:
            first = datetime.date.fromisoformat(values[0])
            step = (datetime.date.fromisoformat(values[1]) - first).days
            if all(value == str(first + datetime.timedelta(at * step)) for at, value in enumerate(values)):
                return f"{values[0]} {step:+d}d"
        except (ValueError, OverflowError):
            return None
    return None


def step(spelling: str, at: int) -> Any:
    """The value at a place of a sequence. Raises ``ValueError`` for what is none."""
    found = _STEPS.fullmatch(spelling)
    if found is None:
        raise ValueError(spelling)
    if not found[3]:
        return int(found[1]) + at * int(found[2])
    try:
        return str(datetime.date.fromisoformat(found[1]) + datetime.timedelta(at * int(found[2])))
    except OverflowError:
        raise ValueError(spelling) from None
