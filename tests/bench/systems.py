"""The systems compared: how each of them opens a directory, writes a value and reads it back."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import diskcache
import lmdb
from payloads import Payload

from sharedctx import open as open_store
from sharedctx.backends.base import Head, Put
from sharedctx.backends.disk import DiskBackend
from sharedctx.backends.disk.safedisk import SETTINGS
from sharedctx.backends.steps import run
from sharedctx.versions.codec import Kind
from sharedctx.versions.log import ContentCache, Draft, VersionLog

SPACE = "session:bench"
_MAP = 8 << 30
_PAGES = 1000


class System(Protocol):
    """One way to keep values."""

    def put(self, key: str, payload: Payload, before: int) -> object:
        """Write a value; ``before`` is the version that the key has (0: none), for those that ask."""
        ...

    def get(self, key: str) -> object:
        """Read the newest value."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class Nothing:
    """No store: a put is a sha256 of the value. What stalls here is the machine."""

    def __init__(self, path: Path) -> None:
        self._held: dict[str, bytes] = {}

    def put(self, key: str, payload: Payload, before: int) -> object:
        return hashlib.sha256(payload.data).digest()

    def get(self, key: str) -> object:
        return hashlib.sha256(key.encode()).digest()

    def close(self) -> None:
        self._held.clear()


class Diskcache:
    """``diskcache.Cache.set`` and ``get`` of bytes."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.cache = diskcache.Cache(str(path), **settings)

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.cache.set(key, payload.data)

    def get(self, key: str) -> object:
        return self.cache.get(key)

    def close(self) -> None:
        self.cache.close()


class Sqlite:
    """A table of keys and blobs in autocommit mode, write-ahead log."""

    def __init__(self, path: Path, synchronous: str = "NORMAL") -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.con = sqlite3.connect(path / "raw.db", isolation_level=None, timeout=60)
        self.con.execute("PRAGMA journal_mode=WAL")
        self.con.execute(f"PRAGMA synchronous={synchronous}")
        self.con.execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB)")

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.con.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, payload.data))

    def get(self, key: str) -> object:
        return self.con.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchall()

    def close(self) -> None:
        self.con.close()


class Lmdb:
    """LMDB without writemap, one transaction a put."""

    def __init__(self, path: Path, **modes: Any) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._env = lmdb.open(str(path), map_size=_MAP, writemap=False, **modes)

    def put(self, key: str, payload: Payload, before: int) -> object:
        with self._env.begin(write=True) as txn:
            return txn.put(key.encode(), payload.data)

    def get(self, key: str) -> object:
        with self._env.begin() as txn:
            return txn.get(key.encode())

    def close(self) -> None:
        self._env.close()


class Blind:
    """Our backend: a commit of one version without a condition, a scan of one."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.backend = DiskBackend(path, durable=durable)

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.backend.commit(SPACE, (Put(key, payload.data),))

    def get(self, key: str) -> object:
        return self.backend.scan(SPACE, key, limit=1, newest_first=True)

    def close(self) -> None:
        self.backend.close()


class Conditional(Blind):
    """Our backend: a commit that requires the newest version to be number ``before``."""

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.backend.commit(SPACE, (Put(key, payload.data, when=Head(before)),))


class Log(Blind):
    """``VersionLog.append`` with ``expect``; its read is the live version with its content."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._log = VersionLog(self.backend.id, SPACE, ContentCache())

    def put(self, key: str, payload: Payload, before: int) -> object:
        return run(self.backend, self._log.append(key, Draft(Kind.BYTES, payload.data), 1e9, expect=before))

    def get(self, key: str) -> object:
        version = run(self.backend, self._log.head(key))
        return None if version is None else run(self.backend, self._log.content(version))


class Facade:
    """``SharedContext.put`` of text; the read is ``get(full=True)``."""

    def __init__(self, path: Path, *, durable: bool = False, **settings: Any) -> None:
        self.store = open_store(path, durable=durable)
        self.context = self.store.session("bench", **settings)
        self.fresh = self.context
        self.unheld = open_store(path, durable=durable)
        self.unheld.contents = ContentCache(0)
        self.reader = self.unheld.session("bench", **settings)

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.context.put(key, payload.text)

    def get(self, key: str) -> object:
        return self.context.get(key, full=True)

    def get_unheld(self, key: str) -> object:
        """Read the exact value with no decoded content held in memory."""
        return self.reader.get(key, full=True)

    def view(self, key: str) -> object:
        """Read the view, which the session keeps once it was made."""
        return self.context.get(key)

    def renew(self) -> None:
        """Start a session object that holds no views."""
        self.fresh = self.store.session("bench")

    def first_view(self, key: str) -> object:
        """Read the view in the session that ``renew`` started."""
        return self.fresh.get(key)

    def close(self) -> None:
        self.unheld.close()
        self.store.close()


class Expecting(Facade):
    """``SharedContext.put`` with ``expect``."""

    def put(self, key: str, payload: Payload, before: int) -> object:
        return self.context.put(key, payload.text, expect=before)


def tuned(path: Path, synchronous: int = 1) -> Diskcache:
    """diskcache with the settings of our disk backend, but checkpoints by SQLite, since nobody else makes them."""
    return Diskcache(path, **{**SETTINGS, "sqlite_wal_autocheckpoint": _PAGES, "sqlite_synchronous": synchronous})


PLAIN = "diskcache.Cache, defaults"
TUNED = "diskcache.Cache, our settings"
SQLITE = "sqlite3 WAL, synchronous NORMAL"
LMDB = "lmdb, sync=False"
BLIND = "backend commit"
HEAD = "backend commit, Head(n)"
APPEND = "VersionLog.append, expect"
FACADE = "SharedContext.put"
EXPECT = "SharedContext.put, expect"

FAST: dict[str, Callable[[Path], System]] = {
    PLAIN: Diskcache,
    TUNED: tuned,
    SQLITE: Sqlite,
    LMDB: lambda path: Lmdb(path, sync=False),
    BLIND: Blind,
    HEAD: Conditional,
    APPEND: Log,
    FACADE: Facade,
    EXPECT: Expecting,
}
"""What survives a killed process."""

FULL = "sqlite3 WAL, synchronous FULL"
DURABLE: dict[str, Callable[[Path], System]] = {
    FULL: lambda path: Sqlite(path, "FULL"),
    "diskcache.Cache, our settings, FULL": lambda path: tuned(path, 2),
    "lmdb, sync=True": Lmdb,
    "lmdb, metasync=False": lambda path: Lmdb(path, metasync=False),
    "backend commit, durable": lambda path: Blind(path, durable=True),
    "SharedContext.put, durable": lambda path: Facade(path, durable=True),
}
"""What survives a power cut."""
