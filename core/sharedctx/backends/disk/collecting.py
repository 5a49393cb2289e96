"""The commit of one new collection row, in one statement with the conditions that others are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..base import ABSENT, NEXT, PRESENT, At, Check, Op, Put
from . import keys, transaction

_COLLECT = """
INSERT INTO Cache(key, raw, store_time, expire_time, access_time, access_count, tag, size, mode, filename, value)
SELECT ? || (coalesce((SELECT max(rowid) FROM Cache), 0) + 1), 1, 0, NULL, 0, 0, ?, 0, 1, NULL, ?
WHERE NOT EXISTS (SELECT 1 FROM Cache WHERE key > ? AND key < ? AND raw = 1)
"""
_PRESENT = " AND EXISTS (SELECT 1 FROM Cache WHERE key > ? AND key < ? AND raw = 1)"
_AS_WRITTEN = " AND EXISTS (SELECT 1 FROM Cache WHERE key = ? AND raw = 1)"
_MOST_OPS = 12


class Collected(NamedTuple):
    """The statement that inserts one new collection row, unless a condition fails."""

    sql: str
    args: list[Any]
    sk: str
    size: int


def collected(space: str, ops: Sequence[Op]) -> Collected | None:
    """Return the statement of a commit that is one new collection row, at most with conditions that others are there;
    None of any other commit."""
    put = ops[0]
    if not isinstance(put, Put) or put.when is not ABSENT or put.sk is NEXT or len(ops) > _MOST_OPS:
        return None
    start, end = keys.collection_bounds(keys.partition(space, put.pk), put.sk)
    args: list[Any] = [start, transaction.tag(0, put.expires, True), put.value, start, end]
    conditions = ""
    for op in ops[1:]:
        if not isinstance(op, Check) or op.sk is NEXT:
            return None
        start, end = keys.collection_bounds(keys.partition(space, op.pk), op.sk)
        if isinstance(op.when, At):
            conditions += _AS_WRITTEN
            args.append(f"{start}{op.when.rev}")
        elif op.when is PRESENT:
            conditions += _PRESENT
            args += (start, end)
        else:
            return None
    return Collected(_COLLECT + conditions, args, put.sk, len(put.value))


def collect(con: sqlite3.Connection, wanted: Collected) -> int | None:
    """Insert the row and return its row id, None where a condition fails."""
    done = con.execute(wanted.sql, wanted.args)
    return done.lastrowid if done.rowcount == 1 else None
