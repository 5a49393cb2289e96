"""Groups of commits in one transaction; versions that follow what the groups before wrote are inserted together."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ...errors import SharedContextError
from ..base import MAX_VALUE_BYTES, NEXT, Commit, Committed, Grounds, Head, Put
from ..bounds import check_ops
from ..grounds import groundless
from . import inserting, keys, transaction
from .safedisk import LogCache

_MOST = 8192


class Groups:
    """Applies groups of commits, on a connection that holds the writer lock.

    ``ends`` are the newest versions that the groups wrote, by space and partition, each with its revision. They stand
    while nobody else writes: whoever writes through another connection changes SQLite's ``data_version`` of this one,
    who uses this one calls ``forget``.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[str, str], tuple[int, int]] = {}
        self._stand: tuple[sqlite3.Connection, int] | None = None

    def forget(self) -> None:
        """Know nothing of what was written."""
        self._ends.clear()

    def apply(
        self, cache: LogCache, con: sqlite3.Connection, commits: Sequence[Commit], grounds: Grounds
    ) -> list[Committed | Exception]:
        """Apply commits in order; one that is refused has written nothing and stands as its error."""
        ((stand,),) = con.execute("PRAGMA data_version").fetchall()
        if self._stand != (con, stand) or len(self._ends) > _MOST:
            self._ends.clear()
            self._stand = con, stand
        ends, single = self._ends, transaction.Transaction(cache, con)
        results: list[Committed | Exception] = []
        rows: list[inserting.New] = []
        last = 0
        for at, (space, ops, if_rev) in enumerate(commits):
            if grounds and (failed := groundless(grounds, at, results)) is not None:
                results.append(failed)
                continue
            op = ops[0] if len(ops) == 1 and if_rev is None else None
            end = ends.get((space, op.pk)) if op is not None else None
            if end is not None and isinstance(op, Put) and _follows(op, *end):
                if not rows:
                    last = transaction.last_row(con)
                number, last = end[0] + 1, last + 1
                rows.append((keys.version_key(keys.partition(space, op.pk), number), None, op.value))
                ends[space, op.pk] = number, last
                results.append((last, [number]))
                continue
            inserting.together(con, rows)
            for each in ops:
                ends.pop((space, each.pk), None)
            try:
                check_ops(space, ops)
                rev, sks = single.apply(space, ops, if_rev)
            except SharedContextError as refused:
                results.append(refused)
                continue
            results.append((rev, sks))
            if op is not None and transaction.follows(op):
                ends[space, op.pk] = int(sks[0]), rev
        inserting.together(con, rows)
        return results


def _follows(op: Put, number: int, rev: int) -> bool:
    """Whether a put does no more than to append a version for good after this one, and may."""
    _, value, sk, expires, when = op
    return (
        isinstance(when, Head)
        and sk is NEXT
        and expires is None
        and when.sk == number
        and when.given in (None, number)
        and when.rev in (None, rev)
        and when.number is None
        and value.__class__ is bytes
        and len(value) <= MAX_VALUE_BYTES
    )
