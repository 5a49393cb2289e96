"""Standard views of JSON values: packed JSON with the telling rows, shortened strings, and markers for the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..kind import Brief
from . import literals
from .elements import telling
from .excerpt import excerpt
from .layout import Layout
from .outline import step
from .planner import Planner
from .pool import Pool
from .sampling import Sample, summary
from .writer import Writer

_NAMED = 0.9
"""Of maps less is kept than of arrays: their marker has the names of what is left out."""
_SEVERAL, _MANY, _FULLER = 20, 100, 5 / 3
"""Of an inner table of several short rows more is kept than of one of many."""
SHORT_ROW = 1000
"""Characters: rows larger than this are records of an API rather than lines of a table."""
_TOLD = 0.1
"""How much of the room for rows may go to what all of them hold, beside what the rows leave."""
_CHARACTERS = 2.7
"""Of JSON, for one token."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a view keeps: ``share`` of the tokens of a table of at least ``rows`` rows and ``tokens`` tokens,
    ``text`` characters of a string, ``parts`` of an array or a cell, ``columns`` in a summary;
    ``fill``: rows up to the share even if nothing tells for them; ``short``: the limits of inner tables of many short
    rows; ``room``: the most tokens for the rows of one table."""

    share: float = 0.85
    tokens: int = 200
    rows: int = 8
    text: int = 500
    parts: int = 36
    columns: int = 40
    fill: bool = True
    short: Limits | None = None
    room: float = math.inf

    def scaled(self, scale: float, room: float = math.inf) -> Limits:
        """Limits for less, or for more, of which ``room`` tokens may be rows of a table."""
        return Limits(
            self.share if scale >= 1 else min(self.share, 0.9) * scale,
            int(self.tokens * min(scale, 2)),
            self.rows if scale > 0.5 else 3,
            max(int(self.text * scale), 40),
            max(int(self.parts * scale), 3),
            int(self.columns * min(scale, 1)),
            self.fill,
            self.short and self.short.scaled(scale, room),
            room * scale,
        )


NARROW = Limits(share=0.3, text=300, parts=12, fill=False)
"""Of tables of short rows."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What redeems rows of the whole value: ``rows`` or ``lines``. ``starts`` has the number of each row's first line
    and that of the line after the last row; without it a row is a unit, and ``first`` its number."""

    name: str
    first: int = 0
    starts: Sequence[int] | None = None

    def ref(self, a: int, b: int) -> str:
        """The reference for the rows from a to b, both of them included."""
        if self.starts is not None:
            return f"{self.name}:{self.starts[a]}-{self.starts[b + 1] - 1}"
        return f"{self.name}:{a + self.first}-{b + self.first}"


class ShortWriter(Writer):
    """Spells what ``limits`` allow. Rows of the whole value are redeemed by ``unit`` (None: by path)."""

    def __init__(
        self, pool: Pool, planner: Planner, brief: Brief, limits: Limits, unit: Unit | None, alone: bool
    ) -> None:
        super().__init__(pool, planner, alone)
        self._brief = brief
        self._limits = limits
        self._unit = unit
        self._path: list[str] = []
        self._row: str | None = None
        self.refs: list[str] = []

    def part(self, name: str | int, value: Any, depth: int) -> str:
        """A member, with the path to it."""
        if self._row is not None:
            return self.value(value, depth)
        self._path.append(step(name))
        spelled = self.value(value, depth)
        self._path.pop()
        return spelled

    def _reference(self, rest: str = "") -> str:
        return self._row or f"path:${''.join(self._path)}{rest}"

    def _omitted(self, what: str, ref: str) -> str:
        bound = self._brief.marks.ref(ref)
        if bound not in self.refs[-1:]:
            self.refs.append(bound)
        return self._brief.marks.omitted(what, ref)

    def limit(self, text: str) -> int:
        """How many characters of a string to keep."""
        return self._limits.text

    def string(self, text: str, alone: bool) -> str:
        """A string, or the telling parts of a long one around a marker."""
        limit = self.limit(text)
        if len(text) <= limit * 5 // 4 + 100:
            return super().string(text, alone)
        before = self.anchor(text)
        if before[:1] == "*":
            return before
        pieces = excerpt(text, limit, self._brief.wanted)
        kept = sum(map(len, pieces))
        if kept > 0.8 * len(text):
            return before + (literals.block(text) or literals.quoted(text))
        marker = self._omitted(f"{len(text) - kept} of {len(text)} characters", self._reference())
        gap = "\n…\n" if "\n" in text else " … "
        return f'{before}"""{gap.join(pieces)}{gap[0]}{marker}"""'

    def array(self, value: list[Any], depth: int) -> str:
        """An array; of a long one the first and the last parts, those that tell most, and what all of them hold."""
        most = self._limits.parts
        if len(value) <= 2 * most + 10:
            return super().array(value, depth)
        a, b = most * 3 // 4, len(value) - max(most // 4, 1)
        inner = depth + 1 if depth >= 0 else -1
        ranked, told = telling(value, self._pool, self._brief.wanted)
        places = sorted([place for place in ranked if a <= place < b][:most])
        what = f"{b - a - len(places)} of {len(value)} parts{f' ({told})' if told else ''}"
        marker = self._omitted(what, self._reference(f"[{a}:{b}]"))
        head = [self.part(at, value[at], inner) for at in range(a)]
        middle = [f"[{at}]:{self.part(at, value[at], inner)}" for at in places]
        if middle:
            self.used.add("picked")
        tail = [self.part(at, value[at], inner) for at in range(b, len(value))]
        return "[" + ",".join([*head, *middle, marker, *tail]) + "]"

    def chosen(self, size: int) -> list[Any]:
        """The first and the last rows of a long cell."""
        most = self._limits.parts
        if size <= 2 * most + 10:
            return super().chosen(size)
        a, b = most * 3 // 4, size - max(most // 4, 1)
        return [*range(a), self._omitted(f"{b - a} of {size} rows", self._reference()), *range(b, size)]

    def table(self, layout: Layout, value: Any) -> str:
        """A table; of a long one a summary, the telling rows with their numbers, and a marker."""
        if self._row is not None:
            return super().table(layout, value)
        outer = self._limits
        self._limits = self._limits_of(layout, value)
        told = self._table(layout, value)
        self._limits = outer
        return told

    def _limits_of(self, layout: Layout, value: Any) -> Limits:
        short = self._limits.short
        size = len(layout.rows)
        if short is None or size < _SEVERAL or self._pool.size(self._pool.add(value)) > SHORT_ROW * size:
            return self._limits
        return short if size >= _MANY else replace(short, fill=True, share=_FULLER * short.share)

    def _table(self, layout: Layout, value: Any) -> str:
        size = layout.size
        costs = self._costs(layout)
        share = self._limits.share * (_NAMED if layout.keyed and self._limits.share < 1 else 1)
        room = min(max(share * sum(costs), self._limits.tokens), self._limits.room)
        small = size < self._limits.rows or share >= 1
        if layout.kept is None and (sum(costs) <= room or (small and room < self._limits.room)):
            return self._all(layout, value)
        kept: list[int] = []
        for place in Sample(layout, self._pool, self._brief.wanted, self._alone).ranked(self._limits.fill):
            if costs[place] <= room or len(kept) < 2:
                kept.append(place)
                room -= costs[place] + 1
        if len(kept) > 0.8 * size:
            return self._all(layout, value)
        kept.sort()
        lines = [self.head(layout)]
        spare = self._limits.room * _TOLD + max(room, 0)
        told = summary(layout, self._alone, self._limits.columns, _CHARACTERS * spare)
        if told:
            lines.append(f"# {told}")
        self.used.add("numbered")
        for place in kept:
            lines += [f"{layout.number(place)}: {line}" for line in self._line(layout, place, value)]
        numbers = list(map(layout.number, kept))
        first = next(at for at, number in enumerate([*numbers, size]) if at != number)
        last = size - 1 - next(at for at, number in enumerate([*numbers[::-1], -1]) if size - 1 - at != number)
        lines.append(self._rest(layout, value, kept, first, last))
        return "\n".join([*lines, ""])

    def _costs(self, layout: Layout) -> list[float]:
        """About how many tokens each row takes."""
        longest = self._limits.text + 100
        size = self._pool.size
        columns = [self._pool.sizes(leaf.numbers, longest) for leaf in layout.cells]
        regular = list(map(sum, zip(*columns, strict=True))) or [0] * len(layout.rows)
        if None not in layout.place:  # each row has its place in the columns
            return [2 + spelled / _CHARACTERS for spelled in regular]
        costs = []
        for place, at in enumerate(layout.place):
            spelled = size(self._pool.add(layout.rows[place])) if at is None else regular[at]
            costs.append(2 + spelled / _CHARACTERS)
        return costs

    def _all(self, layout: Layout, value: Any) -> str:
        lines = [self.head(layout)]
        if layout.cells or None in layout.place:
            for place in range(len(layout.rows)):
                lines += self._line(layout, place, value)
        return "\n".join([*lines, ""])

    def head(self, layout: Layout) -> str:
        """How many rows, and their columns; what all rows have can be read in the first."""
        if self._row is not None or not layout.rows:
            return super().head(layout)
        self._row = self._row_of(layout, 0)
        told = super().head(layout)
        self._row = None
        return told

    def _row_of(self, layout: Layout, place: int) -> str:
        """The reference of one row."""
        if layout.names is not None:
            return self._reference(step(layout.names[place]))
        number = layout.number(place)
        return self._unit.ref(number, number) if self._unit and not self._path else self._reference(step(number))

    def _line(self, layout: Layout, place: int, value: Any) -> list[str]:
        self._row = self._row_of(layout, place)
        lines = self.lines(layout, [place], value)
        self._row = None
        return lines

    def _rest(self, layout: Layout, value: Any, kept: list[int], first: int, last: int) -> str:
        left = layout.size - len(kept)
        if layout.keyed:
            others = set(range(len(layout.rows))) - set(kept)
            names = [name for place, name in enumerate(value) if place in others][: self._limits.parts * 3]
            named = ", ".join(name for name in names if len(name) <= 60)
            return self._omitted(f"{left} of {len(layout.rows)} members ({named})", self._reference())
        if self._unit and not self._path:
            return self._omitted(f"{left} of {layout.size} rows", self._unit.ref(first, last))
        return self._omitted(f"{left} of {layout.size} rows", self._reference(f"[{first}:{last + 1}]"))
