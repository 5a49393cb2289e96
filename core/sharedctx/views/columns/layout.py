"""The columns that a list of values has in common: names, nesting, and for each column how its cells are spelled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_PLAIN = re.compile(r"[\w-]+")
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()
"""Stands where a row has no member of a column's name."""


@dataclass(eq=False)
class Column:
    """One column: a cell, or a group of columns.

    ``form``: ``cell``; ``flat``, an object whose members are columns of the same row; ``record``, ``list`` and
    ``map``, an object, an array and an object of many names whose parts are rows of ``inner``. ``rule``: how cells
    are told without spelling them (``const``, ``steps``, ``same``, ``template``, ``default``, ``sticky``), with
    ``given`` its value or text. ``alone``: numbers stand for strings. ``optional``: a template that some cells defy.
    ``key``: the names of a map. ``scope``: the columns of the row that a template may name. ``measured``: the
    cells as numbers, once that was asked for.
    """

    name: str
    path: tuple[str, ...]
    values: list[Any] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    form: str = "cell"
    inner: Layout | None = None
    columns: list[Column] = field(default_factory=list)
    rule: str = ""
    given: Any = None
    alone: bool = False
    optional: bool = False
    key: bool = False
    scope: dict[str, Column] = field(default_factory=dict)
    measured: list[float | None] | None = None

    @property
    def reference(self) -> str | None:
        """How templates call it, or None where its name is not plain."""
        if self.key:
            return "#"
        return ".".join(self.path) if all(map(_PLAIN.fullmatch, self.path)) else None

    @property
    def spelled(self) -> bool:
        """Whether rows have a cell for it."""
        if self.rule == "template":
            return self.optional or bool(self.given.hole)
        return self.rule not in ("const", "steps", "same", "sticky")


@dataclass(eq=False)
class Layout:
    """The columns of rows. ``rows`` are all of them, ``place`` says which row each has in the columns (None: none, it
    is spelled whole); ``starts`` where the rows of a packed value begin, by its number in the pool. ``names`` are those
    of the rows of a map. ``ranked``: the rows by how much they tell, all of them or not, and ``told``: what each column
    holds, once they were asked for. Of a table that was thinned ``kept`` are the numbers of its rows; ``size`` counts
    all of them."""

    columns: list[Column]
    leaves: list[Column]
    rows: Sequence[Any]
    place: list[int | None]
    starts: dict[int, int]
    names: list[str] | None = None
    ranked: dict[bool, list[int]] = field(default_factory=dict)
    told: list[str] | None = None
    kept: Sequence[int] | None = None
    size: int = 0

    @property
    def keyed(self) -> bool:
        """Whether the rows are members of an object rather than of an array."""
        return self.names is not None

    def __post_init__(self) -> None:
        self.size = len(self.rows)
        self._spelled()

    def thin(self, kept: Sequence[int], size: int) -> None:
        """Know the rows as those at some places of a table of ``size`` rows."""
        self.kept, self.size = kept, size
        self._spelled()

    def number(self, place: int) -> int:
        """The number of a row in the whole table."""
        return place if self.kept is None else self.kept[place]

    def _spelled(self) -> None:
        self.order = self.leaves
        self.cells = [leaf for leaf in self.leaves if leaf.spelled]
        self.sticky = [leaf for leaf in self.leaves if leaf.rule == "sticky"]
