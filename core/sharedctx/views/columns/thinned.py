"""Of a long plain table the rows that a small view may show, with what is said of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .layout import Column, Layout
from .planner import Planner
from .pool import Pool
from .rules import is_text
from .sampling import Sample, tell

_LEAST = 150
"""Rows of a table that is worth it."""
_ROOM = 16
"""Characters of rows that are kept for each token of the budget: three times what fits."""
_FEWEST = 12
_SCALARS = frozenset((str, int, float, bool, type(None)))
_SPELLED = 3
"""Characters of a number, about."""


@dataclass(slots=True)
class Thinned:
    """The kept rows, and their layout, which knows of the others."""

    rows: list[Any]
    pool: Pool
    planner: Planner


def thinned(value: Any, wanted: Sequence[str], budget: int, alone: bool) -> Thinned | None:
    """Return the rows that tell most of a list of objects that have the same names and hold scalars; None for any other
    value and for one of few rows."""
    if type(value) is not list or len(value) < _LEAST or set(map(type, value)) != {dict}:
        return None
    if len(set(map(tuple, value))) != 1 or not value[0]:
        return None
    names = list(value[0])
    columns = list(zip(*[row.values() for row in value], strict=True))
    leaves = []
    for name, cells in zip(names, columns, strict=True):
        if not _SCALARS.issuperset(map(type, cells)):
            return None
        known = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
        leaf = Column(name, (name,), list(cells), list(map(known.__getitem__, cells)))
        leaf.alone = is_text(leaf.values)
        leaves.append(leaf)
    _mark(leaves)
    size = len(value)
    whole = Layout(leaves, leaves, value, list(range(size)), {})
    order = Sample(whole, None, wanted, alone).ranked(fill=False)
    places = sorted(_kept(whole, order, _ROOM * budget))
    rows = [value[place] for place in places]
    pool = Pool(rows)
    planner = Planner(pool, False)
    layout = planner.table(rows)
    if layout is None or len(layout.leaves) != len(leaves) or None in layout.place:
        return None
    at = {place: row for row, place in enumerate(places)}
    for leaf, own in zip(leaves, layout.leaves, strict=True):
        if own.rule in ("const", "same") and leaf.rule != own.rule:
            own.rule, own.given = "", None
    layout.thin(places, size)
    ranked = [at[place] for place in order if place in at]
    layout.ranked = {True: ranked, False: ranked}
    layout.told = sorted(tell(whole, alone), key=len)  # so that more of them fit
    return Thinned(rows, pool, planner)


def _mark(leaves: Sequence[Column]) -> None:
    """Find the columns of one value, and those that are as one before them."""
    before: dict[tuple[Any, ...], Column] = {}
    for leaf in leaves:
        if len(set(leaf.numbers)) == 1:
            if len(set(map(type, leaf.values))) == 1:
                leaf.rule = "const"
            continue
        key = tuple(leaf.numbers)
        if key in before and list(map(type, leaf.values)) == list(map(type, before[key].values)):
            other = before[key]
            if leaf.values == other.values:
                leaf.rule = "same"
        before.setdefault(key, leaf)


def _kept(whole: Layout, order: Sequence[int], room: int) -> set[int]:
    """The places of the first rows of an order, as many as have so many characters."""
    kept: set[int] = set()
    for place in order:
        room -= sum([len(value) if type(value) is str else _SPELLED for value in whole.rows[place].values()])
        if room < 0 and len(kept) >= _FEWEST:
            break
        kept.add(place)
    return kept | {0, len(whole.rows) - 1}
