"""Exact cosine search under filters, over the vectors of an index as they were at a moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .numbers import numbers
from .packs import Item
from .sieve import Bounds, Sieve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.int64]

_GROUP = 64
"""Of groups of so many scores the maxima are looked through for the best first."""
_GATHER = 3
"""Where fewer than one in so many slots is asked for, only these are multiplied."""
_SIFT = 8
"""Where more than one in so many slots fits a filter, bounds of the scores are looked at first, and they help where
they leave fewer than one in so many."""
_GATHERED = 2**18
"""Bytes of rows that are gathered at a time, which the processor's own cache holds."""
_SCATTERED = 12
"""Fewer rows of each block are gathered one by one."""


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


def _least(np: Any, scores: Floats, depth: int) -> Any:
    """A score that at least ``depth`` of more scores reach, and few others."""
    count = len(scores) // _GROUP
    if count > 2 * depth:  # as many groups have a maximum of so much
        scores = scores[: count * _GROUP].reshape(_GROUP, count).max(axis=0)  # faster than neighbours
    return np.partition(scores, len(scores) - depth)[len(scores) - depth]


class Slots(NamedTuple):
    """Vectors in blocks of one size with their lengths, which of them count (in order; None: all), whose they are."""

    blocks: list[Floats]
    norms: Floats
    places: Places | None
    owners: list[Item]
    sieve: Sieve

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
        blocks, per = self.blocks, len(self.blocks[0])
        most = max(1, _GATHERED // unit.nbytes)
        rows: Floats = np.empty((min(most, len(places)), len(unit)), unit.dtype)
        for start in range(0, len(places), most):
            some = places[start : start + most]
            part = rows[: len(some)]
            first, last = int(some[0]) // per, int(some[-1]) // per
            if len(some) < (last - first) * _SCATTERED:
                np.concatenate([blocks[at // per][at % per] for at in some.tolist()], out=part.reshape(-1))
            else:
                ends = np.searchsorted(some, np.arange(first, last + 2) * per).tolist()
                for number, lo, hi in zip(range(first, last + 1), ends, ends[1:], strict=False):
                    local = some[lo:hi] - number * per
                    np.take(blocks[number], local, axis=0, out=part[lo:hi], mode="clip")  # "raise" would copy once more
            np.vecdot(part, unit, out=found[start : start + len(some)])
        return found

    def _exact(self, np: Any, unit: Floats, places: Places | None) -> Floats:
        """The scores of the vectors at ``places``, or of all."""
        norms = self.norms
        if places is not None and len(places) * _GATHER < len(norms):
            dots, norms = self._gathered(np, places, unit), norms[places]
        else:
            dots = self._products(np, unit)
        scores: Floats = np.divide(dots, norms, out=dots)
        return scores[places] if places is not None and len(places) < len(scores) else scores

    def _bounds(self, np: Any, unit: Floats, count: int) -> Bounds | None:
        """Bounds of the scores, where they help to find the ``count`` best."""
        places = self.places
        if count * _SIFT >= len(self.norms) or (places is not None and len(places) * _SIFT < len(self.norms)):
            return None
        found = self.sieve.bounds(np, self.blocks, self.norms, unit)
        return found if found is None or places is None else found._replace(most=found.most[places])

    def _sifted(self, np: Any, unit: Floats, bounds: Bounds, depth: int) -> tuple[Places, Floats] | None:
        """The slots of the ``depth`` best scores and of equal ones, with these; None where bounds leave too many."""
        few = len(bounds.most) // _SIFT
        if depth >= few:
            return None
        least = _least(np, bounds.most, depth)
        for _ in range(2):  # the best bounds lead to scores that the others must reach
            slots = np.flatnonzero(bounds.most >= least)
            if len(slots) > few:
                return None
            slots = slots if self.places is None else self.places[slots]
            scores = self._exact(np, unit, slots)
            if not math.isfinite(scores.max()):
                return None
            lowest = np.partition(scores, len(scores) - depth)[len(scores) - depth]
            least = float(lowest) - bounds.slack
        kept = scores >= lowest
        return slots[kept], scores[kept]

    def nearest(self, vector: Floats, count: int, counts: Callable[[Item], bool] | None) -> list[Nearest]:
        """Return the ``count`` items that are nearest to the vector, best first; each by the nearest of its vectors.

        ``counts`` judges single items at the end of the way. Equal ones come in the order of their keys.
        """
        np = numbers()
        wide = vector.astype("f8")
        length = math.sqrt(wide.dot(wide))
        unit = (wide / length if length else wide).astype("<f4")
        bounds = self._bounds(np, unit, count)
        every: Floats | None = None
        depth = count
        while True:
            sifted = None if bounds is None else self._sifted(np, unit, bounds, depth)
            if sifted is not None:
                whole = False
                slots, scores = sifted
            else:
                if bounds is not None:
                    self.sieve.rest()
                    bounds = None
                if every is None:
                    every = self._exact(np, unit, self.places)
                whole = depth >= len(every)
                found = np.arange(len(every)) if whole else np.flatnonzero(every >= _least(np, every, depth))
                slots, scores = found if self.places is None else self.places[found], every[found]
            ranked = sorted(
                (-score, self.owners[slot].key, slot)
                for score, slot in zip(scores.tolist(), slots.tolist(), strict=True)
            )
            best: dict[str, Nearest] = {}
            for score, key, slot in ranked:
                if key not in best and (counts is None or counts(self.owners[slot])):
                    best[key] = Nearest(self.owners[slot], max(-1.0, min(1.0, -score)))
            if whole or len(best) >= count:
                return list(best.values())[:count]
            depth *= 4
