"""Where a key's history may be cut: below all that its newest versions build on."""

from __future__ import annotations

from ..backends import steps
from ..backends.base import Row
from ..backends.steps import Steps
from ..errors import DecodeError
from .reading import Versions


def first_needed(versions: Versions, pk: str, keep: int) -> Steps[int]:
    """Return the number of the oldest version that the newest ``keep`` need, themselves included; 0: all are needed.

    Damaged ones count for nothing, so that what still reads is kept besides.
    """
    rows: list[Row] = []
    sound = 0
    while sound < keep:
        hi = int(rows[-1].sk) if rows else None
        page = yield from steps.scan(versions.space, pk, 1, hi, limit=keep - sound, newest_first=True)
        if not page:
            return 0
        rows += page
        sound += sum(_back(versions, row) is not None for row in page)
    cut = min(_needed(versions, row) for row in rows)
    first = int(rows[-1].sk)
    while cut < first:
        older = yield from steps.scan(versions.space, pk, cut, first, limit=1000)
        first = cut
        cut = min([cut, *(_needed(versions, row) for row in older)])
    return cut


def _needed(versions: Versions, row: Row) -> int:
    return int(row.sk) - (_back(versions, row) or 0)


def _back(versions: Versions, row: Row) -> int | None:
    """How many versions before it the row's base is (0: none), or None of a damaged one."""
    try:
        return versions.read_row(row).blob.back
    except DecodeError:
        return None
