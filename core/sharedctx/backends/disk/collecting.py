"""The commit of one new collection row, in one statement with the conditions that others are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..base import ABSENT, NEXT, PRESENT, At, Check, Op, Put
from . import keys, transaction

_COLLECT = """
INSERT INTO Cache(key, raw, store_time, expire_time, access_time, access_count, tag, size, mode, filename, value)
SELECT ? || '-' || (coalesce((SELECT max(rowid) FROM Cache), 0) + 1), 1, 0, NULL, 0, 0, ?, 0, 1, NULL, ?
WHERE NOT EXISTS (SELECT 1 FROM Cache WHERE key > ? AND key < ? AND raw = 1)
"""
_PRESENT = " AND EXISTS (SELECT 1 FROM Cache WHERE key > ? AND key < ? AND raw = 1)"
_AS_WRITTEN = " AND EXISTS (SELECT 1 FROM Cache WHERE key = ? AND raw = 1)"
_MOST_CHECKS = 12


def collects(ops: Sequence[Op]) -> bool:
    """Whether a commit is one new collection row, at most with conditions that others are there."""
    first = ops[0]
    return (
        isinstance(first, Put)
        and first.when is ABSENT
        and first.sk is not NEXT
        and len(ops) <= _MOST_CHECKS
        and all(isinstance(op, Check) and op.sk is not NEXT and _requires(op.when) for op in ops[1:])
    )


def _requires(when: object) -> bool:
    return when is PRESENT or isinstance(when, At)


def collect(con: sqlite3.Connection, space: str, ops: Sequence[Op]) -> int | None:
    """Insert such a row in one statement and return its row id, None where a condition fails."""
    put = ops[0]
    assert isinstance(put, Put)
    prefix = keys.partition(space, put.pk)
    args: list[Any] = [keys.collection_start(prefix, str(put.sk)), transaction.tag(0, put.expires, True), put.value]
    args += keys.collection_bounds(prefix, str(put.sk))
    conditions = ""
    for op in ops[1:]:
        start, end = keys.collection_bounds(keys.partition(space, op.pk), str(op.sk))
        assert isinstance(op, Check)
        if isinstance(op.when, At):
            conditions += _AS_WRITTEN
            args.append(f"{start}{op.when.rev}")
        else:
            conditions += _PRESENT
            args += (start, end)
    done = con.execute(_COLLECT + conditions, args)
    return done.lastrowid if done.rowcount == 1 else None
