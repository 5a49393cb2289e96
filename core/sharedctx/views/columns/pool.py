"""Equal parts of a JSON value, found in one pass: each distinct part has a number, a size and a count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...lazy import lazy
from .excerpt import suspects

LEAST_TEXT = 20
"""Strings shorter than this are spelled again rather than referred to."""
LEAST_PART = 24


class Pool:
    """Numbers the distinct parts of one value. 1, 1.0, true and "1" are distinct, and so are orders of names.

    Containers are known by identity: the value must stay alive and unchanged. Raises ``TypeError`` for what is no
    JSON and ``RecursionError`` for what is nested too deeply.
    """

    def __init__(self, value: Any) -> None:
        self._numbers: dict[Any, int] = {}
        self._known: dict[int, int] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._sizes: list[int] = []
        self._counts: dict[int, int] = {}
        self.add(value)
        self._count(value)

    def add(self, value: Any) -> int:
        """Return the number of a part; equal parts have the same."""
        kind = type(value)
        key: Any
        if kind is dict or kind is list:
            known = self._known.get(id(value))
            if known is None:
                known = self._known[id(value)] = self._container(value, kind)
            return known
        if kind is str or kind is int:
            key = value
        elif value is None or kind is bool or kind is float:
            key = (kind, repr(value))
        else:
            raise TypeError(f"{kind.__name__} is no JSON")
        number = self._numbers.get(key)
        return number if number is not None else self._new(key, len(str(value)) + 2 * (kind is str))

    def numbers(self, values: Iterable[Any]) -> list[int]:
        """The numbers of many parts: strings, most of what there is, without a call for each."""
        known, sizes = self._numbers, self._sizes
        found: list[int] = []
        for value in values:
            if type(value) is str:
                number = known.get(value)
                if number is None:
                    number = known[value] = len(sizes)
                    sizes.append(len(value) + 2)
                found.append(number)
            else:
                found.append(self.add(value))
        return found

    def _container(self, value: Any, kind: type) -> int:
        numbers = self._numbers
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
        number = numbers.get(key)
        if number is None:
            sizes = self._sizes
            number = self._new(key, size + sum([sizes[part] for part in parts]))
        return number

    def _new(self, key: Any, size: int) -> int:
        number = len(self._sizes)
        self._numbers[key] = number
        self._sizes.append(size)
        return number

    def _count(self, value: Any) -> None:
        kind = type(value)
        if kind is str:
            number = self._numbers[value]
            self._counts[number] = self._counts.get(number, 0) + 1
        elif kind is dict or kind is list:
            number = self._known[id(value)]
            before = self._counts.get(number, 0)
            self._counts[number] = before + 1
            if not before:
                for part in value.values() if kind is dict else value:
                    inner = type(part)
                    if inner is dict or inner is list or (inner is str and len(part) >= LEAST_TEXT):
                        self._count(part)

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
            for key, number in self._numbers.items():  # a container's parts stand before it
                if type(key) is tuple and (key[0] in shapes or not found.isdisjoint(key[1:])):
                    found.add(number)
        return found

    def size(self, number: int) -> int:
        """About how many characters a part has as JSON."""
        return self._sizes[number]

    def repeats(self, value: Any, number: int) -> bool:
        """Whether a part is long and stands more than once, so that a reference to its first place is shorter."""
        least = LEAST_TEXT if type(value) is str else LEAST_PART
        return self._counts.get(number, 0) > 1 and self._sizes[number] >= least
