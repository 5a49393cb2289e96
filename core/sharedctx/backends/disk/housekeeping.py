"""Removing rows for good, a few hundred at a time, with the feed told how far back it still reaches."""

from __future__ import annotations

import sqlite3

from ...errors import UnsafeRow
from ..base import SortKey
from . import foreign, keys, transaction
from .safedisk import LogCache
from .writer import Writer

_STEP = 200
_SELECT = "SELECT key, tag, rowid FROM Cache WHERE key > ? AND key < ? AND raw = 1 AND tag IS NOT 'x'"


class Housekeeping:
    """Removes rows in short transactions, so that writers never wait long."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def partition(self, space: str, pk: str, before: SortKey | None, expired_at: float | None) -> int:
        """Remove rows of one partition; the newest number stays taken."""
        prefix = keys.partition(space, pk)
        start, end = f"{prefix}-", f"{prefix}-\x7f"
        if isinstance(before, str):
            start, end = keys.scan_bounds(prefix, "", before)
        elif before is not None:
            end = keys.version_key(prefix, max(before, 0))
        return self._remove(space, start, end, pk, expired_at)

    def space(self, space: str) -> int:
        """Remove a whole space; its numbers start again at 1."""
        name = keys.escape(space)
        removed = self._remove(space, f"{name}-.", f"{name}.", None, None)

        def finish(cache: LogCache, con: sqlite3.Connection) -> None:
            rows = con.execute("SELECT key FROM Cache WHERE key > ? AND key < ? AND raw = 1", (f"{name}-.", f"{name}."))
            for (key,) in rows.fetchall():
                cache.delete(key)

        self._writer.transact(finish, 0)
        return removed

    def _remove(self, space: str, start: str, end: str, pk: str | None, expired_at: float | None) -> int:
        removed = 0

        def step(cache: LogCache, con: sqlite3.Connection) -> tuple[int, str]:
            rows = con.execute(f"{_SELECT} ORDER BY key LIMIT {_STEP}", (start, end)).fetchall()
            newest_key, spared = (_newest(con, space, pk, living=living) for living in (False, True))
            victims = []
            for key, tag, rowid in rows:
                if expired_at is not None and (key == spared or not _expired(tag, rowid, expired_at)):
                    continue
                victims.append((key, rowid, transaction.rev_of(tag, rowid)))
            if victims:
                raise_mark(cache, con, space, max(rev for _, _, rev in victims))
            _delete(con, [rowid for key, rowid, _ in victims if key != newest_key])
            if any(key == newest_key for key, _, _ in victims):
                cache.set(newest_key, b"", tag=keys.HOLE)
            return len(victims), rows[-1][0] if len(rows) == _STEP else ""

        while True:
            count, start = self._writer.transact(step, 0)
            removed += count
            if not start:
                return removed


def _delete(con: sqlite3.Connection, rows: list[int]) -> None:
    """Delete rows in one statement: each of its own would look it up again, and give the interpreter up thrice."""
    con.execute(f"DELETE FROM Cache WHERE rowid IN ({', '.join('?' * len(rows))})", rows)


def _newest(con: sqlite3.Connection, space: str, pk: str | None, *, living: bool) -> str | None:
    """The key of a partition's newest version, or of the highest that there ever was."""
    if pk is None:
        return None
    return keys.version_key(keys.partition(space, pk), foreign.newest_number(con, space, pk, living=living))


def _expired(tag: object, rowid: int, at: float) -> bool:
    try:
        _, expires = transaction.read_tag(tag, rowid)
    except UnsafeRow:
        return False
    return expires is not None and expires <= at


def raise_mark(cache: LogCache, con: sqlite3.Connection, space: str, rev: int) -> None:
    """Raise the space's compaction mark: insert the new one first, so that no row id is ever taken twice."""
    start = f"{keys.escape(space)}--"
    old = con.execute(
        "SELECT key, value, rowid FROM Cache WHERE key > ? AND key < ? AND raw = 1", (f"{start}m", f"{start}n")
    ).fetchall()
    mark = max([rev, *(transaction.compacted([(value, rowid)]) for _, value, rowid in old)])
    cache.add(f"{start}m{transaction.last_row(con) + 1:015d}", mark, tag=keys.HOLE)
    for key, *_ in old:
        cache.delete(key)
    feed = con.execute(
        "SELECT key FROM Cache WHERE key > ? AND key <= ? AND raw = 1", (f"{start}d", transaction.feed_key(space, mark))
    ).fetchall()
    for (key,) in feed:
        cache.delete(key)
