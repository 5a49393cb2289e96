"""Reading the header of a table in packed JSON, and making rows of its cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .layout import ABSENT, Column, Layout
from .literals import Scanner
from .rules import step
from .templates import Template

CLOSING = {"[": "]", "<": ">", "(": ")", "{": "}"}
FORMS = {"[": "list", "<": "map", "(": "record"}
_STEPS = re.compile(r"\(([^()\n]{1,60})\)")
_REFERENCE = re.compile(r"[\w.-]+|#")


class Whole:
    """A cell that its column's rule does not apply to."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Header:
    """Reads columns; ``value`` reads the values of constants. Raises ``DecodeError``."""

    def __init__(self, scan: Scanner, value: Callable[[], Any]) -> None:
        self._in = scan
        self._value = value

    def layout(self, opening: str) -> Layout:
        """The columns from an opening bracket to its closing one."""
        columns = self._columns(opening, ())
        leaves: list[Column] = []
        pending = columns[::-1]
        while pending:
            column = pending.pop()
            if column.form == "flat":
                pending.extend(column.columns[::-1])
            else:
                leaves.append(column)
        layout = Layout(columns, leaves, (), [], {}, [] if opening == "<" else None)
        if layout.keyed and not (columns and columns[0].key):
            raise self._in.wrong("no column of names before this")
        self._order(layout)
        return layout

    def _columns(self, opening: str, path: tuple[str, ...]) -> list[Column]:
        scan = self._in
        scan.expect(opening)
        columns: list[Column] = []
        while not scan.take(CLOSING[opening]):
            if columns:
                scan.expect(",")
            columns.append(self._column(path, opening == "<" and not columns))
        return columns

    def _column(self, path: tuple[str, ...], key: bool) -> Column:
        scan = self._in
        if key:
            scan.expect("#")
            column = Column("#", (), key=True)
        elif scan.take("."):
            column = Column("", ())
        else:
            name = scan.name()
            column = Column(name, (*path, name))
        if scan.peek() == "{":
            column.form, column.columns = "flat", self._columns("{", column.path)
            return column
        column.alone = scan.take("$")
        if scan.peek() in FORMS:
            opening = scan.peek()
            column.form, column.inner = FORMS[opening], self.layout(opening)
        self._rule(column)
        return column

    def _rule(self, column: Column) -> None:
        scan = self._in
        if scan.take("="):
            if scan.peek() == "(":
                column.rule, column.given = "steps", scan.match(_STEPS)[1]
            else:
                column.rule, column.given = "const", self._value()
        elif scan.take("~"):
            if scan.peek() == '"':
                column.rule, column.given = "template", Template(scan.quoted())
                column.optional = scan.take("?")
                column.alone = bool(column.given.hole) and not column.optional
            else:
                column.rule, column.given = "same", scan.match(_REFERENCE)[0]
        elif scan.take("|"):
            column.rule, column.given = "default", self._value()
        elif scan.take("^"):
            column.rule = "sticky"

    def _order(self, layout: Layout) -> None:
        """Bind references, and put columns after those that they refer to."""
        named = {leaf.reference: leaf for leaf in layout.leaves}
        ordered: dict[int, Column] = {}
        under_way: set[int] = set()

        def visit(leaf: Column) -> None:
            if id(leaf) in ordered:
                return
            if id(leaf) in under_way:
                raise self._in.wrong("a circle of columns before this")
            under_way.add(id(leaf))
            if leaf.rule == "same":
                leaf.given = named.get(leaf.given)
                if leaf.given is None:
                    raise self._in.wrong("a column that is missing before this")
                visit(leaf.given)
            elif leaf.rule == "template":
                for reference in leaf.given.references:
                    if reference not in named:
                        raise self._in.wrong(f"no column {reference!r} before this")
                    leaf.scope[reference] = named[reference]
                    visit(named[reference])
            ordered[id(leaf)] = leaf

        for leaf in layout.leaves:
            visit(leaf)
        layout.order = list(ordered.values())


def row(layout: Layout, cells: list[Any], sticky: list[Any], at: int) -> tuple[Any, Any]:
    """The key (None: no map) and the value of a row. Raises ``ValueError``."""
    values: dict[int, Any] = {id(leaf): cell for leaf, cell in zip(layout.cells, cells, strict=False)}
    values.update(zip(map(id, layout.sticky), sticky, strict=True))
    for leaf in layout.order:
        rule = leaf.rule
        if not rule:
            values.setdefault(id(leaf), ABSENT)
        elif rule == "const":
            values[id(leaf)] = leaf.given
        elif rule == "steps":
            values[id(leaf)] = step(leaf.given, at)
        elif rule == "same":
            values[id(leaf)] = values[id(leaf.given)]
        elif rule == "default" and values.get(id(leaf), ABSENT) is ABSENT:
            values[id(leaf)] = leaf.given
        elif rule == "template":
            values[id(leaf)] = _templated(leaf, values)
        if type(cell := values[id(leaf)]) is Whole:
            values[id(leaf)] = cell.value
    key = values[id(layout.columns[0])] if layout.keyed else None
    columns = layout.columns[1:] if layout.keyed else layout.columns
    if len(columns) == 1 and not columns[0].path:
        return key, values[id(columns[0])]
    return key, _members(columns, values)


def _templated(leaf: Column, values: dict[int, Any]) -> Any:
    cell = values.get(id(leaf), ABSENT)
    if leaf.optional:
        if cell is not ABSENT:
            return cell
    elif leaf.given.hole and type(cell) is not str:
        return cell
    head, tail = leaf.given.fill(lambda path: values[id(leaf.scope[path])])
    if head is None or tail is None:
        raise ValueError("a template without its text")
    return head + cell + tail if leaf.given.hole and not leaf.optional else head + tail


def _members(columns: list[Column], values: dict[int, Any]) -> dict[str, Any]:
    members = {}
    for column in columns:
        value = _members(column.columns, values) if column.form == "flat" else values[id(column)]
        if value is not ABSENT:
            members[column.name] = value
    return members
