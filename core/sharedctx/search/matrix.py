"""The vectors of an index in memory: one array, a slot for each vector, exact cosine search under filters."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..extras import extra
from .packs import FLOAT, Item

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.int64]

_FIRST = 256
_BYTES = 4 * 2**20 - 1
"""A block of vectors is no larger: from there on numpy asks for huge pages, of which each may take a virtual machine
milliseconds at its first touch."""
_FEW = 8
_TINY, _HUGE = 1e-15, 1e15
_BLOCK = 64
"""So many scores are looked through for the best of their maxima first."""
_GATHER = 3
"""Where fewer than one in so many slots fits a filter, only these are multiplied."""
_GATHERED = 2**18
"""Bytes of rows that are gathered at a time, which the processor's own cache holds."""


_numpy: Any = None


class Where(Protocol):
    """A filter: an item fits that has a label of each of the groups ``labels`` and, where ``judges``, is judged to."""

    @property
    def labels(self) -> Sequence[Sequence[str]]:
        """Groups of labels, none empty."""
        ...

    @property
    def judges(self) -> bool:
        """Whether what the labels leave must be judged one by one."""
        ...

    def __call__(self, item: Item, /) -> bool:
        """Whether an item that the labels leave fits."""
        ...


class Nearest(NamedTuple):
    """An item that a search found; ``score`` is the cosine of the angle, from -1 to 1."""

    item: Item
    score: float


def numbers() -> Any:
    """Return numpy, imported on first use; raises ``PackageNotInstalled``."""
    global _numpy
    if _numpy is None or sys.modules.get("numpy") is not _numpy:  # an import statement takes ten times as long
        with extra("vectors", "searching by vectors"):
            import numpy
        _numpy = numpy
    return _numpy


def _lengths(np: Any, block: Floats) -> Floats:
    """The rows' lengths; those whose squares leave the range of float32 by float64, as all of few are."""
    if len(block) < _FEW:
        wide = block.astype("f8")
        few: Floats = np.minimum(np.sqrt(np.vecdot(wide, wide)), np.finfo("f4").max)
        return few
    with np.errstate(over="ignore", under="ignore"):
        found: Floats = np.sqrt(np.einsum("ij,ij->i", block, block))
        odd = ~((found > _TINY) & (found < _HUGE))
        if odd.any():
            found[odd] = np.linalg.norm(block[odd].astype("f8"), axis=1)
    return found


def _least(np: Any, scores: Floats, depth: int) -> Any:
    """A score that at least ``depth`` of more scores reach, and few others."""
    count = len(scores) // _BLOCK
    if count > 2 * depth:  # as many blocks have a maximum of so much
        scores = scores[: count * _BLOCK].reshape(count, _BLOCK).max(axis=1)
    return np.partition(scores, len(scores) - depth)[len(scores) - depth]


