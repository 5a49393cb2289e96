"""One commit inside a held writer lock: judge its conditions, insert its rows, then remove what it replaces."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from ...errors import ConditionFailed, UnsafeRow
from ..base import (
    ABSENT,
    ANY,
    MAX_OPS,
    NEXT,
    At,
    Check,
    Committed,
    Drop,
    Head,
    Op,
    Put,
    SortKey,
)
from . import foreign, inserting, keys
from .safedisk import LogCache

_APPEND = """
INSERT INTO Cache(key, raw, store_time, expire_time, access_time, access_count, tag, size, mode, filename, value)
SELECT ?, 1, 0, NULL, 0, 0, ?, 0, 1, NULL, ?
WHERE (SELECT iif(tag IS 'x', '', key) FROM Cache WHERE key > ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT 1) IS ?
"""
_HIGHEST = _APPEND[_APPEND.index("(SELECT") + 1 : _APPEND.rindex(")")]
_APPEND_ONTO = _APPEND.replace("'', key)", "'', key || ' ' || iif(typeof(tag) = 'text', CAST(tag AS INTEGER), rowid))")
"""The same, only onto the version of a revision."""
_HIGHEST_ONTO = _APPEND_ONTO[_APPEND_ONTO.index("(SELECT") + 1 : _APPEND_ONTO.rindex(")")]
_MANY = 8
_MOST_ROWS = MAX_OPS + 1
"""A commit's rows: one for each put, and one that tells the drops."""
ANY_KEY = "SELECT key FROM Cache WHERE key > ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT 1"
EXISTS = "SELECT 1 FROM Cache WHERE key = ? AND raw = 1 AND tag IS NOT 'x'"
MARK = "SELECT tag, rowid FROM Cache WHERE key = ? AND raw = 1"
LAST_ROW = "SELECT max(rowid) FROM Cache"
CHANGED = "SELECT 1 FROM Cache WHERE rowid > ? AND +key > ? AND +key < ? AND tag IS NOT 'x' LIMIT 1"


COMPACTED = "SELECT value, rowid FROM Cache WHERE key > ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT 1"


def last_row(con: sqlite3.Connection) -> int:
    """The newest row's id, which is the store's revision."""
    (row,) = con.execute(LAST_ROW).fetchall()
    return row[0] or 0


def head(con: sqlite3.Connection, space: str, pk: str) -> int:
    """The newest version number of a partition, 0 for none."""
    return foreign.newest_number(con, space, pk, living=True)


def insert(
    con: sqlite3.Connection, space: str, op: Put, mark: float | str | None, number: int | None = None
) -> tuple[int, int]:
    """Insert a version under the next number, higher than any that was given, or the one that it asks for; returns its
    row id and that number."""
    asked = op.when.number if isinstance(op.when, Head) else None
    number = number or asked or foreign.newest_number(con, space, op.pk, living=False) + 1
    return inserting.one(con, keys.version_key(keys.partition(space, op.pk), number), mark, op.value), number


def mark_bounds(space: str) -> tuple[str, str]:
    """Bounds around the compaction mark of a space, whose value is the newest revision that was removed from."""
    start = f"{keys.escape(space)}--"
    return f"{start}m", f"{start}n"


def compacted(marks: Sequence[tuple[Any, int]]) -> int:
    """What the compaction mark says, as ``COMPACTED`` read it; 0 without one.

    One that sharedctx did not write says that all before it is gone: a mark never names a later row than itself.
    """
    if not marks:
        return 0
    value, rowid = marks[0]
    return value if type(value) is int and 0 <= value <= rowid else rowid


def feed_key(space: str, rev: int) -> str:
    return f"{keys.escape(space)}--d{rev:015d}"


def tag(rev: int, expires: float | None, alone: bool) -> float | str | None:
    """What a row's tag says: its revision unless that is its row id, and when it expires."""
    if alone:
        return None if expires is None else float(expires)
    return str(rev) if expires is None else f"{rev} {float(expires)!r}"


