"""What lies in a store's directory: making it, recognising it, refusing what is not ours."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
from typing import Any

from ...errors import BackendUnavailable, ConfigError
from . import faults
from .alone import alone, patiently
from .connections import Connections
from .writer import Writer

FORMAT = 1
_COLUMNS = {"key", "raw", "tag", "mode", "filename", "value"}


def read_own(column: str) -> str:
    """The statement that reads one of the store's own rows."""
    return f"SELECT {column} FROM Cache WHERE key = ? AND raw = 1 AND mode = 1"


def prepare(path: str, database: str, connections: Connections, writer: Writer) -> str:
    """Make or open the store in ``path`` and return its id; what is there already is opened without writing to it."""
    _directory(path)
    try:
        with alone(path):
            own = patiently(lambda: _recognise(path, connections)) if os.path.exists(database) else None
            if own is None:
                patiently(lambda: _initialise(writer))
                own = patiently(lambda: _recognise(path, connections))
            writer.require_place()
            return str(own)
    except (sqlite3.Error, OSError) as error:
        raise faults.explain(error, path) from error


def _directory(path: str) -> None:
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        facts = os.stat(path)
    except FileExistsError:
        raise ConfigError(f"{path} is a file; name a directory for the store") from None
    except OSError as error:
        raise faults.explain(error, os.path.dirname(path)) from error
    if hasattr(os, "geteuid") and (
        facts.st_uid not in (os.geteuid(), 0) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ):
        raise BackendUnavailable(
            f"the directory {path} can be written by other users; make it private (chmod 700, owned by you), since "
            "whoever writes there can forge what agents read"
        )


def _initialise(writer: Writer) -> None:
    cache = writer.open()
    if cache.get("-id") is None:
        writer.transact(
            lambda opened, con: (opened.add("-format", FORMAT), opened.add("-id", secrets.token_hex(16))), 0
        )


def _own(connections: Connections, key: str) -> Any:
    rows = connections.query(read_own("value"), (key,))
    return rows[0][0] if rows else None


def _recognise(path: str, connections: Connections) -> str | None:
    """Return the id of the store, None where it is still to be made; raises ``ConfigError`` for what is not ours."""
    tables = connections.query("SELECT name FROM pragma_table_info('Cache')")
    if not tables:
        others = connections.query(
            "SELECT count(*) FROM sqlite_master WHERE name NOT IN ('Settings') AND type = 'table'"
        )
        if others[0][0]:
            raise ConfigError(f"{path}/cache.db is another program's database; name another directory")
        return None
    if not {name for (name,) in tables} >= _COLUMNS:
        raise ConfigError(f"{path}/cache.db has not the table of diskcache 5; open it with the version that wrote it")
    version = _own(connections, "-format")
    if version is None:
        if connections.query("SELECT 1 FROM Cache LIMIT 1"):
            raise ConfigError(f"{path} holds a diskcache of another program; name another directory for the store")
    elif version != FORMAT:
        raise ConfigError(f"the store {path} has format {version}, this sharedctx reads {FORMAT}: upgrade sharedctx")
    own = _own(connections, "-id")
    return None if own is None else str(own)
