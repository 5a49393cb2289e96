"""What an index holds in memory: items by key, the matrix of their vectors, the packs they came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from .matrix import Matrix, Where
from .merging import Known
from .packs import FLOAT, Item, Pack

_NONE: Final[set[str]] = set()


class _Held(NamedTuple):
    item: Item
    slot: int
    """The first of its slots, -1 where it has none."""


class Catalogue:
    """Takes packs in any order, and any of them again; ``labels`` are those of an item. Not locked."""

    def __init__(self, labels: Callable[[Item], Iterable[str]]) -> None:
        self._labels_of = labels
        self._labels: dict[str, set[str]] | None = None
        self.versions: dict[str, int] = {}
        self.expiring: dict[str, float] = {}
        self.packs: dict[str, Known] = {}
        self.matrix: Matrix | None = None
        self._items: dict[str, _Held] = {}
        self._gone: dict[str, int] = {}
        self._names: dict[str, list[str]] = {}

    @property
    def dimensions(self) -> int | None:
        """The dimensions of the vectors; None while there are none."""
        matrix = self.matrix
        return None if matrix is None else matrix.dimensions

    def item(self, key: str) -> Item | None:
        """Return what is known of an entry."""
        held = self._items.get(key)
        return None if held is None else held.item

    def find(self, name: str) -> Item | None:
        """Return what is known of the entry of this other name; of several, the one that was told last."""
        keys = self._names.get(name)
        return self.item(keys[-1]) if keys else None

    def items(self) -> list[Item]:
        """Return all items."""
        return [held.item for held in self._items.values()]

    def fitting(self, where: Where) -> list[_Held]:
        """Return the items that fit, each with its first slot, -1 where it has none."""
        if self._labels is None:  # kept from the first question on
            self._labels = {}
            for item, _ in self._items.values():
                self._label(self._labels, item)
        groups = [[self._labels.get(label, _NONE) for label in group] for group in where.labels]
        if not groups:
            return [held for held in self._items.values() if where(held.item)]
        chosen = [group[0] if len(group) == 1 else set().union(*group) for group in groups]
        chosen.sort(key=len)
        keys = chosen[0].intersection(*chosen[1:]) if len(chosen) > 1 else chosen[0]
        found = [self._items[key] for key in keys]
        return [held for held in found if where(held.item)] if where.judges else found

    def _label(self, labels: dict[str, set[str]], item: Item) -> None:
        for label in self._labels_of(item):
            labels.setdefault(label, set()).add(item.key)

    def vectors(self, key: str) -> list[list[float]]:
        """Return an entry's vectors."""
        held = self._items.get(key)
        if held is None or held.slot < 0 or self.matrix is None:
            return []
        return self.matrix.vectors(held.slot, held.item.vectors or 0)

    def fill(self, found: Sequence[tuple[str, int, Pack]]) -> None:
        """Take all packs of an index, each with its name and size."""
        dimensions = max((pack.dimensions for _, _, pack in found), default=0)
        if dimensions:
            self.matrix = Matrix(dimensions)
            self.matrix.reserve(sum(len(pack.floats) for _, _, pack in found) // (dimensions * FLOAT))
        for name, size, pack in found:
            self.take(name, size, pack)

    def take(self, name: str, size: int, pack: Pack) -> None:
        """Put into memory what a pack knows better."""
        entries = sum(item.vectors is not None for item in pack.items)
        self.packs[name] = Known(size, pack.dimensions, pack.items, entries)
        if pack.dimensions and self.matrix is None:
            self.matrix = Matrix(pack.dimensions)
        fitting = self.matrix is not None and pack.dimensions == self.matrix.dimensions
        width = pack.dimensions * FLOAT
        news: list[Item] = []
        rows: list[bytes | memoryview] = []
        at = 0
        for item in pack.items:
            key, version, count, _, expires, other = item
            start, at = at, at + (count or 0) * width
            if version <= self.versions.get(key, 0) or (self._gone and version <= self._gone.get(key, 0)):
                continue
            if key in self._items:
                self._bury(key)
            if count is None:
                self._gone[key] = version
                continue
            self._gone.pop(key, None)
            self._items[key] = _Held(item, -1)
            self.versions[key] = version
            if other is not None:
                self._names.setdefault(other, []).append(key)
            if self._labels is not None:
                self._label(self._labels, item)
            if expires is not None:
                self.expiring[key] = expires
            if count and fitting:
                news.append(item)
                rows.append(pack.floats[start:at])
        if not news or self.matrix is None:
            return
        slot = self.matrix.add(news, pack.floats if len(news) == len(pack.items) else b"".join(rows))
        for item in news:
            self._items[item.key] = _Held(item, slot)
            slot += item.vectors or 0
        if self.matrix.crowded:
            self._renew(self.matrix)

    def _bury(self, key: str) -> None:
        """Let the slots of an item die, before it gets others or goes."""
        held = self._items.pop(key, None)
        self.versions.pop(key, None)
        self.expiring.pop(key, None)
        if held is not None and self._labels is not None:
            for label in self._labels_of(held.item):
                self._labels[label].discard(key)
        if held is not None and held.item.name is not None:
            keys = self._names[held.item.name]
            keys.remove(key)
            if not keys:
                del self._names[held.item.name]
        if held is not None and held.slot >= 0 and self.matrix is not None:
            self.matrix.kill(held.slot, held.item.vectors or 0)

    def let_go(self, key: str, version: int) -> None:
        """Forget an entry that was removed by this version."""
        self._bury(key)
        self._gone[key] = version

    def _renew(self, old: Matrix) -> None:
        """Make the matrix anew without its dead slots."""
        held = [each for each in self._items.values() if each.slot >= 0]
        new = self.matrix = Matrix(old.dimensions)
        slot = new.add([item for item, _ in held], b"".join(old.bytes(slot, item.vectors or 0) for item, slot in held))
        for item, _ in held:
            self._items[item.key] = _Held(item, slot)
            slot += item.vectors or 0
