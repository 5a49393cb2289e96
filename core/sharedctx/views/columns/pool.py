"""Equal parts of a JSON value, found in one pass: each distinct part has a number, a size and a count."""

from __future__ import annotations

from typing import Any

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

    def _container(self, value: Any, kind: type) -> int:
        numbers = self._numbers
        parts: list[int] = []
        for part in value.values() if kind is dict else value:
            number = numbers.get(part) if type(part) is str else None
            parts.append(self.add(part) if number is None else number)
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
            if len(value) >= LEAST_TEXT:
                number = self._numbers[value]
                self._counts[number] = self._counts.get(number, 0) + 1
        elif kind is dict or kind is list:
            number = self._known[id(value)]
            before = self._counts.get(number, 0)
            self._counts[number] = before + 1
            if not before:
                for part in value.values() if kind is dict else value:
                    self._count(part)

    def size(self, number: int) -> int:
        """About how many characters a part has as JSON."""
        return self._sizes[number]

    def repeats(self, value: Any, number: int) -> bool:
        """Whether a part is long and stands more than once, so that a reference to its first place is shorter."""
        least = LEAST_TEXT if type(value) is str else LEAST_PART
        return self._counts.get(number, 0) > 1 and self._sizes[number] >= least
