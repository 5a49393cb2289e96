"""The vectors of an index in memory: a slot for each vector, what is known of its length and owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .numbers import numbers
from .packs import FLOAT, Item
from .sieve import HUGE, TINY, Sieve
from .slots import Slots

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
_LARGEST = 2.0**128 - 2.0**104
"""The largest number of float32."""


def _lengths(np: Any, block: Floats) -> Floats:
    """The rows' lengths; those whose squares leave the range of float32 by float64, as all of few are."""
    if len(block) < _FEW:
        wide = block.astype("f8")
        few: Floats = np.minimum(np.sqrt(np.vecdot(wide, wide)), _LARGEST)
        return few
    with np.errstate(over="ignore", under="ignore"):
        found: Floats = np.sqrt(np.einsum("ij,ij->i", block, block))
        odd = ~((found > TINY) & (found < HUGE))
        if odd.any():
            found[odd] = np.linalg.norm(block[odd].astype("f8"), axis=1)
    return found


class Matrix:
    """Slots are only added; one that is replaced or removed is dead until the matrix is made anew. Not locked: a search
    works on the ``Slots`` that it took, which later changes leave as they were, but for slots that die.

    Vectors lie in blocks, so that none is copied when more come; of a block, what was never written takes no memory."""

    def __init__(self, dimensions: int) -> None:
        self._np = numbers()
        self.dimensions = dimensions
        self.count = 0
        self.dead = 0
        self._per = max(_FIRST, _BYTES // (dimensions * FLOAT))
        self._blocks: list[Floats] = []
        self._norms: Floats = self._np.empty(_FIRST, "<f4")
        self._live: NDArray[np.bool_] = self._np.zeros(_FIRST, bool)
        self._owners: list[Item] = []
        self._sieve = Sieve()

    def _grown(self, old: Any, size: int) -> Any:
        new = self._np.empty(size, old.dtype)
        new[: self.count] = old[: self.count]
        return new

    def _reserve(self, end: int) -> None:
        """Make room up to this slot."""
        if end > len(self._norms):
            size = max(len(self._norms) * 2, end)
            self._norms, self._live = (self._grown(old, size) for old in (self._norms, self._live))
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
        per, blocks = self._per, self._blocks
        return [blocks[slot // per][slot % per].tolist() for slot in range(first, first + count)]

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
        return Slots(blocks, self._norms[:end], places, self._owners, self._sieve)
