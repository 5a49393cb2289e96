"""What an index holds in memory: items by key, the matrix of their vectors, the packs they came in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Final

from ..backends.steps import Steps
from .matrix import Matrix
from .merging import Known, kept
from .packs import FLOAT, Item, Pack
from .slots import Where

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NONE: Final[set[str]] = set()
_ASKED: Final = 64
"""Filters whose slots are remembered until something changes."""


class Catalogue:
    """Takes packs in any order, and any of them again; ``labels`` are those of an item, ``dimensions`` those of its
    vectors, of which there are none else, ``founded`` the revision that wrote these. Not locked."""

    def __init__(
        self, labels: Callable[[Item], Iterable[str]], dimensions: int | None = None, founded: int | None = None
    ) -> None:
        self._labels_of = labels
        self.founded = founded
        self._labels: dict[str, set[str]] | None = None
        self.versions: dict[str, int] = {}
        self.expiring: dict[str, float] = {}
        self.packs: dict[str, Known] = {}
        self.matrix = Matrix(dimensions) if dimensions else None
        self._items: dict[str, Item] = {}
        self._slots: dict[str, int] = {}  # the first of each item that has any
        self._gone: dict[str, int] = {}
        self._names: dict[str, str | list[str]] = {}
        self._asked: dict[tuple[tuple[str, ...], ...], NDArray[np.int64]] = {}

    @property
    def dimensions(self) -> int | None:
        """The dimensions of the vectors; None while there are none."""
        matrix = self.matrix
        return None if matrix is None else matrix.dimensions

    def item(self, key: str) -> Item | None:
        """Return what is known of an entry."""
        return self._items.get(key)

    def find(self, name: str) -> list[Item]:
        """Return what is known of the entries of this other name, the one that was told last at the end."""
        keys = self._names.get(name, ())
        return [self._items[key] for key in ((keys,) if isinstance(keys, str) else keys)]

    def items(self) -> list[Item]:
        """Return all items."""
        return list(self._items.values())

    def fitting(self, where: Where) -> list[Item]:
        """Return the items that fit."""
        if self._labels is None:  # kept from the first question on
            self._labels = {}
            for item in self._items.values():
                self._label(self._labels, item)
        groups = [[self._labels.get(label, _NONE) for label in group] for group in where.labels]
        if not groups:
            return [item for item in self._items.values() if where(item)]
        chosen = [group[0] if len(group) == 1 else set().union(*group) for group in groups]
        chosen.sort(key=len)
        keys = chosen[0].intersection(*chosen[1:]) if len(chosen) > 1 else chosen[0]
        found = [self._items[key] for key in keys]
        return [item for item in found if where(item)] if where.judges else found

    def places(self, where: Where, matrix: Matrix) -> NDArray[np.int64]:
        """Return the slots of the items that fit, in order."""
        asked = None if where.judges else tuple(map(tuple, where.labels))
        if asked is not None and (found := self._asked.get(asked)) is not None:
            return found
        slots = self._slots
        found = matrix.places(
            [(slots[item.key], item.vectors or 0) for item in self.fitting(where) if item.key in slots]
        )
        if asked is not None:
            if len(self._asked) >= _ASKED:
                self._asked.clear()
            self._asked[asked] = found
        return found

    def _label(self, labels: dict[str, set[str]], item: Item) -> None:
        for label in self._labels_of(item):
            labels.setdefault(label, set()).add(item.key)

    def vectors(self, key: str) -> list[list[float]]:
        """Return an entry's vectors."""
        if key not in self._slots or self.matrix is None:
            return []
        return self.matrix.vectors(self._slots[key], self._items[key].vectors or 0)

    def merged(self, chosen: Collection[str]) -> tuple[list[Item], list[bytes]]:
        """Return what merging packs must keep, and the vectors of each of these items."""
        items = kept(self.packs, chosen, self.versions)
        if self.matrix is None:
            return items, []
        return items, [self.matrix.bytes(self._slots.get(item.key, 0), item.vectors or 0) for item in items]

    def take(self, name: str, size: int, pack: Pack) -> None:
        """Put into memory what a pack knows better."""
        self._asked.clear()
        if self.matrix is None and self.founded is not None and pack.dimensions:
            self.matrix = Matrix(pack.dimensions)  # what told them is damaged
        entries = len(pack.items) if pack.alike else sum(item.vectors is not None for item in pack.items)
        self.packs[name] = Known(size, pack.dimensions, pack.items, entries)
        if not self._take_whole(pack):
            self._take_each(pack)
        if self.matrix is not None and self.matrix.crowded:
            self._renew(self.matrix)

    def _take_whole(self, pack: Pack) -> bool:
        """Take a pack of items that are alike and all new, at a tenth of the time."""
        if (
            not pack.alike
            or self.matrix is None
            or self.matrix.dimensions != pack.dimensions
            or self._labels is not None
        ):
            return False
        keys, versions, *_, names = zip(*pack.items, strict=True)
        if not (
            self.versions.keys().isdisjoint(keys)
            and (not self._gone or self._gone.keys().isdisjoint(keys))
            and self._names.keys().isdisjoint(names)
        ):
            return False
        slot = self.matrix.add(pack.items, pack.floats)
        self._items.update(zip(keys, pack.items, strict=True))
        self._slots.update(zip(keys, range(slot, slot + len(keys)), strict=True))
        self.versions.update(zip(keys, versions, strict=True))
        self._names.update(zip(names, keys, strict=True))
        return True

    def _take_each(self, pack: Pack) -> None:
        fitting = self.matrix is not None and pack.dimensions == self.matrix.dimensions
        width = pack.dimensions * FLOAT
        news: list[Item] = []
        rows: list[bytes | memoryview] = []
        at = 0
        for item in pack.items:
            key, version, count, _, expires, name = item
            start, at = at, at + (count or 0) * width
            if version <= self.versions.get(key, 0) or version <= self._gone.get(key, 0):
                continue
            if key in self._items:
                self._bury(key)
            if count is None:
                self._gone[key] = version
                continue
            self._gone.pop(key, None)
            self._items[key] = item
            self.versions[key] = version
            if name is not None:
                self._name(name, key)
            if self._labels is not None:
                self._label(self._labels, item)
            if expires is not None:
                self.expiring[key] = expires
            if count and fitting:
                news.append(item)
                rows.append(pack.floats[start:at])
        if news and self.matrix is not None:
            slot = self.matrix.add(news, b"".join(rows))
            for item in news:
                self._slots[item.key] = slot
                slot += item.vectors or 0

    def _name(self, name: str, key: str) -> None:
        held = self._names.get(name)
        if held is None:
            self._names[name] = key
        else:
            self._names[name] = [held, key] if isinstance(held, str) else [*held, key]

    def _bury(self, key: str) -> None:
        """Let an item go with its slots."""
        self._asked.clear()
        self.versions.pop(key, None)
        self.expiring.pop(key, None)
        slot = self._slots.pop(key, None)
        item = self._items.pop(key, None)
        if item is None:
            return
        if self._labels is not None:
            for label in self._labels_of(item):
                self._labels[label].discard(key)
        held = None if item.name is None else self._names.pop(item.name)
        if item.name is not None and isinstance(held, list):
            rest = [each for each in held if each != key]
            self._names[item.name] = rest if len(rest) > 1 else rest[0]
        if slot is not None and self.matrix is not None:
            self.matrix.kill(slot, item.vectors or 0)

    def expired(self, now: float) -> list[Item]:
        """Return the items that have expired by then."""
        return [self._items[key] for key, expires in self.expiring.items() if expires <= now]

    def let_expired_go(self, now: float, lives: Callable[[str], Steps[bool]], lock: Lock) -> Steps[None]:
        """Forget what was swept before this process followed the feed, so that merging leaves it out; holds the lock
        where it must."""
        with lock:
            due = self.expired(now)
        for item in due:
            if not (yield from lives(item.key)):
                with lock:
                    if self.item(item.key) is item:
                        self.let_go(item.key, item.version)

    def let_go(self, key: str, version: int) -> None:
        """Forget an entry that was removed by this version."""
        self._bury(key)
        self._gone[key] = version

    def _renew(self, old: Matrix) -> None:
        """Make the matrix anew without its dead slots."""
        items = [self._items[key] for key in self._slots]
        rows = b"".join(old.bytes(self._slots[item.key], item.vectors or 0) for item in items)
        new = self.matrix = Matrix(old.dimensions)
        slot = new.add(items, rows)
        for item in items:
            self._slots[item.key] = slot
            slot += item.vectors or 0
