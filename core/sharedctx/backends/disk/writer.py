"""The writer's side: one lock holder at a time, short jittered waits for other processes, checkpoints."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import diskcache

from ...errors import BackendUnavailable, SharedContextError
from ..base import ABSENT, ANY, Commit, Committed, Grounds, Head, Op, Put, SortKey
from . import collecting, faults, transaction
from .connections import Connections
from .grouped import Groups
from .safedisk import LogCache

T = TypeVar("T")

# A log is what a power cut may take of a store that does not flush, and the disk that a small store takes besides.
_LEAST_LOG = 208 << 10
_LEAST_LOG_DURABLE = 1 << 20
_MOST_LOG = 4 << 20
_PART = 8
_PAGE_BYTES = 4096
_COMMIT_BYTES = 3 * _PAGE_BYTES
_FIRST_WAIT = 1e-4
_LONGEST_WAIT = 2e-3
_PROBE_AFTER = 0.05
_MOST_NUMBERS = 8192
_LOOK = 0.25


class Writer:
    """Runs write transactions on the calling thread.

    A checkpoint never overlaps a commit: it runs on another connection while this process holds the writer lock.
    SQLite before 3.51.3 can corrupt a database when the two meet (https://sqlite.org/wal.html, "the WAL-reset bug").
    """

    def __init__(self, path: str, database: str, connections: Connections, *, durable: bool, busy: float) -> None:
        self._path = path
        self._database = database
        self._connections = connections
        self._durable = durable
        self._busy = busy
        self._lock = threading.Lock()
        self._cache: LogCache | None = None
        self._wal_bytes = 0
        self._least_log = _LEAST_LOG_DURABLE if durable else _LEAST_LOG
        self._room = self._least_log
        self._numbers: dict[tuple[str, str], int] = {}
        self._groups = Groups()
        self._place: tuple[int, int] | None = None
        self._looked = -_LOOK

    def open(self) -> LogCache:
        """Return the open cache, opening it on first use; raises what stands in the way of writing."""
        if self._cache is None:
            self._look()  # diskcache would make what is not there
            try:
                self._cache = LogCache(self._path, durable=self._durable, busy=self._busy)
            except (sqlite3.Error, OSError, diskcache.Timeout) as error:
                if isinstance(error, sqlite3.OperationalError) and isinstance(_met(error), diskcache.Timeout):
                    raise self._stayed_locked() from None
                raise faults.explain(error, self._path) from error
        return self._cache

    def append(self, space: str, op: Put) -> tuple[int, int]:
        """Append one version; returns its row id and its number.

        One statement is one transaction while the newest number is the one required, or without a condition the one
        that was written last. Raises ``ConditionFailed``.
        """
        at = (space, op.pk)
        direct = not isinstance(op.when, Head) or transaction.follows(op)
        head = op.when.sk if isinstance(op.when, Head) else 0 if op.when is ABSENT else self._numbers.get(at, 0)

        def append(cache: LogCache, con: sqlite3.Connection) -> tuple[int, int]:
            try:
                found = transaction.append(con, space, op, head) if direct else None
            except sqlite3.OperationalError as error:
                raise _met(error) from None
            if found is not None:
                return found, head + 1
            with cache.transact():  # the condition fails, or numbers above the newest version were given and dropped
                if op.when is not ANY:
                    transaction.check(con, space, op)
                return transaction.insert(con, space, op, transaction.tag(0, op.expires, True))

        row, number = self._locked(append, len(op.value))
        if op.when is ANY:
            if len(self._numbers) >= _MOST_NUMBERS:
                self._numbers.clear()
            self._numbers[at] = number
        return row, number

    def collect(self, space: str, ops: Sequence[Op], wanted: collecting.Collected) -> tuple[int, list[SortKey]]:
        """Insert one new collection row, in one statement where its conditions hold; returns as ``commit`` does.

        Raises ``ConditionFailed``.
        """

        def collect(cache: LogCache, con: sqlite3.Connection) -> tuple[int, list[SortKey]]:
            try:
                row = collecting.collect(con, wanted)
            except sqlite3.OperationalError as error:
                raise _met(error) from None
            if row is not None:
                return row, [wanted.sk]
            with cache.transact():  # a condition fails: say which
                return transaction.Transaction(cache, con).apply(space, ops, None)

        return self._locked(collect, wanted.size)

    def group(self, commits: Sequence[Commit], grounds: Grounds, size: int) -> list[Committed | Exception]:
        """Apply commits in one transaction, as ``commit_many`` does."""
        groups = self._groups

        def whole(cache: LogCache, con: sqlite3.Connection) -> list[Committed | Exception]:
            try:
                with cache.transact():
                    return groups.apply(cache, con, commits, grounds)
            except BaseException:
                groups.forget()  # nothing was written
                raise

        return self._locked(whole, size, forget=False)

    def transact(self, work: Callable[[LogCache, sqlite3.Connection], T], size: int) -> T:
        """Run ``work`` in one transaction; ``size`` is the bytes it writes, which tells when to checkpoint."""

        def whole(cache: LogCache, con: sqlite3.Connection) -> T:
            with cache.transact():
                return work(cache, con)

        return self._locked(whole, size)

    def _locked(self, work: Callable[[LogCache, sqlite3.Connection], T], size: int, *, forget: bool = True) -> T:
        if not self._lock.acquire(timeout=self._busy):
            raise self._stayed_locked()
        con: sqlite3.Connection | None = None
        try:
            if forget:
                self._groups.forget()
            self.require_place()
            cache = self.open()
            con = self._connections.writing(cache, self._look)
            try:
                result = work(cache, con)
            except diskcache.Timeout:
                result = self._retry(work, cache, con)
            self._wal_bytes += size + _COMMIT_BYTES
            if self._wal_bytes > self._room:
                self._checkpoint(cache)
            return result
        except SharedContextError:
            raise
        except (sqlite3.Error, OSError) as error:
            if con is not None and con.in_transaction:  # a failed COMMIT does not always end it
                con.rollback()
            self._look()
            raise faults.explain(error, self._path) from error
        finally:
            self._lock.release()

    def _retry(self, work: Callable[[LogCache, sqlite3.Connection], T], cache: LogCache, con: sqlite3.Connection) -> T:
        """Wait for another process's transaction in sleeps of 0.1 to 2 ms; SQLite's own handler sleeps up to 100."""
        start = time.monotonic()
        wait = _FIRST_WAIT
        probed = False
        while True:
            time.sleep(wait * (0.5 + random.random()))
            wait = min(wait * 1.5, _LONGEST_WAIT)
            try:
                return work(cache, con)
            except diskcache.Timeout:
                waited = time.monotonic() - start
                if not probed and waited > _PROBE_AFTER:
                    probed = True
                    if (reason := faults.probe(self._path, self._database)) is not None:
                        raise reason from None
                if waited > self._busy:
                    raise self._stayed_locked() from None

    def require_place(self) -> None:
        """Raise, looking a few times a second, unless the database still lies where it was opened: what is written to
        one that was removed is lost."""
        if time.monotonic() >= self._looked + _LOOK:
            self._look()

    def _look(self) -> None:
        """Raise unless the database still lies there."""
        place = faults.place(self._database)
        self._place = self._place or place
        if place != self._place:
            raise faults.removed(self._path)
        if not self._connections.keep_log():
            raise BackendUnavailable(
                f"cache.db-wal or cache.db-shm of the store {self._path} was removed while it was open; nothing was "
                "written: close the store in every process and open it again, then run `sharedctx doctor`; what "
                "processes wrote that opened it since, or were killed, may be lost"
            )
        self._looked = time.monotonic()

    def _stayed_locked(self) -> BackendUnavailable:
        return BackendUnavailable(
            f"the store {self._path} stayed locked by another writer for {self._busy:g} s; nothing was written: "
            "look for a stopped process that holds it, then repeat"
        )

    def _checkpoint(self, cache: LogCache) -> None:
        """Move the write-ahead log into the database; next time when it is an eighth of that, from
        208 KiB (1 MiB when durable) to 4 MiB: a checkpoint waits for the disk twice, 12 ms on a busy one."""
        self._wal_bytes = 0
        try:
            with self._connections.borrowed() as con, cache.transact():
                con.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                ((pages,),) = con.execute("PRAGMA page_count").fetchall()
            self._room = min(max(pages * _PAGE_BYTES // _PART, self._least_log), _MOST_LOG)
        except (diskcache.Timeout, sqlite3.Error):
            pass  # the commit stands; another writer, or the next commit, checkpoints

    def close(self) -> None:
        """Wait for the running commit and close this thread's connections."""
        with self._lock:
            self._connections.forget_own()
            if self._cache is not None:
                self._cache.close()
                self._cache = None

    def abandon(self) -> None:
        """After a fork: a fresh lock, and no connection of the parent's."""
        self._lock = threading.Lock()
        self._groups = Groups()
        if self._cache is not None:
            self._cache.abandon()


def _met(error: sqlite3.OperationalError) -> Exception:
    """Return what stands for the error: of another process's lock, what diskcache makes of it."""
    return diskcache.Timeout() if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY else error