class Matrix:
    """Slots are only added; one that is replaced or removed is dead until the matrix is made anew. Not locked: a search
    works on the ``Slots`` that it took, which later changes leave as they were, but for slots that die.

    Vectors lie in blocks, so that nothing is copied when more come, but for the first block while it is small."""

    def __init__(self, dimensions: int) -> None:
        self._np = numbers()
        self.dimensions = dimensions
        self.count = 0
        self.dead = 0
        self._per = max(_FIRST, _BYTES // (dimensions * FLOAT))
        self._blocks: list[Floats] = [self._np.empty((_FIRST, dimensions), "<f4")]
        self._norms: Floats = self._np.empty(_FIRST, "<f4")
        self._live: NDArray[np.bool_] = self._np.zeros(_FIRST, bool)
        self._owners: list[Item] = []

    def _grown(self, old: Any, count: int, size: int) -> Any:
        new = self._np.empty((size, *old.shape[1:]), old.dtype)
        new[:count] = old[:count]
        return new

    def _reserve(self, end: int) -> None:
        """Make room up to this slot."""
        if end > len(self._norms):
            size = max(len(self._norms) * 2, end)
            self._norms, self._live = (self._grown(old, self.count, size) for old in (self._norms, self._live))
        first = self._blocks[0]
        if len(first) < min(end, self._per):
            size = min(max(len(first) * 2, end), self._per)
            self._blocks[0] = self._grown(first, min(self.count, len(first)), size)
        while end > self._per * len(self._blocks):
            self._blocks.append(self._np.empty((self._per, self.dimensions), "<f4"))

    def add(self, items: Sequence[Item], rows: bytes | memoryview) -> int:
        """Add the vectors of items, which lie one after the other in ``rows``; returns the first slot."""
        np, first = self._np, self.count
        given = np.frombuffer(rows, "<f4").reshape(-1, self.dimensions)
        end = first + len(given)
        self._reserve(end)
        for block, lo, hi in self._spans(first, end):
            part = block[lo:hi]
            part[...] = given[: hi - lo]
            given = given[hi - lo :]
            norms = _lengths(np, part)
            norms[norms == 0] = np.inf  # such a vector is as far from any as can be said: 0
            at = end - len(given)
            self._norms[at - len(part) : at] = norms
        self._live[first:end] = True
        if len(items) == end - first:
            self._owners += items
        else:
            self._owners += [item for item in items for _ in range(item.vectors or 0)]
        self.count = end
        return first

    def _spans(self, first: int, end: int) -> Iterator[tuple[Floats, int, int]]:
        """The blocks that hold these slots, and where in them."""
        while first < end:
            number, lo = divmod(first, self._per)
            hi = min(self._per, lo + end - first)
            yield self._blocks[number], lo, hi
            first += hi - lo

    def kill(self, first: int, count: int) -> None:
        """Let slots die."""
        self._live[first : first + count] = False
        self.dead += count

    @property
    def crowded(self) -> bool:
        """Whether so many slots are dead that the matrix should be made anew."""
        return self.dead > max(_FIRST, self.count // 2)

    def bytes(self, first: int, count: int) -> bytes:
        """Return the vectors of slots as they are stored."""
        return b"".join(block[lo:hi].tobytes() for block, lo, hi in self._spans(first, first + count))

    def vectors(self, first: int, count: int) -> list[list[float]]:
        """Return the vectors of slots."""
        found: list[list[float]] = []
        for block, lo, hi in self._spans(first, first + count):
            found += block[lo:hi].tolist()
        return found

    def places(self, chosen: Sequence[tuple[int, int]]) -> Places:
        """Return the slots of items in order, each given by its first one and how many it has."""
        np = self._np
        if all(count == 1 for _, count in chosen):
            found: Places = np.fromiter((slot for slot, _ in chosen), "i8", len(chosen))
        else:
            found = np.array([slot + n for slot, count in chosen for n in range(count)], "i8")
        found.sort()
        return found

    def slots(self, places: Places | None) -> Slots:
        """Return what a search works on: all that live now, or those at ``places``."""
        end = self.count
        if places is None and self.dead:
            places = self._np.flatnonzero(self._live[:end])
        blocks = [block[:hi] for block, _, hi in self._spans(0, end)]
        return Slots(blocks, self._norms[:end], places, self._owners)


class Slots(NamedTuple):
    """Vectors in blocks of one size with their lengths, which of them count (in order; None: all), whose they are."""

    blocks: list[Floats]
    norms: Floats
    places: Places | None
    owners: list[Item]

    def _products(self, np: Any, unit: Floats) -> Floats:
        """The products of all vectors and ``unit``, on this thread: `@` waits for a pool that is busy elsewhere."""
        found: Floats = np.empty(len(self.norms), unit.dtype)
        at = 0
        for block in self.blocks:
            np.vecdot(block, unit, out=found[at : at + len(block)])
            at += len(block)
        return found

    def _gathered(self, np: Any, places: Places, unit: Floats) -> Floats:
        """The products of the vectors at ``places`` and ``unit``, without a copy of all of them."""
        found: Floats = np.empty(len(places), unit.dtype)
        per = len(self.blocks[0]) if self.blocks else 1
        most = max(1, _GATHERED // unit.nbytes)
        rows: Floats = np.empty((min(most, len(places)), len(unit)), unit.dtype)
        ends = np.searchsorted(places, np.arange(1, len(self.blocks) + 1) * per).tolist()
        start = 0
        for number, (block, end) in enumerate(zip(self.blocks, ends, strict=True)):
            local = places[start:end] - number * per
            for at in range(0, len(local), most):
                some = local[at : at + most]
                part = rows[: len(some)]
                np.take(block, some, axis=0, out=part, mode="clip")  # "raise" would copy once more
                np.vecdot(part, unit, out=found[start + at : start + at + len(some)])
            start = end
        return found

    def nearest(self, vector: Floats, count: int, counts: Callable[[Item], bool] | None) -> list[Nearest]:
        """Return the ``count`` items that are nearest to the vector, best first; each by the nearest of its vectors.

        ``counts`` judges single items at the end of the way. Equal ones come in the order of their keys.
        """
        np = numbers()
        norms, places = self.norms, self.places
        wide = vector.astype("f8")
        length = math.sqrt(wide.dot(wide))
        unit = (wide / length if length else wide).astype("<f4")
        if places is not None and len(places) * _GATHER < len(norms):
            dots, norms = self._gathered(np, places, unit), norms[places]
        else:
            dots = self._products(np, unit)
        scores = np.divide(dots, norms, out=dots)
        if places is not None and len(places) < len(scores):
            scores = scores[places]
        depth = count
        while True:
            best: dict[str, Nearest] = {}
            whole = depth >= len(scores)
            least = None if whole else _least(np, scores, depth)
            found = np.arange(len(scores)) if whole else np.flatnonzero(scores >= least)
            slots = found if places is None else places[found]
            ranked = sorted(
                (-score, self.owners[slot].key, slot)
                for score, slot in zip(scores[found].tolist(), slots.tolist(), strict=True)
            )
            for score, key, slot in ranked:
                if key not in best and (counts is None or counts(self.owners[slot])):
                    best[key] = Nearest(self.owners[slot], max(-1.0, min(1.0, -score)))
            if whole or len(best) >= count:
                return list(best.values())[:count]
            depth *= 4
