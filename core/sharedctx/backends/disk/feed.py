"""The change feed: rows in the order of their ids, one revision for all rows of a commit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...errors import Compacted, UnsafeRow
from ..base import Change
from . import keys, transaction
from .notify import Alarm

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
    rows = query(_FEED, (f"{start}.", since, _LAST, start, end, limit))
    if rows:
        rowid, _, tag, _ = rows[-1]
        rev, _ = transaction.read_tag(tag, rowid)
        if rev > rowid:
            rows += query(_FEED, (f"{start}.", rowid, rev, start, end, 1000))
    mark = query(transaction.COMPACTED, transaction.mark_bounds(space))
    oldest = int(mark[0][0]) if mark else 0
    newest = query(transaction.LAST_ROW)[0][0] or 0
    if since < oldest or since > newest:
        raise Compacted(
            f"the feed of {space!r} does not reach from revision {since} to now; read the state, then follow from "
            f"{max(oldest, min(since, newest))}",
            oldest=oldest,
        )
    events: list[Change] = []
    length = len(start)
    for rowid, key, tag, value in rows:
        rev, _ = transaction.read_tag(tag, rowid)
        if len(events) >= limit and rev != events[-1].rev:
            break
        if value is not None:
            events += [Change(rev, pk, sk, "drop") for pk, sk in json.loads(value)]
        else:
            name = key[length:].partition("-")[0]
            with suppress(UnsafeRow):  # a foreign row is no change
                events.append(Change(rev, keys.unescape(name), keys.sort_key(key, length + len(name)), "put"))
    return events


def wait(query: Query, path: str, space: str, since: int, timeout: float) -> bool:
    """See ``Backend.wait``."""
    end = time.monotonic() + timeout
    bounds = (f"{keys.escape(space)}-", f"{keys.escape(space)}.")
    with Alarm(path) as alarm:
        while True:
            newest = query(transaction.LAST_ROW)[0][0] or 0
            mark = query(transaction.COMPACTED, transaction.mark_bounds(space))
            if newest < since or (mark and since < int(mark[0][0])) or query(transaction.CHANGED, (since, *bounds)):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            alarm.wait(min(left, 1.0))
