"""Reading packed JSON back: the inverse of ``writer``."""

from __future__ import annotations

import re
from typing import Any

from ...errors import DecodeError
from .header import CLOSING, FORMS, Header, Whole, row
from .layout import ABSENT, Column, Layout
from .literals import Scanner

_LABEL = re.compile(r"[0-9]{1,9}")
_ENDS = frozenset(",;\n)]>}")
_MOST_ROWS = 1_000_000
_DITTO: Any = object()


class Reader:
    """Reads one value. Raises ``DecodeError`` for anything that a writer did not write."""

    def __init__(self, text: str, at: int = 0, alone: bool = False) -> None:
        self._in = Scanner(text, at)
        self._alone = alone
        self._anchors: dict[str, Any] = {}

    def whole(self) -> Any:
        """The value, after which the text must end."""
        try:
            value = self.value()
        except RecursionError:
            raise DecodeError("no view of this form: it is nested too deeply") from None
        if self._in.peek():
            raise self._in.wrong("more after the end")
        return value

    def value(self, alone: bool = False) -> Any:
        """The next value."""
        scan = self._in
        first = scan.peek()
        if first == "&":
            scan.expect("&")
            label = scan.match(_LABEL)[0]
            scan.expect(" ")
            value = self._anchors[label] = self.value(alone)
            return value
        if first == "*":
            return self._again()
        if first == "{":
            return self._object()
        if first == "[":
            return self._array()
        if first == "@":
            return self._table()
        return scan.literal(alone)

    def _again(self) -> Any:
        self._in.expect("*")
        label = self._in.match(_LABEL)[0]
        if label not in self._anchors:
            raise self._in.wrong(f"*{label} before its &{label}")
        return self._anchors[label]

    def _object(self) -> dict[str, Any]:
        scan = self._in
        scan.expect("{")
        members: dict[str, Any] = {}
        while not scan.take("}"):
            if members:
                scan.expect(",")
                scan.take("\n")
            name = scan.name()
            scan.expect(":")
            members[name] = self.value()
        return members

    def _array(self) -> list[Any]:
        scan = self._in
        scan.expect("[")
        parts: list[Any] = []
        while not scan.take("]"):
            if parts:
                scan.expect(",")
            parts.append(self.value())
        return parts

    def _table(self) -> Any:
        scan = self._in
        scan.expect("@")
        size = int(scan.match(_LABEL)[0])
        opening = scan.peek()
        if opening not in ("[", "<"):
            raise scan.wrong("no table of a possible size")
        layout = Header(scan, self.value).layout(opening)
        scan.expect("\n")
        if size > _MOST_ROWS or (layout.cells and size > len(scan.text)):
            raise scan.wrong("a table of an impossible size")
        rows: list[tuple[Any, Any]] = []
        above: list[Any] = [ABSENT] * len(layout.cells)
        sticky: list[Any] = [ABSENT] * len(layout.sticky)
        empty = not layout.cells and not layout.sticky
        regular = 0
        for _ in range(size):
            if scan.take("!!"):
                rows.append(self._irregular(layout.keyed))
                scan.expect("\n")
                continue
            if scan.text.startswith("^ ", scan.at):
                scan.expect("^ ")
                for at, cell in enumerate(self._cells(layout.sticky)):
                    if cell is not _DITTO and at < len(sticky):
                        sticky[at] = cell
                scan.expect("\n")
            cells = [] if empty and not scan.text.startswith("-\n", scan.at) else self._cells(layout.cells)
            for at, cell in enumerate(cells):
                if cell is _DITTO:
                    cells[at] = above[at]
            cells += [ABSENT] * (len(above) - len(cells))
            above = cells
            rows.append(self._row(layout, cells, sticky, regular))
            regular += 1
            if not empty or scan.peek() == "\n":
                scan.expect("\n")
        return self._gather(layout.keyed, rows)

    def _gather(self, keyed: bool, rows: list[tuple[Any, Any]]) -> Any:
        return dict(rows) if keyed else [row for _, row in rows]

    def _row(self, layout: Layout, cells: list[Any], sticky: list[Any], at: int) -> tuple[Any, Any]:
        try:
            return row(layout, cells, sticky, at)
        except ValueError as error:
            raise self._in.wrong(f"{error} before this") from None

    def _irregular(self, keyed: bool) -> tuple[Any, Any]:
        value = self.value()
        if not keyed:
            return None, value
        if type(value) is not dict or len(value) != 1:
            raise self._in.wrong("no member before this")
        return next(iter(value.items()))

    def _cells(self, leaves: list[Column]) -> list[Any]:
        """The cells up to the end of the row; the end itself is left."""
        scan = self._in
        if scan.peek() == "-" and scan.text[scan.at + 1 : scan.at + 2] in _ENDS:
            scan.expect("-")
            return []
        cells: list[Any] = []
        while True:
            if len(cells) >= len(leaves):
                if scan.peek() in _ENDS and not cells:
                    return cells
                raise scan.wrong("a row with too many cells")
            cells.append(self._cell(leaves[len(cells)]))
            if not scan.take(","):
                return cells

    def _cell(self, leaf: Column) -> Any:
        scan = self._in
        first = scan.peek()
        if first == "" or first in _ENDS:
            return ABSENT
        if first == "^":
            scan.expect("^")
            return _DITTO
        if first == "!":
            scan.expect("!")
            return Whole(ABSENT if scan.peek() == "" or scan.peek() in _ENDS else self.value())
        label = None
        if leaf.inner is None:
            return self.value(leaf.alone or self._alone)
        if first == "&":
            scan.expect("&")
            label = scan.match(_LABEL)[0]
            scan.expect(" ")
            first = scan.peek()
        value = self._packed(leaf.inner, first) if FORMS.get(first) == leaf.form else self.value()
        if label is not None:
            self._anchors[label] = value
        return value

    def _packed(self, inner: Layout, opening: str) -> Any:
        scan = self._in
        scan.expect(opening)
        if opening == "(":
            cells = self._cells(inner.cells)
            scan.expect(")")
            return self._row(inner, cells, [], 0)[1]
        rows: list[tuple[Any, Any]] = []
        while not scan.take(CLOSING[opening]):
            if rows:
                scan.expect(";")
            if scan.take("!!"):
                rows.append(self._irregular(inner.keyed))
            else:
                rows.append(self._row(inner, self._cells(inner.cells), [], 0))
        return self._gather(inner.keyed, rows)
