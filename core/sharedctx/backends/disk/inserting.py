"""Inserting rows into the log: one, many of this thread, many for the event loops that wait for them."""

from __future__ import annotations

import sqlite3
from typing import Final

New = tuple[str, float | str | None, bytes]
"""A row's key, its tag and its value."""

_INSERT: Final = """
INSERT INTO Cache(key, raw, store_time, expire_time, access_time, access_count, tag, size, mode, filename, value)
VALUES"""
_ROW: Final = " (?, 1, 0, NULL, 0, 0, ?, 0, 1, NULL, ?)"
_ONE: Final = _INSERT + _ROW
_TOGETHER: Final = 64
_INSERTS: Final = {rows: _INSERT + ",".join([_ROW] * rows) for rows in (1, 2, 4, 8, 16, 32, _TOGETHER)}


def one(con: sqlite3.Connection, key: str, mark: float | str | None, value: bytes) -> int:
    """Insert a row and return its row id."""
    row = con.execute(_ONE, (key, mark, value)).lastrowid
    assert row is not None
    return row


def many(con: sqlite3.Connection, rows: list[New]) -> None:
    """Insert rows, and empty the list: the least CPU time."""
    if rows:
        con.executemany(_ONE, rows)
        rows.clear()


def together(con: sqlite3.Connection, rows: list[New]) -> None:
    """Insert rows by few statements, and empty the list: a quarter more CPU time, but each step of a statement gives
    the interpreter up, and waits for it where an event loop is busy."""
    at = 0
    while at < len(rows):
        count = min(1 << ((len(rows) - at).bit_length() - 1), _TOGETHER)
        con.execute(_INSERTS[count], [value for row in rows[at : at + count] for value in row])
        at += count
    rows.clear()
