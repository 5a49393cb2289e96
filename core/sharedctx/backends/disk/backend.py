"""The disk backend: an append-only log of immutable rows in one diskcache."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from ...errors import ConfigError, SharedContextError, UnsafeRow
from ...forking import renew_after_fork
from ..base import NEXT, Change, Commit, Committed, Grounds, Put, Row, SortKey
from ..bounds import check_name, check_ops, check_range, check_sort_key, check_text
from . import collecting, faults, feed, foreign, keys, listing, repair, rows, transaction
from .connections import Connections
from .housekeeping import Housekeeping
from .layout import prepare, read_own
from .notify import Alarms
from .queries import DATED, NEWEST, OLDEST, ONE, RANGE, Queries
from .writer import Writer

_CLOCK = read_own("value")
_LAST_TIME = 1e11
"""Seconds since the epoch that no clock says: the year 5138."""


@lru_cache(8192)
def _newest_bounds(space: str, pk: str) -> tuple[str, str]:
    """The bounds of a partition's versions, its names checked once."""
    check_name(space, "space")
    check_name(pk, "partition key")
    return keys.version_bounds(space, pk)


def _seconds(kept: Any) -> float:
    """The clock that was written down; one that sharedctx did not write is none."""
    return kept if isinstance(kept, float) and kept < _LAST_TIME else 0.0


