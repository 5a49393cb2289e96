"""A store's rows, changed behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def change(path: Path, sql: str, args: tuple[object, ...] = ()) -> None:
    """Run a statement on the database of a store; it must change something."""
    with closing(sqlite3.connect(path / "cache.db")) as con, con:
        assert con.execute(sql, args).rowcount > 0
