"""Finding what rows have in common, at every depth."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from .layout import ABSENT, Column, Layout
from .pool import Pool
from .rules import set_rules

_DENSE = 0.4


def names_of(rows: Sequence[dict[str, Any]]) -> list[str] | None:
    """The names of all rows in an order that most rows keep, or None where rows have too little in common."""
    shapes = dict.fromkeys(map(tuple, rows))
    names = {name for shape in shapes for name in shape}
    if sum(map(len, rows)) < _DENSE * len(names) * len(rows):
        return None
    order: list[str] = []
    known: set[str] = set()
    for shape in shapes:
        if len(known) < len(names) and not known.issuperset(shape):
            at = 0
            for name in shape:
                if name in known:
                    at = order.index(name) + 1
                else:
                    order.insert(at, name)
                    known.add(name)
                    at += 1
    return order


def in_order(shape: Sequence[str], places: dict[str, int]) -> bool:
    """Whether the names stand in the order of the columns."""
    last = -1
    for name in shape:
        place = places.get(name, -1)
        if place <= last:
            return False
        last = place
    return True


class Planner:
    """Finds layouts for the values of one pool. ``whole``: all rows are to be spelled, one after the other."""

    def __init__(self, pool: Pool, whole: bool = True) -> None:
        self._pool = pool
        self._whole = whole
        self._found: dict[int, Layout | None] = {}

    def table(self, value: Any) -> Layout | None:
        """The layout of an array or object whose members are rows, or None."""
        known = id(value)
        if known not in self._found:
            self._found[known] = self._rows([value], "list" if type(value) is list else "map", self._whole)
        return self._found[known]

    def _rows(self, packed: list[Any], form: str, lines: bool) -> Layout | None:
        starts: dict[int, int] = {}
        rows: list[Any] = []
        keys: list[str] | None = [] if form == "map" else None
        for value in packed:
            starts[self._pool.add(value)] = len(rows)
            if form == "record":
                rows.append(value)
            else:
                rows.extend(value if keys is None else value.values())
                if keys is not None:
                    keys.extend(value)
        dicts = [row for row in rows if type(row) is dict and row]
        if len(dicts) < 0.8 * len(rows) or len(dicts) < 2:
            return self._elements(rows, starts, keys, lines) if form != "record" else None
        order = names_of(dicts)
        if order is None:
            return self._elements(rows, starts, keys, lines) if keys is not None else None
        return self._records(rows, starts, keys, order, lines)

    def _elements(self, rows: list[Any], starts: dict[int, int], keys: list[str] | None, lines: bool) -> Layout | None:
        """Rows that are packed values themselves: lists of rows, or objects of many names."""
        for kind, form in ((list, "list"), (dict, "map")):
            fitting = [row for row in rows if type(row) is kind and row]
            if len(fitting) >= 2 and len(fitting) >= 0.8 * len(rows):
                column = Column("", (), rows, [self._pool.add(row) for row in rows])
                inner = self._rows(self._distinct(fitting), form, False)
                if inner is None:
                    return None
                column.form, column.inner = form, inner
                return self._finish([column], rows, list(range(len(rows))), starts, keys, lines)
        return None

    def _records(
        self, rows: list[Any], starts: dict[int, int], keys: list[str] | None, order: list[str], lines: bool
    ) -> Layout | None:
        places = {name: at for at, name in enumerate(order)}
        fits: dict[tuple[str, ...], bool] = {}
        place: list[int | None] = []
        regular: list[dict[str, Any]] = []
        for row in rows:
            shape = tuple(row) if type(row) is dict else ()
            if shape and shape not in fits:
                fits[shape] = in_order(shape, places)
            if shape and fits[shape]:
                place.append(len(regular))
                regular.append(row)
            else:
                place.append(None)
        if len(regular) < 2 or len(regular) < 0.7 * len(rows):
            return None
        columns = self._columns(regular, order, ())
        return self._finish(columns, rows, place, starts, keys, lines)

    def _finish(
        self,
        columns: list[Column],
        rows: list[Any],
        place: list[int | None],
        starts: dict[int, int],
        keys: list[str] | None,
        lines: bool,
    ) -> Layout:
        if keys is not None:
            regular = [key for key, at in zip(keys, place, strict=True) if at is not None]
            columns = [Column("#", (), list(regular), [self._pool.add(key) for key in regular], key=True), *columns]
        leaves: list[Column] = []
        pending = columns[::-1]
        while pending:
            column = pending.pop()
            if column.form == "flat":
                pending.extend(column.columns[::-1])
            else:
                leaves.append(column)
        set_rules(leaves, lines)
        return Layout(columns, leaves, rows, place, starts, keys)

    def _columns(self, rows: list[dict[str, Any]], order: list[str], path: tuple[str, ...]) -> list[Column]:
        columns = []
        add = self._pool.add
        for name in order:
            try:
                values = list(map(itemgetter(name), rows))
            except KeyError:
                values = [row.get(name, ABSENT) for row in rows]
                numbers = [-1 if value is ABSENT else add(value) for value in values]
            else:
                numbers = self._pool.known(values)
            column = Column(name, (*path, name), values, numbers)
            self._form(column)
            columns.append(column)
        return columns

    def _distinct(self, values: list[Any]) -> list[Any]:
        return list({self._pool.add(value): value for value in values}.values())

    def _form(self, column: Column) -> None:
        values = column.values
        kinds = set(map(type, values))
        if dict not in kinds and list not in kinds:
            return
        numbers = set(column.numbers)
        if len(numbers) == 1:
            return
        dicts = [value for value in values if type(value) is dict and value]
        if len(dicts) == len(values) and len(numbers) > 0.6 * len(values):
            order = names_of(dicts)
            places = {name: at for at, name in enumerate(order or ())}
            if order and all(in_order(shape, places) for shape in dict.fromkeys(map(tuple, dicts))):
                column.form, column.columns = "flat", self._columns(dicts, order, column.path)
                return
        lists = [value for value in values if type(value) is list and value]
        for form, packed in (("record", dicts), ("map", dicts), ("list", lists)):
            if len(packed) >= 2:
                inner = self._rows(self._distinct(packed), form, False)
                if inner is not None:
                    column.form, column.inner = form, inner
                    return
