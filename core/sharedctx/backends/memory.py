"""A backend in this process's memory: for tests, for trials, and as the plainest reading of the contract."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import BackendUnavailable, Compacted, ConditionFailed, SharedContextError
from ..forking import renew_after_fork
from .base import ABSENT, ANY, NEXT, At, Change, Commit, Committed, Drop, Grounds, Head, Op, Put, Row, SortKey, When
from .bounds import check_name, check_ops, check_range, check_sort_key
from .grounds import groundless
from .memory_rows import Partition, Space, page, revision


class MemoryBackend:
    """Implements ``Backend`` in memory. Everything is gone when it is closed or the process ends.

    ``name`` only tells stores apart in ``describe``; ``clock`` returns seconds since the epoch.
    """

    def __init__(self, name: str | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._id = os.urandom(16).hex()
        self._address = f"memory://{name or ''}"
        self._clock = clock
        self._changed = threading.Condition(threading.Lock())
        renew_after_fork(self)
        self._spaces: dict[str, Space] = {}
        self._held: list[str] = []  # names of spaces that hold rows, in order
        self._rev = 0
        self._high = 0.0
        self._bytes = 0
        self._closed = False

    def after_fork(self) -> None:
        """Go on alone: the child's rows are its own from here."""
        self._changed = threading.Condition(threading.Lock())

    @property
    def id(self) -> str:
        """Drawn anew for each instance: what one holds never comes back in another."""
        return self._id

    rev_tells_all = False
    prompt = True

    @property
    def local(self) -> bool:
        """True: no read leaves the process."""
        return True

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        """See ``Backend.commit``."""
        check_ops(space, ops)
        with self._changed:
            self._check_open()
            return self._commit(space, ops, if_rev)

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        """See ``Backend.commit_many``."""
        results: list[Committed | Exception] = []
        with self._changed:
            if self._closed:
                return [self._is_closed() for _ in commits]
            for at, (space, ops, if_rev) in enumerate(commits):
                if (failed := groundless(grounds, at, results)) is not None:
                    results.append(failed)
                    continue
                try:
                    check_ops(space, ops)
                    results.append(self._commit(space, ops, if_rev))
                except SharedContextError as error:
                    results.append(error)
        return results

    def scan(
        self,
        space: str,
        pk: str,
        lo: SortKey = 1,
        hi: SortKey | None = None,
        *,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[Row]:
        """See ``Backend.scan``."""
        check_name(space, "space")
        check_name(pk, "partition key")
        check_range(lo, hi)
        with self._changed:
            self._check_open()
            partition = self._partition(space, pk)
            return partition.between(lo, hi, max(limit, 0), newest_first) if partition else []

    def newest(self, space: str, pk: str) -> tuple[Row, int] | None:
        """See ``Dated.newest``."""
        rev = self.rev(space)
        rows = self.scan(space, pk, limit=1, newest_first=True)
        return (rows[0], rev) if rows else None

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.pks``."""
        check_name(space, "space")
        with self._changed:
            self._check_open()
            area = self._spaces.get(space)
            return page(area.held if area else [], prefix, after, limit)

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.spaces``."""
        with self._changed:
            self._check_open()
            return page(self._held, prefix, after, limit)

    def rev(self, space: str) -> int:
        """See ``Backend.rev``."""
        check_name(space, "space")
        with self._changed:
            self._check_open()
            return self._last(space)

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        """See ``Backend.changes``."""
        check_name(space, "space")
        with self._changed:
            self._check_open()
            area = self._spaces.get(space) or Space()
            if since > self._rev or area.mark > max(since, 0):
                why = "lies in the future" if since > self._rev else "was trimmed"
                raise Compacted(
                    f"revision {since} of space {space!r} {why}: read the state, then follow from {area.mark}",
                    oldest=area.mark,
                )
            return area.after(since, max(limit, 0))

    def wait(self, space: str, since: int, timeout: float) -> bool:
        """See ``Backend.wait``; closing the store ends the wait with ``BackendUnavailable``."""
        check_name(space, "space")
        with self._changed:
            return self._changed.wait_for(lambda: self._is_past(space, since), timeout)

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        """See ``Backend.reclaim``."""
        check_name(space, "space")
        if pk is not None:
            check_name(pk, "partition key")
        if before is not None:
            check_sort_key(before)
        with self._changed:
            self._check_open()
            area = self._spaces.get(space)
            if area is None:
                return 0
            removed: list[Row] = []
            for key in list(area.held) if pk is None else [pk]:
                if partition := area.partitions.get(key):
                    removed += partition.reclaimable(before, expired_at)
            for row in removed:
                self._remove(space, area, row)
            if pk is None and before is None and expired_at is None:
                area.partitions.clear()
            # Up to the newest removed row only: who has seen that one misses nothing and may follow on.
            area.mark = max([area.mark, *(row.rev for row in removed)])
            del area.feed[: bisect_right(area.feed, area.mark, key=revision)]
            return len(removed)

    def clock(self) -> float:
        """See ``Dated.clock``."""
        return max(self._high, self._clock())

    def now(self) -> float:
        """See ``Backend.now``."""
        with self._changed:
            self._check_open()
            self._high = max(self._high, self._clock())
            return self._high

    def expired(self, expires: float | None) -> bool:
        """See ``Backend.expired``."""
        now = self.now()
        return expires is not None and now >= expires

    def describe(self) -> dict[str, Any]:
        """See ``Backend.describe``; ``bytes`` counts the values."""
        with self._changed:
            self._check_open()
            return {
                "kind": "memory",
                "address": self._address,
                "durability": "none: gone when the store is closed or the process ends",
                "bytes": self._bytes,
            }

    def verify(self) -> list[str]:
        """See ``Backend.verify``; there is no storage below that could be at fault."""
        with self._changed:
            self._check_open()
            return []

    def close(self) -> None:
        """See ``Backend.close``; the rows are released."""
        with self._changed:
            self._closed = True
            self._spaces.clear()
            self._held.clear()
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise self._is_closed()

    def _is_closed(self) -> BackendUnavailable:
        return BackendUnavailable(f"the store {self._address} is closed: open it again")

    def _is_past(self, space: str, since: int) -> bool:
        self._check_open()
        return since > self._rev or self._last(space) > since

    def _last(self, space: str) -> int:
        return area.last if (area := self._spaces.get(space)) else 0

    def _partition(self, space: str, pk: str) -> Partition | None:
        area = self._spaces.get(space)
        return area.partitions.get(pk) if area else None

    def _row(self, space: str, pk: str, sk: SortKey) -> Row | None:
        partition = self._partition(space, pk)
        return partition.get(sk) if partition else None

    def _commit(self, space: str, ops: Sequence[Op], if_rev: int | None) -> Committed:
        last = self._last(space)
        if if_rev is not None and (last > if_rev or if_rev > self._rev):
            raise ConditionFailed(
                f"space {space!r} changed after revision {if_rev}: read it again", pk=None, actual=last
            )
        for op in ops:
            if not isinstance(op, Drop) and op.when is not ANY:
                self._judge(space, op.pk, op.sk, op.when)
        # Found before anything is put, so that a drop cannot hit the version which this very commit adds.
        dropped = [row for op in ops if isinstance(op, Drop) and (row := self._row(space, op.pk, op.sk))]
        puts = [op for op in ops if isinstance(op, Put)]
        if not dropped and not puts:
            return last, []
        area = self._spaces.setdefault(space, Space())
        self._rev = area.last = rev = self._rev + 1
        for row in dropped:
            self._remove(space, area, row)
            area.feed.append(Change(rev, row.pk, row.sk, "drop"))
        sks = [self._put(space, area, put, rev) for put in puts]
        self._changed.notify_all()
        return rev, sks

    def _judge(self, space: str, pk: str, sk: object, when: When) -> None:
        partition = self._partition(space, pk)
        if isinstance(sk, str):
            row = partition.rows.get(sk) if partition else None
            if (there := row is not None and not (isinstance(when, At) and row.rev != when.rev)) is (when is ABSENT):
                raise ConditionFailed.row(pk, sk, there=there)
            return
        (partition or Partition()).require(pk, when if isinstance(when, Head) else Head(0))

    def _put(self, space: str, area: Space, put: Put, rev: int) -> SortKey:
        partition = area.partitions.setdefault(put.pk, Partition())
        asked = put.when.number if isinstance(put.when, Head) else None
        sk: SortKey = (asked or partition.last + 1) if put.sk is NEXT else put.sk
        if isinstance(sk, str) and (old := partition.rows.get(sk)):
            area.forget_put(old)
            self._bytes -= len(old.value)
        if not partition.numbers and not partition.texts:
            if not area.held:
                insort(self._held, space)
            insort(area.held, put.pk)
        partition.add(Row(put.pk, sk, put.value, rev, put.expires))
        self._bytes += len(put.value)
        area.feed.append(Change(rev, put.pk, sk, "put"))
        return sk

    def _remove(self, space: str, area: Space, row: Row) -> None:
        partition = area.partitions[row.pk]
        partition.remove(row.sk)
        self._bytes -= len(row.value)
        if partition.numbers or partition.texts:
            return
        del area.held[bisect_left(area.held, row.pk)]
        if not partition.last:  # no version was ever numbered here: there is nothing to remember
            del area.partitions[row.pk]
        if not area.held:
            del self._held[bisect_left(self._held, space)]


__all__ = ["MemoryBackend"]
