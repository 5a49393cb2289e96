"""Removing rows for good: a transaction for every page of them, so that each step leaves the space's counts right."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..base import SortKey
from . import feed, layout
from .calls import Outcome, conflicts
from .commits import settle
from .draft import Area, Areas, State
from .layout import Held
from .parts import Parts
from .reading import Reading

_STEP: Final = 90
_TRIM: Final = 256
"""Revisions by which the feed's cut has moved on before pages are removed again."""

Wanted = Callable[[State, str, SortKey, Held], bool]
"""Whether a row of a partition goes."""


def reclaim(
    reading: Reading,
    areas: Areas,
    parts: Parts,
    space: str,
    pk: str | None,
    before: SortKey | None,
    expired_at: float | None,
) -> int:
    """See ``Backend.reclaim``."""
    area = areas.of(space)
    whole = pk is None and before is None and expired_at is None
    lo, hi = _range(pk, before)
    removed = 0
    more: str | None = lo
    while more is not None:
        with area.lock:
            gone, more = _step(reading, parts, space, area, more, hi, _wanted(before, expired_at), whole)
        removed += gone
    if removed or whole:
        with area.lock:
            mark = State(reading, space, area).meta.mark
            if whole or mark >= area.trimmed + _TRIM or not area.trimmed:
                feed.trim(reading, space, mark)
                area.trimmed = mark
    if whole:
        parts.sweep(space)
    return removed


def _range(pk: str | None, before: SortKey | None) -> tuple[str, str]:
    """The sort keys of the table between which the rows lie."""
    if pk is None:
        return "r", "s"
    if before is None:
        return layout.base(pk), layout.base(pk) + ">"
    return layout.bounds(pk, "" if isinstance(before, str) else 1, before)


def _wanted(before: SortKey | None, expired_at: float | None) -> Wanted:
    def wanted(state: State, pk: str, sk: SortKey, row: Held) -> bool:
        if isinstance(before, int) and not (isinstance(sk, int) and sk < before):
            return False
        if isinstance(before, str) and not (isinstance(sk, str) and sk < before):
            return False
        if expired_at is None:
            return True
        return row.expires is not None and row.expires <= expired_at and sk != state.ends(pk).head

    return wanted


def _step(
    reading: Reading, parts: Parts, space: str, area: Area, lo: str, hi: str, wanted: Wanted, whole: bool
) -> tuple[int, str | None]:
    """Remove a page of rows from ``lo`` on; return how many went and where to go on."""
    for _ in conflicts(f"{reading.calls.address}, space {space!r},"):
        state = State(reading, space, area)
        items, last = reading.facts(space, lo, hi, _STEP)
        more = None if last is None else last + "\0"
        going = []
        for item in items:
            row, (pk, sk) = layout.held(item), layout.row_of(item["r"]["S"])
            if row is None or wanted(state, pk, sk, row):
                going.append((pk, sk, row))
        writes = _writes(state, reading.keys.space(space), going, whole)
        if not writes:
            return 0, more
        rows = [row for _, _, row in going if row is not None]
        after = state.meta._replace(
            changes=state.meta.changes + 1,
            mark=max([state.meta.mark, *(row.rev for row in rows)]),
            rows=state.meta.rows - len(rows),
            size=state.meta.size - sum(row.size for row in rows),
        )
        freed = [row.parts for row in rows if row.parts]
        outcome = settle(reading, parts, space, area, after, writes, freed, b"", os.urandom(16).hex())
        if outcome is Outcome.DONE:
            for pk, _, _ in going:
                area.ends.pop(pk, None)
            return len(rows), more
    raise AssertionError("the last conflict raises")


def _writes(
    state: State, h: str, going: Sequence[tuple[str, SortKey, Held | None]], whole: bool
) -> list[dict[str, Any]]:
    """What takes rows away; a partition's last version stays as a mark, unless the whole space goes."""
    writes: list[dict[str, Any]] = []
    for pk, sk, row in going:
        key = layout.key(h, layout.row_key(pk, sk))
        if whole or isinstance(sk, str) or sk != state.ends(pk).last:
            writes.append({"Delete": {"Key": key}})
        elif row is not None:
            writes.append({"Put": {"Item": key | {"g": {"BOOL": True}}}})
    return writes
