"""Connections to one database: to write, a thread's own or one that threads share; to read, a pool for the others."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from . import faults
from .alone import patiently
from .safedisk import LogCache

_VISITS = 8


class _Own:
    """A thread's own connection, closed when the thread ends.

    A dropped connection is not enough: it stays open, and the write-ahead log with it, until the collector comes by,
    since it refers to its statement cache and that to it.
    """

    def __init__(self, con: sqlite3.Connection, log: faults.Log | None) -> None:
        self.con = con
        self.cursor = con.cursor()
        self.log = log
        self._process = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self._process:
            with contextlib.suppress(sqlite3.Error):
                self.con.close()


class Connections:
    """Hands out a connection for each read, and for each commit to whoever holds the writer lock.

    The first commits of a thread go through one connection that all threads share, since to open one costs as much as
    several commits. A thread that goes on committing gets its own and reads through it too: its page cache is kept
    warm by its own commits (5 us a read instead of 13 after a write). Other threads borrow a ``query_only`` one, so
    that a new thread costs nothing.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._idle: deque[sqlite3.Cursor] = deque()
        self._own = threading.local()
        self._visitors: _Own | None = None
        self._living: weakref.WeakSet[_Own] = weakref.WeakSet()
        self._abandoned: list[object] = []

    def writing(self, cache: LogCache, check: Callable[[], None]) -> sqlite3.Connection:
        """The connection of this thread's next commit; it must hold the writer lock. ``check`` is called before one is
        opened, which would be another store's where this one was replaced."""
        own: _Own | None = getattr(self._own, "own", None)
        if own is not None:
            return own.con
        self._own.visits = visits = getattr(self._own, "visits", 0) + 1
        if visits <= _VISITS:
            if self._visitors is None:
                self._visitors = self._opened(cache, check)
            cache.use(self._visitors.con)
            return self._visitors.con
        cache.use(None)
        own = self._own.own = self._opened(cache, check)
        self._own.cursor = own.cursor
        return own.con

    def _opened(self, cache: LogCache, check: Callable[[], None]) -> _Own:
        check()
        # Whoever closes a connection tries to have the file alone first, and others cannot open theirs meanwhile.
        opened = _Own(patiently(cache.connection), faults.log(self._database))
        self._living.add(opened)
        return opened

    def keep_log(self) -> bool:
        """Whether the write-ahead log and its index are still those that the writing connections have open: SQLite
        removes neither while anybody has, and whoever opens the store finds others then."""
        there = faults.log(self._database)
        for own in self._living:
            if own.log is None:  # as it was opened there was none yet
                own.log = there
            if own.log != there:
                return False
        return True

    def query(self, sql: str, args: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one read statement outside any transaction and return all its rows."""
        cursor: sqlite3.Cursor | None = getattr(self._own, "cursor", None)
        if cursor is not None:
            return cursor.execute(sql, args).fetchall()
        cursor = self._borrow()
        try:
            return cursor.execute(sql, args).fetchall()
        finally:
            self._idle.append(cursor)

    def first(self, sql: str, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Run a read statement of at most one row and return it; a kept cursor makes this a third faster."""
        cursor: sqlite3.Cursor | None = getattr(self._own, "cursor", None)
        if cursor is not None:
            row: tuple[Any, ...] | None = cursor.execute(sql, args).fetchone()
            return row
        cursor = self._borrow()
        try:
            row = cursor.execute(sql, args).fetchone()
            return row
        finally:
            self._idle.append(cursor)

    def _borrow(self) -> sqlite3.Cursor:
        try:
            return self._idle.pop()
        except IndexError:
            con = sqlite3.connect(self._database, isolation_level=None, timeout=5, check_same_thread=False)
            con.execute("PRAGMA query_only=1")
            con.execute("PRAGMA trusted_schema=0")
            con.execute("PRAGMA cell_size_check=1")
            return con.cursor()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection out of the pool."""
        cursor = self._borrow()
        try:
            yield cursor.connection
        finally:
            self._idle.append(cursor)

    def forget_own(self) -> None:
        """Close this thread's writing connection."""
        self._own.__dict__.clear()

    def close(self) -> None:
        """Close the pool, and what threads share to write."""
        while self._idle:
            with contextlib.suppress(sqlite3.Error):
                self._idle.pop().connection.close()
        self._own = threading.local()
        if self._visitors is not None:
            with contextlib.suppress(sqlite3.Error):
                self._visitors.con.close()
            self._visitors = None
        self._living = weakref.WeakSet()

    def abandon(self) -> None:
        """After a fork: forget what belongs to the parent, without closing it."""
        self._abandoned.append((self._idle, self._own, self._visitors))
        self._visitors = None
        self._idle = deque()
        self._own = threading.local()
        self._living = weakref.WeakSet()
