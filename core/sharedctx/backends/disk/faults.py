"""SQLite's and the system's errors, told as one clear error each."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

from ...errors import BackendUnavailable, DiskFull, SharedContextError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _free(path: str) -> tuple[int, int] | None:
    """Free bytes and free inodes where the store lies, or None when the system does not tell."""
    try:
        facts = os.statvfs(path)
    except (AttributeError, OSError):
        return None
    if not facts.f_blocks:
        return None  # no disk, such as /proc
    return facts.f_bavail * facts.f_frsize, facts.f_favail if facts.f_files else 1 << 30


def _full(path: str) -> DiskFull:
    return DiskFull(
        f"the disk that holds the store {path} is full (space, quota or inodes); nothing acknowledged is lost and "
        "reading still works: free some space, then repeat the write"
    )


def removed(path: str) -> BackendUnavailable:
    """The error of an open store that lies there no more."""
    return BackendUnavailable(
        f"the store {path} was removed or replaced since it was opened; nothing was written: close it and open it again"
    )


def explain(error: BaseException, path: str) -> SharedContextError:
    """Turn an exception of SQLite or the system into the one that callers see, with the path and the cure."""
    for cause in _chain(error):
        if isinstance(cause, SharedContextError):
            return cause
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return _full(path)
        name = getattr(cause, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return _full(path)
        if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) or isinstance(cause, FileNotFoundError):
            free = _free(path)
            if free is not None and (free[0] < 1 << 17 or free[1] == 0):
                return _full(path)
        if name.startswith("SQLITE_CANTOPEN") and not os.path.exists(path):
            return removed(path)
        shut = name.startswith("SQLITE_CANTOPEN") and os.path.isdir(path) and not os.access(path, os.W_OK)
        if shut or name.startswith("SQLITE_READONLY") or isinstance(cause, PermissionError):
            return BackendUnavailable(
                f"the store {path} cannot be written by this user: give it write permission on the directory and on "
                "cache.db, cache.db-wal and cache.db-shm in it, or open a store elsewhere"
            )
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return BackendUnavailable(
                f"the database of the store {path} is damaged ({cause}): stop writing, copy the directory, and restore "
                "a backup made with `sharedctx backup`"
            )
    return BackendUnavailable(f"the store {path} cannot be used: {error}; look at the disk, or restore a backup")


def probe(path: str, database: str) -> SharedContextError | None:
    """Find out why a write transaction does not begin; None when another process simply holds the lock.

    diskcache reports every failure to begin as a timeout.
    """
    try:
        con = sqlite3.connect(database, isolation_level=None, timeout=0)
        try:
            con.execute("BEGIN IMMEDIATE")
            con.execute("ROLLBACK")
        finally:
            con.close()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return None
        return explain(error, path)
    return None


Place = tuple[int, int]
Log = tuple[Place, Place]


def log(database: str) -> Log | None:
    """Which files the write-ahead log of a database and the index of it are; None where one is missing."""
    wal, shm = place(f"{database}-wal"), place(f"{database}-shm")
    return None if wal is None or shm is None else (wal, shm)


def place(database: str) -> Place | None:
    """Which file this is, whatever its name; None where there is none."""
    try:
        facts = os.stat(database)
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def free_bytes(path: str) -> int | None:
    """Free space where the store lies, or None when the system does not tell."""
    free = _free(path)
    return None if free is None else free[0]
