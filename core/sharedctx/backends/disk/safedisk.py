"""diskcache's storage hooks without pickle and without value files, and the settings a durable log needs."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import diskcache
from diskcache.core import MODE_RAW, UNKNOWN

from ...errors import UnsafeRow

SETTINGS: dict[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 1 << 62,
    "statistics": 0,
    "tag_index": 0,
    "disk_min_file_size": 2**31 - 1,
    "sqlite_auto_vacuum": 0,
    "sqlite_journal_mode": "wal",
    "sqlite_cache_size": 8192,
    "sqlite_mmap_size": 0,
    "sqlite_cell_size_check": 1,
    "sqlite_trusted_schema": 0,
    "sqlite_wal_autocheckpoint": 0,
}
"""diskcache's defaults evict silently at 1 GiB and keep larger values in files that a rollback can lose."""


_UNUSED = ("CREATE INDEX IF NOT EXISTS Cache_expire_time", "CREATE TRIGGER IF NOT EXISTS Settings_")
"""What diskcache would keep current for its own expiry and counts: two pages and a fifth of the time of a commit."""

_OF_CONNECTIONS = ("cache_size", "mmap_size", "cell_size_check", "trusted_schema", "wal_autocheckpoint")
_PAUSE = 1e-3
_INHERITED: list[object] = []


class SafeDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Stores text keys and bytes, text, int and float values in the row itself; refuses everything else.

    diskcache's own ``Disk`` unpickles what it finds (CVE-2025-69872) and opens files that a row names.
    """

    def put(self, key: object) -> tuple[str, bool]:
        if type(key) is not str:
            raise TypeError(f"keys are text, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> str:
        if raw != 1 or type(key) is not str:
            raise UnsafeRow("a row with a pickled key was found and not loaded; it is not from sharedctx")
        return key

    def store(self, value: object, read: bool, key: object = UNKNOWN) -> tuple[int, int, None, object]:
        kind = type(value)
        if not read and (
            kind is bytes or kind is str or kind is int or (kind is float and not math.isnan(cast(float, value)))
        ):
            return 0, MODE_RAW, None, value
        raise TypeError(f"rows hold bytes, text, int or float, not {kind.__name__}")

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> object:
        if mode != MODE_RAW or filename is not None or read or type(value) not in (bytes, str, int, float):
            raise UnsafeRow(f"a foreign row was not loaded (mode {mode}, file {filename!r}); it is not from sharedctx")
        return value

    def filename(self, key: object = UNKNOWN, value: object = UNKNOWN) -> tuple[str, str]:
        raise UnsafeRow("value files are not used by sharedctx")

    def remove(self, file_path: str) -> None:
        """Do nothing: a planted file name must not delete anything."""


class LogCache(diskcache.Cache):  # type: ignore[misc]
    """A ``diskcache.Cache`` that lends its thread's connection for reading and can be left behind in a fork."""

    def __init__(self, directory: str, *, durable: bool, busy: float) -> None:
        self._synchronous = 2 if durable else 1
        self._busy = busy
        super().__init__(directory, timeout=0, disk=SafeDisk, **SETTINGS, sqlite_synchronous=self._synchronous)

    @property
    def _sql_retry(self) -> Callable[..., Any]:
        """What diskcache makes its tables with, but for those parts that a log has no use for; it would wait a minute
        for another writer."""
        execute, until = self._sql, time.monotonic() + self._busy

        def patiently(statement: str, *args: Any) -> Any:
            while not statement.startswith(_UNUSED):
                try:
                    return execute(statement, *args)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                        raise
                    time.sleep(_PAUSE)
            return None

        return patiently

    @property
    def _con(self) -> sqlite3.Connection:
        """This thread's connection; diskcache makes such as only one thread may use, and reads their settings."""
        con: sqlite3.Connection | None = getattr(self._local, "con", None)
        if con is None:
            path = os.path.join(self.directory, "cache.db")
            con = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._local.con = con
        return con

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, set to this opener's durability.

        diskcache keeps settings in the store, where an opener with another durability overwrites them.
        """
        con = self._con
        for name in _OF_CONNECTIONS:
            con.execute(f"PRAGMA {name}={SETTINGS[f'sqlite_{name}']}")
        con.execute(f"PRAGMA synchronous={self._synchronous}")
        con.execute("PRAGMA secure_delete=1")  # what is erased is overwritten in the file, whatever SQLite's default
        return con

    def use(self, con: sqlite3.Connection | None) -> None:
        """Have this thread's calls use that connection, of None one of its own."""
        self._local.con = con

    def abandon(self) -> None:
        """Forget the parent's connections after a fork; they stay referenced, since closing them here would harm it."""
        _INHERITED.append(self.__dict__["_local"])
        self._local = threading.local()
        self._txn_id = None
