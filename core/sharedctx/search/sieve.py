"""A first pass over many vectors, in bytes: bounds of their scores, so that few are left to be multiplied exactly.

Each vector is taken as whole numbers from -127 to 127 times a factor of its own, and so is what is searched for. How
far such a product may be off is known (Cauchy and Schwarz: no more than the product of the lengths), and what rounding
may add to either product is counted in. What scores best is always among those whose bound reaches it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .numbers import wholes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TINY, HUGE = 1e-15, 1e15
"""Lengths of vectors whose squares float32 can add up."""
_TOP = 127
_WIDEST = 2**16
"""Dimensions up to which a product of such whole numbers fits into 32 bits."""
_LEAST = 2**21
"""Numbers of an index from which on a first pass gains anything."""
_PATIENCE = 3
"""Searches before the first block is packed: who asks once or twice is served sooner without."""
_REST = 8
"""Searches that go without after one whose bounds were of no use."""
_SHARE = 8
"""A block that is not full is packed anew when so large a part of it is not packed."""
_EVEN = 64
"""What is packed has a multiple of so many rows and columns: others take several times as long."""
_AT_ONCE = 2**15
"""Numbers that are rounded at a time, which the processor's own cache holds."""


class _Packed(NamedTuple):
    """The first rows as packed whole numbers, block by block. A product times its factor is a score, which is off by at
    most its error."""

    blocks: Sequence[Any]
    factors: Floats
    errors: Floats


class Bounds(NamedTuple):
    """No score is higher than its place in ``most`` and ``slack``."""

    most: Floats
    slack: float


def _even(count: int) -> int:
    return -(-count // _EVEN) * _EVEN


def _whole(np: Any, block: Floats, norms: Floats) -> tuple[Any, Floats, Floats]:
    """Return a block's rows as whole numbers with their factors and errors; of odd lengths they have no bound."""
    count, dimensions = block.shape
    whole = np.zeros((_even(count), _even(dimensions)), "i1")
    scales, factors, errors = np.zeros((3, count), "f4")
    sound = (norms > TINY) & (norms < HUGE)
    step = max(1, _AT_ONCE // dimensions)
    for start in range(0, count, step):
        part = slice(start, start + step)
        rows = block[part]
        tops = np.maximum(rows.max(axis=1), -rows.min(axis=1))
        np.divide(_TOP, tops, out=scales[part], where=sound[part])
        scaled = rows * scales[part, None]
        nearest = np.rint(scaled)
        whole[start : start + len(rows), :dimensions] = nearest
        scaled -= nearest
        np.sqrt(np.vecdot(scaled, scaled), out=errors[part])
    np.divide(1, norms * np.where(sound, scales, 1), out=factors, where=sound)
    errors *= factors
    errors[~sound & np.isfinite(norms)] = np.inf
    return whole, factors, errors


class Sieve:
    """Keeps the vectors of a matrix in bytes besides, a quarter of their size, once they are searched often.

    Blocks are packed one at a time, each by the search that finds it due. Safe for threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packed: _Packed | None = None
        self._asked = 0

    def bounds(self, np: Any, blocks: Sequence[Floats], norms: Floats, unit: Floats) -> Bounds | None:
        """Return bounds of the scores of all rows with a vector of length 1; None where there is nothing to gain.

        ``blocks`` of one size hold all rows there are and ``norms`` are their lengths, infinite for zeros.
        """
        dimensions = len(unit)
        if len(norms) * dimensions < _LEAST or dimensions > _WIDEST:
            return None
        self._asked += 1
        if self._asked <= _PATIENCE or (engine := wholes()) is None:
            return None
        packed = self._pack(np, engine, blocks, norms)
        wide = unit.astype("f8")
        scale = float(abs(wide).max()) / _TOP
        if packed is None or not scale:
            return None
        nearest = np.rint(wide / scale)
        asked = np.zeros((1, _even(dimensions)), "i1")
        asked[0, :dimensions] = nearest
        wide -= nearest * scale
        off = math.sqrt(wide.dot(wide))
        slack = (dimensions + 16) * 2.0**-22  # four times what rounding to 24 bits may add
        most = np.empty(len(norms), "f4")
        end = min(len(norms), len(packed.factors))  # others may have packed more by now
        at = 0
        for rows in packed.blocks[: len(blocks)]:
            part = most[at : min(at + len(blocks[0]), end)]
            part[...] = np.asarray(engine.dots_packed(asked, rows))[0, : len(part)]
            at += len(part)
        found = most[:end]
        found *= packed.factors[:end]
        found *= scale
        found += packed.errors[:end] * (1 + off + slack)
        first, inside = divmod(end, len(blocks[0]))
        for block in blocks[first:]:  # of which the scores themselves are taken
            part = most[at : at + len(block) - inside]
            np.vecdot(block[inside:], unit, out=part)
            part /= norms[at : at + len(part)]
            part[np.isnan(part)] = np.inf
            at += len(part)
            inside = 0
        return Bounds(most, (1 + slack) * off + slack)

    def rest(self) -> None:
        """Leave the next searches alone, as bounds are too wide for such vectors."""
        self._asked = _PATIENCE - _REST

    def _pack(self, np: Any, engine: Any, blocks: Sequence[Floats], norms: Floats) -> _Packed | None:
        """Return what is packed after packing the first block that is due, unless another search is at it."""
        if self._lock.acquire(blocking=False):
            try:
                packed = self._packed or _Packed((), norms[:0], norms[:0])
                per = len(blocks[0])
                number, inside = divmod(len(packed.factors), per)
                last = len(blocks) - 1
                if number < last or (number == last and (len(blocks[last]) - inside) * _SHARE >= per):
                    start = number * per
                    block = blocks[number]
                    whole, factors, errors = _whole(np, block, norms[start : start + len(block)])
                    self._packed = _Packed(
                        (*packed.blocks[:number], engine.dots_pack(whole, "int8")),
                        np.concatenate((packed.factors[:start], factors)),
                        np.concatenate((packed.errors[:start], errors)),
                    )
            finally:
                self._lock.release()
        return self._packed