def read_tag(value: Any, rowid: int) -> tuple[int, float | None]:
    """Return the revision and expiry of a row; raises ``UnsafeRow`` for what no row of ours says."""
    if value is None:
        return rowid, None
    if isinstance(value, float):
        return rowid, value
    rev, _, expires = str(value).partition(" ")
    try:
        if type(value) is str and rowid <= int(rev) <= rowid + _MOST_ROWS:
            return int(rev), float(expires) if expires else None
    except ValueError:
        pass
    raise UnsafeRow(f"row {rowid} says {str(value)!r:.40} of itself and is a foreign one: `doctor --repair` removes it")


def rev_of(value: Any, rowid: int) -> int:
    """The revision of a row, whoever wrote it."""
    try:
        return read_tag(value, rowid)[0]
    except UnsafeRow:
        return rowid


def following(con: sqlite3.Connection, space: str, op: Op) -> int | None:
    """The number after the newest version that a put requires, whoever wrote that, where no higher one was given; None
    where more must be asked."""
    if not (isinstance(op, Put) and follows(op) and isinstance(op.when, Head)):
        return None
    statement, newest = _HIGHEST, keys.version_key(keys.partition(space, op.pk), op.when.sk) if op.when.sk > 0 else None
    if op.when.rev is not None:
        statement, newest = _HIGHEST_ONTO, f"{newest} {op.when.rev}"
    found = con.execute(statement, keys.version_bounds(space, op.pk)).fetchall()
    return op.when.sk + 1 if (found[0][0] if found else None) == newest else None


def check(con: sqlite3.Connection, space: str, op: Put | Check) -> None:
    """Judge the condition of a put or check; raises ``ConditionFailed``."""
    if op.sk is not NEXT:
        bounds = keys.collection_bounds(keys.partition(space, op.pk), str(op.sk))
        found = con.execute(ANY_KEY, bounds).fetchall()
        there = bool(found) and not (isinstance(op.when, At) and not found[0][0].endswith(f"-{op.when.rev}"))
        if there is (op.when is ABSENT):
            raise ConditionFailed.row(op.pk, str(op.sk), there=there)
        return
    wanted = op.when.sk if isinstance(op.when, Head) else 0
    actual = head(con, space, op.pk)
    if actual != wanted:
        raise ConditionFailed(
            f"{op.pk!r} is at version {actual}, not {wanted}; read it again, then repeat the write",
            pk=op.pk,
            actual=actual,
        )
    if isinstance(op.when, Head) and op.when.rev is not None:
        marks = con.execute(MARK, (keys.version_key(keys.partition(space, op.pk), actual),)).fetchall()
        if [rev_of(*mark) for mark in marks] != [op.when.rev]:
            raise ConditionFailed.another(op.pk, actual)
    if isinstance(op.when, Head) and op.when.given is not None:
        given = foreign.newest_number(con, space, op.pk, living=False)
        if given != op.when.given:
            raise ConditionFailed.outnumbered(op.pk, actual, given)


def follows(op: Op) -> bool:
    """Whether a put takes the number after the version that it requires, and no more than that is to be asked."""
    if not (isinstance(op, Put) and op.sk is NEXT and isinstance(op.when, Head)):
        return False
    return op.when.number is None and op.when.given in (None, op.when.sk)


def append(con: sqlite3.Connection, space: str, op: Put, head: int) -> int | None:
    """Insert the version after ``head`` while that is the newest, and return its row id, which is its revision.

    None, and nothing done, when it is not, or when higher numbers were given and dropped.
    """
    prefix = keys.partition(space, op.pk)
    newest = keys.version_key(prefix, head) if head > 0 else None
    mark = tag(0, op.expires, alone=True)
    values = (keys.version_key(prefix, head + 1), mark, op.value)
    statement = _APPEND
    if isinstance(op.when, Head) and op.when.rev is not None:
        statement, newest = _APPEND_ONTO, f"{newest} {op.when.rev}"
    done = con.execute(statement, (*values, *keys.version_bounds(space, op.pk), newest))
    return done.lastrowid if done.rowcount == 1 else None


