"""The packages that calculate with rows of numbers, imported on first use."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from ..extras import extra

_numpy: Any = None


def numbers() -> Any:
    """Return numpy; raises ``PackageNotInstalled``."""
    global _numpy
    if _numpy is None or sys.modules.get("numpy") is not _numpy:  # an import statement takes ten times as long
        with extra("vectors", "searching by vectors"):
            import numpy
        _numpy = numpy
    return _numpy


@cache
def wholes() -> Any:
    """Return numkong, whose products of whole numbers are several times faster than numpy's; None where it is missing
    or does not calculate right on this machine."""
    np = numbers()
    try:
        import numkong
    except ImportError:
        return None
    rows = np.tile(np.array([[127], [-127], [1], [-1], [0], [127]], "i1"), (3, 1103))
    rows[12:, ::2] *= -1
    asked = rows[:1] - np.arange(1103, dtype="i1") % 3
    right = rows.astype("i8") @ asked[0].astype("i8")
    found = np.asarray(numkong.dots_packed(asked, numkong.dots_pack(rows, "int8")))
    return numkong if np.array_equal(found[0], right) else None
