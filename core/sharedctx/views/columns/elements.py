"""The telling parts of a long array that is no table: of numbers, of texts, or of short arrays of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .layout import Column, Layout
from .pool import Pool
from .rules import set_rules
from .sampling import Sample, summary

_WIDEST = 40
_REGULAR = 0.8


def telling(values: list[Any], pool: Pool, wanted: Sequence[str]) -> tuple[list[int], str]:
    """Return the places of the parts that tell most, the most telling first, and what all of them hold in a few words.

    Both are empty where the parts are neither scalars nor mostly arrays of scalars of one length.
    """
    layout = _layout(values, pool)
    if layout is None:
        return [], ""
    return Sample(layout, pool, wanted, False).telling(), summary(layout, False, len(layout.leaves))


def _layout(values: list[Any], pool: Pool) -> Layout | None:
    kinds = set(map(type, values))
    if not kinds & {dict, list}:
        columns = [Column("all", ("all",), values, pool.numbers(values))]
        place: list[int | None] = list(range(len(values)))
    else:
        width = len(values[0]) if type(values[0]) is list else 0
        regular = [each for each in values if type(each) is list and len(each) == width]
        if not 0 < width <= _WIDEST or len(regular) < _REGULAR * len(values):
            return None
        if any(type(cell) is dict or type(cell) is list for each in regular for cell in each):
            return None
        columns = [
            Column(f"[{at}]", (str(at),), list(cells), pool.numbers(cells))
            for at, cells in enumerate(zip(*regular, strict=True))
        ]
        place, found = [], 0
        for each in values:
            fits = type(each) is list and len(each) == width
            place.append(found if fits else None)
            found += fits
    set_rules(columns, True)
    return Layout(columns, columns, values, place, {})
