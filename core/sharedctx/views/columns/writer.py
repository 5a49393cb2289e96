"""Packed JSON: a JSON value as text with few repetitions, which ``reader`` reads back exactly."""

from __future__ import annotations

import re
from typing import Any

from . import literals
from .layout import ABSENT, Column, Layout
from .planner import Planner
from .pool import Pool
from .rules import DITTO

_DEFINED = re.compile("\x00([0-9]+)\x00")
_CLOSING = {"[": "]", "<": ">", "(": ")", "{": "}"}
_OPENING = {"list": "[", "map": "<", "record": "("}
_LEAST_LIST = 3
_LEAST_MAP = 4
_BREAKS = 2
"""Objects down to this depth have a line for each long member."""
_LONG = 60
_SHORT = 24
"""Characters: a record told in no more is told again rather than referred to."""


class Writer:
    """Spells one value. ``alone``: every bare cell is a string. ``used`` tells what the legend must explain."""

    def __init__(self, pool: Pool, planner: Planner, alone: bool = False) -> None:
        self._pool = pool
        self._planner = planner
        self._alone = alone
        self._anchors: dict[int, int] = {}
        self._labels = 0
        self._lengths: dict[int, int] = {}  # of records that were told
        self._bare: dict[str, str] = {}
        self.used: set[str] = set()

    def finish(self, text: str) -> str:
        """Label the places that are referred to."""
        return _DEFINED.sub(lambda found: f"&{label} " if (label := self._anchors[int(found[1])]) else "", text)

    def value(self, value: Any, depth: int = -1, alone: bool = False) -> str:
        """A value; ``depth`` from 0 up where tables with lines of their own may stand, -1 inside of lines."""
        kind = type(value)
        if kind is str:
            return self.string(value, alone)
        if kind is not dict and kind is not list:
            return literals.scalar(value)
        if not value:
            return "{}" if kind is dict else "[]"
        before = self.anchor(value)
        if before[:1] == "*":
            return before
        if depth >= 0 and len(value) >= (_LEAST_MAP if kind is dict else _LEAST_LIST):
            layout = self._planner.table(value)
            if layout is not None:
                return before + self.table(layout, value)
        return before + (self._object(value, depth) if kind is dict else self.array(value, depth))

    def anchor(self, value: Any) -> str:
        """A reference to an equal value before, or a place for a label, or nothing."""
        number = self._pool.add(value)
        if not self._pool.repeats(value, number):
            return ""
        label = self._anchors.get(number)
        if label is None:
            self._anchors[number] = 0
            return f"\x00{number}\x00"
        if not label:
            self._labels += 1
            label = self._anchors[number] = self._labels
            self.used.add("anchor")
        return f"*{label}"

    def string(self, text: str, alone: bool) -> str:
        """A string, or a reference to it."""
        if len(text) >= 20:
            before = self.anchor(text)
            if before[:1] == "*":
                return before
            return before + literals.string(text, alone)
        spelled = self._bare.get(text, "")
        if not spelled:
            spelled = self._bare[text] = literals.string(text)
        return literals.string(text, True) if alone and spelled[0] == '"' else spelled

    def _object(self, value: dict[str, Any], depth: int) -> str:
        inner = depth + 1 if depth >= 0 else -1
        members = [f"{literals.name(name)}:{self.part(name, part, inner)}" for name, part in value.items()]
        if not 0 <= depth < _BREAKS:
            return "{" + ",".join(members) + "}"
        pieces = ["{"]
        for member in members:
            if len(pieces) > 1:
                pieces.append(",\n" if len(member) > _LONG and not pieces[-1].endswith("\n") else ",")
            pieces.append(member)
        pieces.append("}")
        return "".join(pieces)

    def part(self, name: str | int, value: Any, depth: int) -> str:
        """A member of an object or array."""
        return self.value(value, depth)

    def array(self, value: list[Any], depth: int) -> str:
        """An array that is no table."""
        inner = depth + 1 if depth >= 0 else -1
        return "[" + ",".join([self.part(at, part, inner) for at, part in enumerate(value)]) + "]"

    def table(self, layout: Layout, value: Any) -> str:
        """A table with its header and a line for each row."""
        lines = [self.head(layout)]
        if layout.cells or layout.sticky or None in layout.place:
            lines += self.lines(layout, range(len(layout.rows)), value)
        return "\n".join([*lines, ""])

    def head(self, layout: Layout) -> str:
        """How many rows, and their columns."""
        opening = "<" if layout.keyed else "["
        self.used.add("map" if layout.keyed else "table")
        return f"@{layout.size}{opening}{self._columns(layout.columns)}{_CLOSING[opening]}"

    def lines(self, layout: Layout, places: Any, value: Any) -> list[str]:
        """The lines of some rows, which follow one another."""
        lines: list[str] = []
        above: dict[int, str] = {}
        for place in places:
            at = layout.place[place]
            if at is None:
                row = layout.rows[place]
                lines.append(self._irregular(layout.names[place] if layout.names else None, row))
                continue
            if layout.sticky:
                self._stick(layout, at, above, lines)
            cells = []
            for column, leaf in enumerate(layout.cells):
                cell = self.cell(leaf, at)
                if len(cell) >= DITTO:
                    if above.get(column) == cell:
                        cell = "^"
                        self.used.add("ditto")
                    else:
                        above[column] = cell
                else:
                    above[column] = cell
                cells.append(cell)
            lines.append(self.row(cells))
        return lines

    def _irregular(self, name: str | None, row: Any) -> str:
        self.used.add("whole")
        return f"!!{self.value(row)}" if name is None else f"!!{{{literals.name(name)}:{self.value(row)}}}"

    def _stick(self, layout: Layout, at: int, above: dict[int, str], lines: list[str]) -> None:
        changed = []
        for column, leaf in enumerate(layout.sticky):
            number = str(leaf.numbers[at])
            if above.get(-1 - column) == number:
                changed.append("^")
            else:
                above[-1 - column] = number
                changed.append(self.cell(leaf, at))
        while changed and changed[-1] == "^":
            changed.pop()
        if changed:
            self.used.add("sticky")
            lines.append("^ " + ",".join(changed))

    def row(self, cells: list[str]) -> str:
        """The text of a row's cells."""
        while cells and not cells[-1]:
            cells.pop()
        return ",".join(cells) or "-"

    def cell(self, leaf: Column, at: int) -> str:
        """One cell."""
        value = leaf.values[at]
        rule = leaf.rule
        if rule == "template":
            return self._templated(leaf, at, value)
        if rule == "default":
            if value is ABSENT:
                return "!"
            if type(value) is type(leaf.given) and repr(value) == repr(leaf.given):
                return ""
        if value is ABSENT:
            return ""
        if leaf.inner is not None and type(value) in (dict, list) and value:
            return self._packed(leaf, leaf.inner, value)
        return self.value(value, -1, leaf.alone or self._alone)

    def _templated(self, leaf: Column, at: int, value: Any) -> str:
        if leaf.optional:
            if value is ABSENT:
                return "!"
            head, _ = leaf.given.fill(lambda path: leaf.scope[path].values[at])
            return "" if value == head else self.value(value)
        if value is ABSENT:
            return ""
        if type(value) is str:
            head, tail = leaf.given.fill(lambda path: leaf.scope[path].values[at])
            size = len(head or "") + len(tail or "")
            follows = head is not None and tail is not None and len(value) >= size
            if follows and value.startswith(head) and value.endswith(tail):
                return literals.string(value[len(head) : len(value) - len(tail)], True)
        if value is None:
            return "null"
        self.used.add("whole")
        return f"!{self.value(value)}"

    def _packed(self, leaf: Column, inner: Layout, value: Any) -> str:
        number = self._pool.add(value)
        start = inner.starts.get(number)
        if start is None or (leaf.form == "list") != (type(value) is list):
            return self.value(value)
        if leaf.form == "record" and inner.place[start] is None:
            return self.value(value)
        if leaf.form == "record":
            if self._lengths.get(number, 0) > _SHORT and (before := self.anchor(value))[:1] == "*":
                return before
            at = inner.place[start] or 0
            row = self.row([self.cell(each, at) for each in inner.cells])
            told = "()" if row == "-" else f"({row})"
            self._lengths[number] = len(told)
            before = self.anchor(value) if len(told) > _SHORT else ""
            return before if before[:1] == "*" else before + told
        before = self.anchor(value)
        if before[:1] == "*":
            return before
        parts = list(value.items() if leaf.form == "map" else value)
        rows: list[str] = []
        for offset in self.chosen(len(parts)):
            if type(offset) is str:
                rows.append(offset)
                continue
            place = inner.place[start + offset]
            if place is None:
                rows.append(
                    self._irregular(*parts[offset]) if leaf.form == "map" else self._irregular(None, parts[offset])
                )
            else:
                rows.append(self.row([self.cell(each, place) for each in inner.cells]))
        opening = _OPENING[leaf.form]
        return f"{before}{opening}{';'.join(rows)}{_CLOSING[opening]}"

    def chosen(self, size: int) -> list[Any]:
        """The places of the rows of a cell that are to be spelled; a text stands for itself."""
        return list(range(size))

    def _columns(self, columns: list[Column]) -> str:
        return ",".join(map(self._column, columns))

    def _column(self, column: Column) -> str:
        spelled = "#" if column.key else literals.name(column.name) if column.path else "."
        if column.form == "flat":
            return f"{spelled}{{{self._columns(column.columns)}}}"
        if column.alone and not self._alone:
            spelled += "$"
            self.used.add("alone")
        rule, given = column.rule, column.given
        if rule:
            self.used.add("optional" if column.optional else rule)
        if column.inner is not None and rule not in ("const", "same"):
            opening = _OPENING[column.form]
            self.used.add("map-cell" if column.form == "map" else column.form)
            spelled += opening + self._columns(column.inner.columns) + _CLOSING[opening]
        if rule == "const":
            return f"{spelled}={self.value(given)}"
        if rule == "steps":
            return f"{spelled}=({given})"
        if rule == "same":
            return f"{spelled}~{given.reference}"
        if rule == "template":
            return f"{spelled}~{literals.quoted(given.text)}{'?' if column.optional else ''}"
        if rule == "default":
            return f"{spelled}|{self.value(given)}"
        return spelled + ("^" if rule == "sticky" else "")
