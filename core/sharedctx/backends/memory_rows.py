"""What the memory backend keeps: the rows of a partition and the feed of a space."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from operator import attrgetter
from typing import Any

from ..errors import ConditionFailed
from .base import Change, Head, Row, SortKey
from .bounds import check_text

revision = attrgetter("rev")


class Partition:
    """The rows under one partition key: versions by number, collection rows by text."""

    __slots__ = ("last", "numbers", "rows", "texts", "versions")

    def __init__(self) -> None:
        self.last = 0  # the highest number ever given, which may be of a row that is gone
        self.numbers: list[int] = []
        self.versions: list[Row] = []
        self.texts: list[str] = []
        self.rows: dict[str, Row] = {}

    @property
    def head(self) -> int:
        """The newest version's number, 0 for none."""
        return self.numbers[-1] if self.numbers else 0

    def get(self, sk: SortKey) -> Row | None:
        """Return the row of this sort key."""
        if isinstance(sk, str):
            return self.rows.get(sk)
        at = bisect_left(self.numbers, sk)
        return self.versions[at] if at < len(self.numbers) and self.numbers[at] == sk else None

    def require(self, pk: str, wanted: Head) -> None:
        """Raise ``ConditionFailed`` unless the newest version is the one that is wanted."""
        if self.head != wanted.sk:
            raise ConditionFailed(f"{pk!r} is at version {self.head}: read it again", pk=pk, actual=self.head)
        if wanted.rev is not None and (not self.versions or self.versions[-1].rev != wanted.rev):
            raise ConditionFailed.another(pk, self.head)
        if wanted.given not in (None, self.last):
            raise ConditionFailed.outnumbered(pk, self.head, self.last)

    def add(self, row: Row) -> None:
        """Add the next version, or add or replace a collection row."""
        if isinstance(row.sk, str):
            if row.sk not in self.rows:
                insort(self.texts, row.sk)
            self.rows[row.sk] = row
        else:
            self.last = row.sk
            self.numbers.append(row.sk)
            self.versions.append(row)

    def remove(self, sk: SortKey) -> None:
        """Remove a row that is there."""
        if isinstance(sk, str):
            del self.rows[sk], self.texts[bisect_left(self.texts, sk)]
        else:
            at = bisect_left(self.numbers, sk)
            del self.numbers[at], self.versions[at]

    def between(self, lo: SortKey, hi: SortKey | None, limit: int, newest_first: bool) -> list[Row]:
        """Return rows as ``Backend.scan`` does."""
        keys: list[Any] = self.texts if isinstance(lo, str) else self.numbers
        start = bisect_left(keys, lo)
        stop = len(keys) if hi is None else bisect_left(keys, hi)
        if newest_first:
            start = max(start, stop - limit)
        else:
            stop = min(stop, start + limit)
        if isinstance(lo, str):
            rows = [self.rows[text] for text in self.texts[start:stop]]
        else:
            rows = self.versions[start:stop]
        return rows[::-1] if newest_first else rows

    def reclaimable(self, before: SortKey | None, expired_at: float | None) -> list[Row]:
        """Return the rows that ``Backend.reclaim`` of these bounds removes."""
        rows = [*self.versions, *self.rows.values()]
        if isinstance(before, str):
            rows = [row for row in rows if isinstance(row.sk, str) and row.sk < before]
        elif before is not None:
            rows = [row for row in rows if not isinstance(row.sk, str) and row.sk < before]
        if expired_at is not None:
            rows = [r for r in rows if r.expires is not None and r.expires <= expired_at and r.sk != self.head]
        return rows


class Space:
    """The partitions of one space, its feed, and how far the feed was trimmed (``mark``)."""

    __slots__ = ("feed", "held", "last", "mark", "partitions")

    def __init__(self) -> None:
        self.partitions: dict[str, Partition] = {}
        self.held: list[str] = []  # keys of partitions that hold rows, in order
        self.feed: list[Change] = []
        self.last = 0
        self.mark = 0

    def after(self, since: int, limit: int) -> list[Change]:
        """Return at least ``limit`` changes after revision ``since``, whole commits of them."""
        start = bisect_right(self.feed, since, key=revision)
        stop = start + limit
        if start < stop < len(self.feed):
            stop = bisect_right(self.feed, self.feed[stop - 1].rev, key=revision)
        return self.feed[start:stop]

    def forget_put(self, row: Row) -> None:
        """Take the put of a replaced collection row out of the feed."""
        at = bisect_left(self.feed, row.rev, key=revision)
        while at < len(self.feed) and self.feed[at].rev == row.rev:
            if self.feed[at] == (row.rev, row.pk, row.sk, "put"):
                del self.feed[at]
                return
            at += 1


def page(names: list[str], prefix: str, after: str, limit: int) -> list[str]:
    """Return the names that start with ``prefix`` and sort after ``after``, at most ``limit``."""
    check_text(prefix, "prefix")
    check_text(after, "name to start after")
    start = max(bisect_left(names, prefix), bisect_right(names, after))
    found: list[str] = []
    for name in names[start : start + max(limit, 0)]:
        if not name.startswith(prefix):
            break
        found.append(name)
    return found


__all__ = ["Partition", "Space", "page", "revision"]
