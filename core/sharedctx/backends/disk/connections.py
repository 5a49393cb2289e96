"""Connections to one database: each writing thread's own, and a pool of read-only ones for everybody else."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any

from . import faults
from .safedisk import LogCache


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
    """Hands out a connection for each read.

    A thread that has written reads through the connection it wrote with, whose page cache its own commits keep
    warm (5 us a read instead of 13 after a write); other threads borrow a ``query_only`` one, so that a new thread
    costs nothing.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._idle: deque[sqlite3.Cursor] = deque()
        self._own = threading.local()
        self._living: weakref.WeakSet[_Own] = weakref.WeakSet()
        self._abandoned: list[object] = []

    def own(self, cache: LogCache) -> sqlite3.Connection:
        """The connection with which this thread writes."""
        own: _Own | None = getattr(self._own, "own", None)
        if own is None:
            own = self._own.own = _Own(cache.connection(), faults.log(self._database))
            self._own.cursor = own.cursor
            self._living.add(own)
        return own.con

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
        """Close the pool."""
        while self._idle:
            with contextlib.suppress(sqlite3.Error):
                self._idle.pop().connection.close()
        self._own = threading.local()
        self._living = weakref.WeakSet()

    def abandon(self) -> None:
        """After a fork: forget what belongs to the parent, without closing it."""
        self._abandoned.append((self._idle, self._own))
        self._idle = deque()
        self._own = threading.local()
        self._living = weakref.WeakSet()
