"""Passing by rows that sharedctx did not write, where one was met: they hide no neighbour and take no number."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from ...errors import UnsafeRow
from ..base import Row
from . import keys

_KEYS = "SELECT key FROM Cache WHERE key > ? AND key < ? AND raw = 1{} ORDER BY key DESC"
_ALL = _KEYS.format("")
_LIVING = _KEYS.format(" AND tag IS NOT 'x'")


def passing_by(
    query: Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]],
    sql: str,
    bounds: tuple[str, str],
    limit: int,
    make: Callable[..., Row],
) -> list[Row]:
    """Return the first ``limit`` rows that ``make`` does not refuse, from a statement whose last argument limits it."""
    ask = limit
    while True:
        ask = 2 * ask + 64
        page = query(sql, (*bounds, ask))
        found = []
        for row in page:
            try:
                found.append(make(*row))
            except UnsafeRow:
                continue
        if len(found) >= limit or len(page) < ask:
            return found[:limit]


def newest_number(con: sqlite3.Connection, space: str, pk: str, *, living: bool) -> int:
    """The highest number that a version of the partition has, or with ``living=False`` ever had; 0 for none."""
    for (key,) in con.execute(_LIVING if living else _ALL, keys.version_bounds(space, pk)):
        if is_version(key):
            return keys.number(key)
    return 0


def is_version(key: str) -> bool:
    """Whether a version may have this key."""
    try:
        return keys.number(key) > 0
    except UnsafeRow:
        return False
