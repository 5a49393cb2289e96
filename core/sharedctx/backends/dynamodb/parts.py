"""Values that are larger than an item may be: parts written before the row that names them, and taken away after."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from . import layout
from .layout import INLINE, Item
from .reading import Reading

LOOSE: Final = "l"
_TOGETHER: Final = 8
"""Parts in one answer, which may have 16 MB and must not take long."""

_STALE: Final = 3600.0
"""Seconds after which nobody is still writing the parts that no row names."""


class Parts:
    """The parts of large values. What is not, or no longer, named by a row is listed in an item of the space first, so
    that whoever dies in between leaves nothing unknown."""

    def __init__(self, reading: Reading, clock: Callable[[], float]) -> None:
        self._reading = reading
        self._clock = clock

    def write(self, space: str, value: bytes) -> str:
        """Write a value's parts and return their name; they are loose until a row names them."""
        pieces = [value[at : at + INLINE] for at in range(0, len(value), INLINE)]
        name = f"{os.urandom(12).hex()}:{len(pieces)}"
        self._reading.calls.ask("put_item", Item=self.loose(space, name, [name]))
        h = self._reading.keys.parts(space)
        puts = [
            {"PutRequest": {"Item": {**layout.key(h, r), "v": {"B": piece}}}}
            for r, piece in zip(_sort_keys(name), pieces, strict=True)
        ]
        self._reading.calls.write(puts)
        return name

    def read(self, space: str, name: str) -> bytes | None:
        """A value, None where some of its parts are not there."""
        wanted = _sort_keys(name)
        h = self._reading.keys.parts(space)
        groups = [[layout.key(h, r) for r in wanted[at : at + _TOGETHER]] for at in range(0, len(wanted), _TOGETHER)]
        found = self._reading.together(lambda group: self._reading.calls.get(group, "r, v"), groups)
        pieces = {item["r"]["S"]: bytes(item["v"]["B"]) for items in found for item in items}
        return b"".join(pieces[r] for r in wanted) if len(pieces) == len(wanted) else None

    def loose(self, space: str, name: str, names: Iterable[str]) -> Item:
        """The item that lists parts which no row names."""
        told = {"p": {"S": " ".join(names)}, "at": {"N": str(int(self._clock()))}}
        return {**layout.key(self._reading.keys.space(space), loose_key(name)), **told}

    def free(self, space: str, listed: str, names: Iterable[str]) -> None:
        """Take away parts and the item that lists them."""
        h = self._reading.keys.parts(space)
        gone = [layout.key(h, r) for name in names for r in _sort_keys(name)]
        self._reading.calls.write([{"DeleteRequest": {"Key": each}} for each in gone])
        self._reading.calls.ask("delete_item", Key=layout.key(self._reading.keys.space(space), loose_key(listed)))

    def listed(self, space: str) -> list[Any]:
        """The items that list parts left behind by who died before they were named, or before they were taken away."""
        h, old = self._reading.keys.space(space), self._clock() - _STALE
        items = [item for page in self._reading.between(h, LOOSE, "m") for item in page if item["r"]["S"] != "m"]
        return [item for item in items if int(item["at"]["N"]) < old]

    def sweep(self, space: str) -> None:
        """Take away what was left behind."""
        for item in self.listed(space):
            self.free(space, item["r"]["S"].removeprefix(LOOSE), item["p"]["S"].split())


def loose_key(name: str) -> str:
    """The sort key of the item that lists parts under this name."""
    return LOOSE + name


def _sort_keys(name: str) -> list[str]:
    own, _, count = name.partition(":")
    return [f"{own}-{n:04}" for n in range(int(count))]
