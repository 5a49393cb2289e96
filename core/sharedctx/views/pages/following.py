"""What follows from what among the cells of elements of one shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..columns.layout import Column
from ..columns.templates import find_templates
from .repeats import LEAST

_LEAST = 3
"""So many elements share a value before they have a form of their own for it."""
_MOST = 0.8
"""A column follows from others where so many of its values do."""
_DEFINITION = 12


def derive(columns: list[Column], values: list[Column], size: int) -> list[bool]:
    """Set the rules of ``values``, which are some of the columns: what they follow from. Tells which rows do follow."""
    first: dict[tuple[str, ...], Column] = {}
    for column in columns:
        column.numbers = list(range(size))
        if column not in values:
            key = tuple(column.values)
            first.setdefault(key, column)
            if len(key[0]) < LEAST and len(set(key)) == 1:
                column.rule, column.given = "const", key[0]
    open_ = []
    for column in values:
        key = tuple(column.values)
        if len(set(key)) == 1:
            column.rule, column.given = "const", key[0]
        elif key in first:
            column.rule, column.given = "same", first[key]
        else:
            first[key] = column
            open_.append(column)
    find_templates(columns, open_)
    follow = [True] * size
    for column in open_:
        if column.rule == "template":
            column.optional = False
            fits = [_follows(column, at) for at in range(size)]
            if sum(fits) < _MOST * size:
                column.rule, column.given = "", None
            else:
                follow = [a and b for a, b in zip(follow, fits, strict=True)]
    return follow


def _sides(column: Column, at: int) -> tuple[str, str]:
    head, tail = column.given.fill(lambda path: column.scope[path].values[at])
    return head or "", tail or ""


def _follows(column: Column, at: int) -> bool:
    head, tail = _sides(column, at)
    value = column.values[at]
    if not column.given.hole:
        return bool(value == head + tail)
    return len(value) >= len(head) + len(tail) and value.startswith(head) and value.endswith(tail)


def told(column: Column, at: int) -> str:
    """The cell of a column in a row: its value, or what its template does not say of it."""
    value: str = column.values[at]
    if column.rule != "template":
        return value
    head, tail = _sides(column, at)
    return value[len(head) : len(value) - len(tail)]


def shared(values: Sequence[Column], constant: int) -> list[list[int]]:
    """Rows that share a long value, by the column in which that is worth most; none where a form that also says that
    value, beside so many ``constant`` characters, is never worth its telling."""
    best: list[list[int]] = []
    most = 0
    for column in values:
        if column.rule:
            continue
        worth = {}
        for value, times in Counter(column.values).items():
            saved = (times - 1) * (len(value) + 1) - constant - _DEFINITION
            if times >= _LEAST and saved > 0:
                worth[value] = saved
        gain = sum(worth.values())
        if gain > most:
            most = gain
            groups: dict[str, list[int]] = {value: [] for value in worth}
            for at, value in enumerate(column.values):
                if value in groups:
                    groups[value].append(at)
            best = list(groups.values())
    return best
