"""Rows that sharedctx did not write: finding them, and removing them on request."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ...errors import UnsafeRow
from . import feed, foreign, keys, transaction
from .housekeeping import raise_mark
from .safedisk import LogCache

Query = Callable[[str], list[tuple[Any, ...]]]

_ALL = (
    "SELECT rowid, CAST(key AS BLOB), typeof(key) = 'text' AND raw = 1, mode, CAST(filename AS BLOB),"
    " iif(typeof(tag) = 'text', CAST(tag AS BLOB), tag), typeof(tag),"
    " CASE WHEN instr(key, '--') THEN iif(typeof(value) = 'text', 0.5, value) END FROM Cache"
)
_ROW = re.compile(r"([^-]+)-([^-]+)-(?:\d{15}|~[^-]+-\d+)")
_SIDE = re.compile(r"([^-]+)--([dm])\d{15}")
_OWN = frozenset({"-format", "-id", "-clock"})
_HOME = "repairs"
"""The space whose mark stands for what was removed outside of all spaces."""


class Foreign(NamedTuple):
    """A row that sharedctx did not write, and what is wrong with it."""

    rowid: int
    key: bytes
    fault: str


def verify(query: Query) -> list[str]:
    """Check the file's structure and look for rows that sharedctx did not write."""
    damaged = [f"database: {line}" for (line,) in query("PRAGMA quick_check") if line != "ok"]
    return damaged + [row.fault for row in find(query)]


def find(query: Query) -> Iterator[Foreign]:
    """Look for rows that sharedctx did not write; what rows of ours hold is not looked at."""
    for rowid, key, plain, mode, filename, tag, kind, value in query(_ALL):
        name = bytes(key).decode("utf-8", "replace")
        tag = bytes(tag).decode("utf-8", "replace") if kind == "text" else tag
        if not plain or not _is_ours(name):
            yield Foreign(rowid, key, f"foreign row with key {name[:80]!r}: not from sharedctx, never loaded")
        elif mode != 1 or filename is not None:
            named = None if filename is None else bytes(filename).decode("utf-8", "replace")
            yield Foreign(rowid, key, f"unsafe row {name!r} (mode {mode}, file {named!r}): never loaded")
        elif name not in _OWN and (fault := _fault(name, tag, rowid, value)):
            yield Foreign(rowid, key, f"foreign row with key {name[:80]!r}: {fault}")


def _is_ours(key: str) -> bool:
    if key in _OWN or ((side := _SIDE.fullmatch(key)) and keys.unescaped(side[1])):
        return True
    found = _ROW.fullmatch(key)
    if found is None or not keys.unescaped(found[1]) or not keys.unescaped(found[2]):
        return False
    try:
        keys.sort_key(key, found.end(2))
    except UnsafeRow:
        return False
    return True


def _fault(key: str, tag: Any, rowid: int, value: Any) -> str | None:
    """What is wrong with a row whose key is one of ours."""
    side = _SIDE.fullmatch(key)
    if side is not None and side[2] == "m":
        read = type(value) is int and transaction.compacted([(value, rowid)]) == value
        return None if read else "it should say how far a space was compacted, and does not"
    if tag == keys.HOLE:
        return None
    try:
        transaction.read_tag(tag, rowid)
    except UnsafeRow:
        return f"it says {str(tag)[:40]!r} of itself"
    if side is not None and (type(value) is not bytes or feed.drops(value) is None):
        return "it should say what was dropped, and does not"
    return None


def remove(cache: LogCache, con: sqlite3.Connection, rows: list[Foreign]) -> list[str]:
    """Remove rows inside a transaction; who follows the feed of their space is told that it is broken there.

    Returns the faults of those removed; the store's own rows stay, but for a clock that is none.
    """
    raise_mark(cache, con, _HOME, 0)  # a row above all that go, so that no row id is taken twice
    removed = []
    for rowid, key, fault in rows:
        name = bytes(key).decode("utf-8", "replace")
        if name in _OWN:
            continue
        found = _ROW.fullmatch(name) or _SIDE.fullmatch(name)
        space = keys.unescaped(found[1]) if found else None
        if space:
            raise_mark(cache, con, space, rowid)
        if space and found and foreign.is_version(name):
            pk = keys.unescaped(found[2])
            newest = 0 if pk is None else foreign.newest_number(con, space, pk, living=False)
            if keys.number(name) == newest:  # the number stays taken
                con.execute(
                    "UPDATE Cache SET raw = 1, mode = 1, filename = NULL, tag = ?, value = x''"
                    " WHERE rowid = ? AND CAST(key AS BLOB) = ?",
                    (keys.HOLE, rowid, key),
                )
                removed.append(fault)
                continue
        con.execute("DELETE FROM Cache WHERE rowid = ? AND CAST(key AS BLOB) = ?", (rowid, key))
        removed.append(fault)
    return removed
