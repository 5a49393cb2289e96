"""The change feed: rows in the order of their ids, one revision for all rows of a commit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...errors import Compacted, UnsafeRow
from ..base import Change, SortKey
from . import keys, transaction
from .notify import Alarms

Query = Callable[..., list[tuple[Any, ...]]]

_FEED = (
    "SELECT rowid, key, tag, CASE WHEN key < ? THEN value END FROM Cache"
    " WHERE rowid > ? AND rowid <= ? AND +key > ? AND +key < ? AND tag IS NOT 'x' ORDER BY rowid LIMIT ?"
)
_LAST = 1 << 62


def changes(query: Query, space: str, since: int, limit: int) -> list[Change]:
    """See ``Backend.changes``."""
    start = f"{keys.escape(space)}-"
    end = f"{keys.escape(space)}."
    events: list[Change] = []
    reached, unread = since, 0
    while not events and not unread:
        rows = query(_FEED, (f"{start}.", reached, _LAST, start, end, limit))
        if not rows:
            break
        rowid, _, tag, _ = rows[-1]
        reached = transaction.rev_of(tag, rowid)
        if reached > rowid:
            rows += query(_FEED, (f"{start}.", rowid, reached, start, end, 1000))
        events, unread = _read(rows, len(start), limit)
    oldest = transaction.compacted(query(transaction.COMPACTED, transaction.mark_bounds(space)))
    if not events:
        oldest = max(oldest, unread)
    newest = events[-1].rev if events else query(transaction.LAST_ROW)[0][0] or 0
    if since < oldest or since > newest:
        raise Compacted(
            f"the feed of {space!r} does not reach from revision {since} to now; read the state, then follow from "
            f"{max(oldest, min(since, newest))}",
            oldest=oldest,
        )
    return events


def _read(rows: list[tuple[Any, ...]], length: int, limit: int) -> tuple[list[Change], int]:
    """The changes that rows tell, up to the first that should tell drops and cannot be read: the feed is broken there.

    Returns its revision too, 0 for none.
    """
    events: list[Change] = []
    for rowid, key, tag, value in rows:
        rev = transaction.rev_of(tag, rowid)
        if len(events) >= limit and rev != events[-1].rev:
            break
        if key[length : length + 1] == "-":
            dropped = drops(value)
            if dropped is None:
                return [event for event in events if event.rev != rev], rev
            events += [Change(rev, pk, sk, "drop") for pk, sk in dropped]
        else:
            name = key[length:].partition("-")[0]
            pk = keys.unescaped(name)
            with suppress(UnsafeRow):  # a foreign row is no change
                if pk:
                    events.append(Change(rev, pk, keys.sort_key(key, length + len(name)), "put"))
    return events, 0


def drops(value: Any) -> list[tuple[str, SortKey]] | None:
    """What a row of the feed says was dropped, or None of one that sharedctx did not write."""
    try:
        found = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(_is_drop(each) for each in found):
        return None
    return [(pk, sk) for pk, sk in found]


def _is_drop(each: Any) -> bool:
    return isinstance(each, list) and len(each) == 2 and isinstance(each[0], str) and isinstance(each[1], int | str)


def wait(query: Query, alarms: Alarms, space: str, since: int, timeout: float) -> bool:
    """See ``Backend.wait``."""
    end = time.monotonic() + timeout
    bounds = (f"{keys.escape(space)}-", f"{keys.escape(space)}.")
    alarm, seen = alarms.own(), since
    while True:
        newest = query(transaction.LAST_ROW)[0][0] or 0
        if newest != seen:  # each commit has a row of its own, also one that only removes
            seen = newest
            if newest < since or query(transaction.CHANGED, (since, *bounds)):
                return True
            if since < transaction.compacted(query(transaction.COMPACTED, transaction.mark_bounds(space))):
                return True
        left = end - time.monotonic()
        if left <= 0:
            alarms.drop()
            return False
        alarm.wait(min(left, 1.0))