class Transaction:
    """Applies commits on a connection that holds the writer lock."""

    def __init__(self, cache: LogCache, con: sqlite3.Connection) -> None:
        self._cache = cache
        self._con = con

    def apply(self, space: str, ops: Sequence[Op], if_rev: int | None) -> Committed:
        """Apply one commit; raises ``ConditionFailed`` before anything was written."""
        con = self._con
        if if_rev is not None:
            self._check_rev(space, if_rev)
        elif len(ops) == 1 and isinstance(op := ops[0], Put) and isinstance(op.when, Head) and follows(op):
            row = append(con, space, op, op.when.sk)
            if row is not None:
                return row, [op.when.sk + 1]
        numbers: dict[str, int] = {}
        for op in ops:
            if (number := following(con, space, op)) is not None:
                numbers[op.pk] = number
            elif not isinstance(op, Drop) and op.when is not ANY:
                check(con, space, op)
        drops = [op for op in ops if isinstance(op, Drop) and self._find(space, op) is not None]
        puts = [op for op in ops if isinstance(op, Put)]
        base = last_row(con)
        inserts = len(puts) + bool(drops)
        rev = base + inserts
        replaced: list[str] = []
        sks: list[SortKey] = []
        free = self._free(space, puts)
        rows: list[inserting.New] = []
        for op in puts:
            prefix = keys.partition(space, op.pk)
            mark = tag(rev, op.expires, inserts == 1)
            if op.sk is NEXT:
                inserting.many(con, rows)
                sks.append(insert(con, space, op, mark, numbers.get(op.pk))[1])
            else:
                sk = str(op.sk)
                if op.pk not in free:
                    replaced += [key for (key,) in con.execute(ANY_KEY, keys.collection_bounds(prefix, sk)).fetchall()]
                rows.append((keys.collection_key(prefix, sk, rev), mark, op.value))
                sks.append(sk)
        inserting.many(con, rows)
        if drops:
            events = json.dumps([[op.pk, op.sk] for op in drops]).encode()
            self._cache.add(feed_key(space, rev), events, tag=tag(rev, None, inserts == 1))
            for op in drops:
                self._drop(space, op)
        for key in replaced:
            self._cache.delete(key)
        return rev if inserts else base, sks

    def _free(self, space: str, puts: Sequence[Put]) -> set[str]:
        """The partitions that hold no row yet between the first and the last of many that are put."""
        if len(puts) < _MANY:
            return set()
        ends: dict[str, list[str]] = {}
        for op in puts:
            if isinstance(op.sk, str):
                ends.setdefault(op.pk, []).append(keys.collection_start("", op.sk))
        free: set[str] = set()
        for pk, starts in ends.items():
            prefix = keys.partition(space, pk)
            bounds = (f"{prefix}{min(starts)}", f"{prefix}{max(starts)}.")
            if not self._con.execute(ANY_KEY, bounds).fetchall():
                free.add(pk)
        return free

    def _check_rev(self, space: str, if_rev: int) -> None:
        start = keys.escape(space)
        present = last_row(self._con)
        reclaimed = if_rev < compacted(self._con.execute(COMPACTED, mark_bounds(space)).fetchall())
        changed = self._con.execute(CHANGED, (if_rev, f"{start}-", f"{start}.")).fetchall()
        if if_rev > present or reclaimed or changed:
            raise ConditionFailed(
                f"the space {space!r} changed after revision {if_rev}; read it again, then repeat the write",
                pk=None,
                actual=present,
            )

    def _find(self, space: str, op: Drop) -> str | None:
        prefix = keys.partition(space, op.pk)
        if isinstance(op.sk, str):
            rows = self._con.execute(ANY_KEY, keys.collection_bounds(prefix, op.sk)).fetchall()
            return rows[0][0] if rows else None
        key = keys.version_key(prefix, op.sk)
        return key if self._con.execute(EXISTS, (key,)).fetchall() else None

    def _drop(self, space: str, op: Drop) -> None:
        key = self._find(space, op)
        if key is None:
            return
        if isinstance(op.sk, int) and op.sk == foreign.newest_number(self._con, space, op.pk, living=False):
            self._cache.set(key, b"", tag=keys.HOLE)
            return
        self._cache.delete(key)
