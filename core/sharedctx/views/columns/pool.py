"""Equal parts of a JSON value, found in one pass: each distinct part has a number, a size and a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from ...lazy import lazy
from .excerpt import suspects

LEAST_TEXT = 20
"""Strings shorter than this are spelled again rather than referred to."""
LEAST_PART = 24
_TABLE = 8
"""So many rows are numbered by columns."""
_PLAIN = frozenset((str, int))


class Pool:
    """Numbers the distinct parts of one value. 1, 1.0, true and "1" are distinct, and so are orders of names.

    Containers are known by identity: the value must stay alive and unchanged. Raises ``TypeError`` for what is no
    JSON and ``RecursionError`` for what is nested too deeply.
    """

    def __init__(self, value: Any) -> None:
        self._numbers: dict[Any, int] = {}
        self._floats: dict[str, int] = {}
        self._words: dict[bool | None, int] = {}
        self._containers: dict[tuple[Any, ...], int] = {}
        self._parts: list[Sequence[int]] = []
        self._known: dict[int, int] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._sizes: list[int] = []
        self.add(value)
        self._own = len(self._parts)

    @lazy
    def _counts(self) -> Counter[int]:
        """How often each part stands in another one of the value."""
        return Counter(chain.from_iterable(self._parts[: self._own]))

    def add(self, value: Any) -> int:
        """Return the number of a part; equal parts have the same."""
        kind = type(value)
        if kind is dict or kind is list:
            known = self._known.get(id(value))
            if known is None:
                known = self._known[id(value)] = self._container(value, kind)
            return known
        key: Any = value
        held: dict[Any, int] = self._numbers
        if kind is float:
            key, held = repr(value), self._floats
        elif kind is not str and kind is not int:
            if value is not None and kind is not bool:
                raise TypeError(f"{kind.__name__} is no JSON")
            held = self._words
        number = held.get(key)
        if number is None:
            number = held[key] = self._new(len(str(value)) + 2 * (kind is str))
        return number

    def known(self, values: Sequence[Any]) -> list[int]:
        """The numbers of many parts of the value, which are known: of strings and integers all at once."""
        if _PLAIN.issuperset(map(type, values)):
            return list(map(self._numbers.__getitem__, values))
        return self.numbers(values)

    def numbers(self, values: Iterable[Any]) -> list[int]:
        """The numbers of many parts: strings and integers, most of what there is, without a call for each."""
        known, sizes, add = self._numbers, self._sizes, self.add
        found: list[int] = []
        for value in values:
            kind = type(value)
            if kind is str or kind is int:
                number = known.get(value)
                if number is None:
                    number = known[value] = len(sizes)
                    sizes.append(len(value) + 2 if kind is str else len(str(value)))
                found.append(number)
            else:
                found.append(add(value))
        return found

    def _table(self, rows: Sequence[Any]) -> list[int] | None:
        """The numbers of objects that have the same names in the same order, found by columns; None for others."""
        if len(rows) < _TABLE or set(map(type, rows)) != {dict} or len(set(map(tuple, rows))) != 1:
            return None
        names = tuple(rows[0])
        if not names or any(type(name) is not str for name in names):
            return None
        extra = self._shapes[names] = sum(map(len, names)) + len(names)
        columns = [self._column(column) for column in zip(*[row.values() for row in rows], strict=True)]
        fixed = 2 + len(names) + extra
        containers, sizes, every = self._containers, self._sizes, self._parts
        found: list[int] = []
        for row, parts in zip(rows, zip(*columns, strict=True), strict=True):
            key = (names, *parts)
            number = containers.get(key)
            if number is None:
                number = containers[key] = self._new(fixed + sum([sizes[part] for part in parts]))
                every.append(parts)
            self._known[id(row)] = number
            found.append(number)
        return found

    def _column(self, values: Sequence[Any]) -> list[int]:
        """The numbers of many parts, of strings and integers all at once."""
        if not _PLAIN.issuperset(map(type, values)):
            return self.numbers(values)
        known, sizes = self._numbers, self._sizes
        for value in dict.fromkeys(values):
            if value not in known:
                known[value] = len(sizes)
                sizes.append(len(value) + 2 if type(value) is str else len(str(value)))
        return list(map(known.__getitem__, values))

    def _container(self, value: Any, kind: type) -> int:
        parts: Sequence[int] | None = self._table(value) if kind is list else None
        if parts is None:
            parts = self.numbers(value.values() if kind is dict else value)
        names: tuple[str, ...] | None = None
        size = 2 + len(parts)
        if kind is dict:
            names = tuple(value)
            extra = self._shapes.get(names)
            if extra is None:
                if any(type(name) is not str for name in names):
                    raise TypeError("a name that is no string")
                extra = self._shapes[names] = sum(map(len, names)) + len(names)
            size += extra
        key = (names, *parts)
        number = self._containers.get(key)
        if number is None:
            number = self._containers[key] = self._new(size + sum(map(self._sizes.__getitem__, parts)))
            self._parts.append(parts)
        return number

    def _new(self, size: int) -> int:
        self._sizes.append(size)
        return len(self._sizes) - 1

    @lazy
    def suspect_names(self) -> set[str]:
        """The names that may be notable."""
        names = list({name for shape in self._shapes for name in shape})
        return {names[at] for at in suspects(names)}

    @lazy
    def suspects(self) -> set[int]:
        """The numbers of the strings that may be notable, and of all parts that have them or such names in them."""
        texts = [key for key in self._numbers if type(key) is str]
        found = {self._numbers[texts[at]] for at in suspects(texts)}
        shapes = {shape for shape in self._shapes if not self.suspect_names.isdisjoint(shape)}
        if found or shapes:
            for key, number in self._containers.items():  # a container's parts stand before it
                if key[0] in shapes or not found.isdisjoint(key[1:]):
                    found.add(number)
        return found

    def size(self, number: int) -> int:
        """About how many characters a part has as JSON."""
        return self._sizes[number]

    def sizes(self, numbers: Sequence[int], most: int) -> list[int]:
        """The sizes of many parts, each of ``most`` at most; 0 for the number -1."""
        if -1 in numbers:
            return [min(self._sizes[number], most) if number >= 0 else 0 for number in numbers]
        found = list(map(self._sizes.__getitem__, numbers))
        return found if max(found, default=0) <= most else [min(size, most) for size in found]

    def repeats(self, value: Any, number: int) -> bool:
        """Whether a part is long and stands more than once, so that a reference to its first place is shorter."""
        least = LEAST_TEXT if type(value) is str else LEAST_PART
        return self._sizes[number] >= least and self._counts[number] > 1