class DiskBackend:
    """Rows in ``path/cache.db``, shared by any number of threads and processes of one machine.

    ``durable=False`` survives a killed process; ``durable=True`` a power cut too, at the price of one fsync a commit.
    ``clock`` gives seconds since the epoch; ``busy`` bounds the seconds spent waiting for another writer.

    Raises ``ConfigError`` (not a directory of ours, newer format), ``BackendUnavailable`` (permissions, damage) and
    ``DiskFull`` when a new store cannot be made; an existing store on a full disk opens for reading.
    """

    local = True
    rev_tells_all = True
    counts_puts = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = False,
        clock: Callable[[], float] = time.time,
        busy: float = 30.0,
    ) -> None:
        if type(busy) not in (int, float) or not 0 <= busy <= threading.TIMEOUT_MAX:
            raise ConfigError(
                f"busy {busy!r:.60} is not a number of seconds from 0 up: it bounds the wait for a writer"
            )
        self._path = os.path.abspath(os.path.expanduser(os.fspath(path)))
        self._database = os.path.join(self._path, "cache.db")
        self._durable = durable
        self._clock = clock
        self._high = 0.0
        self._connections = Connections(self._database)
        self._queries = Queries(self._path, self._connections)
        self._writer = Writer(self._path, self._database, self._connections, durable=durable, busy=busy)
        self._housekeeping = Housekeeping(self._writer)
        self._alarms = Alarms(self._path)
        self._id = prepare(self._path, self._database, self._connections, self._writer)
        renew_after_fork(self)

    @property
    def prompt(self) -> bool:
        """See ``Prompt``: a commit that waits for the disk had better wait with others."""
        return not self._durable

    @property
    def id(self) -> str:
        """The store's own id, made with it and kept in copies of it."""
        return self._id

    def commit(self, space: str, ops: Sequence[Any], if_rev: int | None = None) -> Committed:
        check_ops(space, ops)
        if self._queries.closed:
            raise self._queries.is_closed()
        if if_rev is None and ops:
            op = ops[0]
            if len(ops) == 1 and type(op) is Put and op.sk is NEXT:
                rev, number = self._writer.append(space, op)
                return rev, [number]
            if (row := collecting.collected(space, ops)) is not None:
                return self._writer.collect(space, ops, row)
        size = sum(len(op.value) for op in ops if type(op) is Put)
        return self._writer.transact(
            lambda cache, con: transaction.Transaction(cache, con).apply(space, ops, if_rev), size
        )

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        if self._queries.closed:
            return [self._queries.is_closed() for _ in commits]
        try:
            size = sum(len(op.value) for _, ops, _ in commits for op in ops if type(op) is Put)
            return self._writer.group(commits, grounds, size)
        except SharedContextError as error:
            return [error for _ in commits]

    def scan(
        self,
        space: str,
        pk: str,
        lo: SortKey = 1,
        hi: SortKey | None = None,
        *,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[Row]:
        if newest_first and limit == 1 and hi is None and lo == 1 and type(lo) is int:
            return self._newest(space, pk)
        check_name(space, "space")
        check_name(pk, "partition key")
        if lo == 1 and hi is None and type(lo) is int:
            sql, bounds = NEWEST if newest_first else OLDEST, keys.version_bounds(space, pk)
        else:
            check_range(lo, hi)
            sql = RANGE + ("DESC LIMIT ?" if newest_first else "LIMIT ?")
            bounds = keys.scan_bounds(keys.partition(space, pk), lo, hi)
        numbered, start = type(lo) is int, len(keys.partition(space, pk))
        make = partial(rows.version, pk) if numbered else partial(rows.collected, pk, start)
        found = self._queries.all(sql, (*bounds, limit))
        try:
            return [make(*row) for row in found]
        except UnsafeRow:
            return foreign.passing_by(self._queries.all, sql, bounds, limit, make)

    def newest(self, space: str, pk: str) -> tuple[Row, int] | None:
        """See ``Dated.newest``: it costs a twelfth more than the row alone."""
        if space.__class__ is not str or pk.__class__ is not str:
            check_name(space, "space")
            check_name(pk, "partition key")
        found = self._queries.first(DATED, _newest_bounds(space, pk))
        if found is None:
            return None
        rev, key, tag, rowid, mode, filename, value = found
        try:
            if tag is None and mode == 1 and filename is None and value.__class__ is bytes:
                return Row(pk, keys.number(key), value, rowid, None), rev
            return rows.version(pk, *found[1:]), rev
        except UnsafeRow:
            passed = self._newest(space, pk)
            return (passed[0], rev) if passed else None

    def _newest(self, space: str, pk: str) -> list[Row]:
        """The read that nearly all others begin with."""
        if space.__class__ is not str or pk.__class__ is not str:
            check_name(space, "space")
            check_name(pk, "partition key")
        found = self._queries.first(ONE, _newest_bounds(space, pk))
        if found is None:
            return []
        key, tag, rowid, mode, filename, value = found
        try:
            if tag is None and mode == 1 and filename is None and value.__class__ is bytes:
                return [Row(pk, keys.number(key), value, rowid, None)]
            return [rows.version(pk, *found)]
        except UnsafeRow:
            make = partial(rows.version, pk)
            return foreign.passing_by(self._queries.all, NEWEST, _newest_bounds(space, pk), 1, make)

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        check_name(space, "space")
        check_text(prefix, "prefix")
        check_text(after, "name to go on after")
        return listing.pks(self._queries.all, space, prefix, after, limit)

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        check_text(prefix, "prefix")
        check_text(after, "name to go on after")
        return listing.spaces(self._queries.all, prefix, after, limit)

    def rev(self, space: str) -> int:
        check_name(space, "space")
        return self._queries.all(transaction.LAST_ROW)[0][0] or 0

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        check_name(space, "space")
        return feed.changes(self._queries.all, space, since, limit)

    def wait(self, space: str, since: int, timeout: float) -> bool:
        check_name(space, "space")
        return feed.wait(self._queries.all, self._alarms, space, since, timeout)

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        check_name(space, "space")
        if self._queries.closed:
            raise self._queries.is_closed()
        if before is not None:
            check_sort_key(before)
        if pk is not None:
            check_name(pk, "partition key")
            return self._housekeeping.partition(space, pk, before, expired_at)
        if before is None and expired_at is None:
            return self._housekeeping.space(space)
        removed = 0
        after = ""
        while page := self.pks(space, after=after):
            removed += sum(self._housekeeping.partition(space, name, before, expired_at) for name in page)
            after = page[-1]
        return removed

    def clock(self) -> float:
        """See ``Dated.clock``."""
        return max(self._high, self._clock())

    def now(self) -> float:
        kept = self._queries.first(_CLOCK, ("-clock",))
        self._high = max(self._high, self._clock(), 0.0 if kept is None else _seconds(kept[0]))
        return self._high

    def expired(self, expires: float | None) -> bool:
        if expires is None:
            return False
        now = self.now()
        if now < expires:
            return False
        self._keep_clock(now, only_after=expires)
        return True

    def _keep_clock(self, now: float, only_after: float) -> None:
        """Write the clock down, so that no process finds a gone entry alive after the wall clock jumped back."""
        kept = self._queries.all(read_own("value"), ("-clock",))
        if kept and _seconds(kept[0][0]) >= only_after:
            return
        with contextlib.suppress(SharedContextError):  # a full or read-only store is read; this process remembers
            self._writer.transact(lambda cache, con: cache.set("-clock", now), 0)

    def describe(self) -> dict[str, Any]:
        ((pages,),) = self._queries.all("PRAGMA page_count")
        ((size,),) = self._queries.all("PRAGMA page_size")
        return {
            "kind": "disk",
            "address": f"disk://{self._path}",
            "id": self._id,
            "durability": "survives a power cut (FULL)" if self._durable else "survives a killed process (NORMAL)",
            "bytes": pages * size,
            "rows": self._queries.all("SELECT count(*) FROM Cache")[0][0],
            "sqlite": sqlite3.sqlite_version,
            "free_bytes": faults.free_bytes(self._path),
        }

    def verify(self) -> list[str]:
        return repair.verify(self._queries.all)

    def repair(self) -> list[str]:
        found = list(repair.find(self._queries.all))
        if not found:
            return []
        return self._writer.transact(lambda cache, con: repair.remove(cache, con, found), 0)

    def backup(self, path: str) -> None:
        target = os.path.abspath(os.path.expanduser(path))
        if os.path.exists(target) and (not os.path.isdir(target) or os.listdir(target)):
            raise ConfigError(f"{target} already holds something; name a new directory for the backup")
        try:
            os.makedirs(target, mode=0o700, exist_ok=True)
            with (
                self._connections.borrowed() as con,
                contextlib.closing(sqlite3.connect(os.path.join(target, "cache.db"))) as copy,
            ):
                con.backup(copy)
        except (sqlite3.Error, OSError) as error:
            raise faults.explain(error, target) from error

    def close(self) -> None:
        if self._queries.closed:
            return
        if self._high:
            self._keep_clock(self._high, only_after=self._high)
        self._queries.closed = True
        self._alarms.forget()
        self._writer.close()
        self._connections.close()

    def after_fork(self) -> None:
        """Start over with connections of this process."""
        self._alarms.forget()
        self._connections.abandon()
        self._writer.abandon()
