"""A backend in a table of DynamoDB, which many machines share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

from ...errors import SharedContextError
from ...forking import renew_after_fork
from ..base import Change, Commit, Committed, Grounds, Op, Refused, Row, SortKey
from ..bounds import check_name, check_range, check_sort_key, check_text
from ..grounds import in_waves
from . import feed, layout
from .address import Address
from .calls import Calls
from .commits import Commits
from .draft import Areas
from .housekeeping import reclaim
from .parts import Parts
from .reading import Reading
from .table import Table

_FRESH: Final = 1.0
"""Seconds for which the table's mark of time is taken to be what it was."""
_PAUSE: Final = 0.005
_PAGE: Final = 100


class DynamoDBBackend:
    """Implements ``Backend`` in a table, which is made where there is none; reads are consistent.

    ``clock`` is the machine's; what was found expired is marked in the table for all machines. Everything that is
    acknowledged is ``durable``. Raises ``ConfigError``, ``BackendUnavailable``.
    """

    def __init__(self, url: str, *, durable: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._address = Address.parse(url)
        self._clock = clock
        self._high = self._mark = self._asked = 0.0
        self._lock = threading.Lock()
        self._closed = False
        keys = layout.Keys(self._address.prefix)
        self._calls = Calls(self._address)
        self._reading = Reading(self._calls, keys)
        self._areas = Areas()
        self._parts = Parts(self._reading, clock)
        self._commits = Commits(self._reading, self._areas, self._parts)
        self._table = Table(self._calls, keys)
        renew_after_fork(self)
        try:
            self._id = self._reading.store = self._table.identify()
        except BaseException:
            self.close()
            raise

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock."""
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """Kept in the table under the store's prefix."""
        return self._id

    rev_tells_all = False

    @property
    def local(self) -> bool:
        """False: every read asks DynamoDB."""
        return False

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        """See ``Backend.commit``: one transaction; sent again after a lost answer, it is still done once."""
        self._commits.check(space, ops)
        self._check_open()
        (result,) = self._commits.write(space, [(ops, if_rev)])
        if isinstance(result, Exception):
            raise result
        return result

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        """See ``Backend.commit_many``: of one space, as many as go share a transaction; several go side by side."""
        if self._closed:
            return [self._calls.closed() for _ in commits]
        return in_waves(commits, grounds, self._commits.many)

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
        self._check_open()
        if limit < 1 or hi == "":
            return []
        first, last = layout.bounds(pk, lo, hi)
        items = self._reading.rows(space, first, last, min(limit + (isinstance(hi, str)), 1000), newest_first)
        found = (layout.row(item) for item in items)
        kept = islice((pair for pair in found if pair[0].sk != hi), limit)
        whole = (row if parts is None else self._whole(space, row, parts) for row, parts in kept)
        return [row for row in whole if row is not None]

    def _whole(self, space: str, row: Row, parts: str | None) -> Row | None:
        """A row with its large value: as it is now, if it was replaced meanwhile; None if it is gone."""
        while parts is not None:
            value = self._parts.read(space, parts)
            if value is not None:
                return row._replace(value=value)
            place, before = layout.row_key(row.pk, row.sk), parts
            items = list(self._reading.rows(space, place, place, 1, False))
            if not items:
                return None
            row, parts = layout.row(items[0])
            if parts == before:
                return row._replace(value=Refused("parts of its value are missing"))
        return row

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.pks``."""
        check_name(space, "space")
        check_text(prefix, "prefix")
        check_text(after, "name to start after")
        self._check_open()
        return self._reading.pks(space, prefix, after, limit) if limit > 0 else []

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.spaces``."""
        check_text(prefix, "prefix")
        check_text(after, "name to start after")
        self._check_open()
        found: list[str] = []
        lo = layout.clipped(max(prefix, after + "\0" if after else "\0"))
        hi = layout.clipped(layout.following(prefix))
        pages = self._reading.between(self._reading.keys.spaces, lo, hi, Limit=_PAGE) if limit > 0 else ()
        for page in pages:
            names = [item["r"]["S"] for item in page if item["r"]["S"].startswith(prefix)]
            metas = self._reading.metas(names)
            found += [name for name in names if name in metas and metas[name].rows]
            if len(found) >= limit:
                break
        return found[:limit]

    def rev(self, space: str) -> int:
        """See ``Backend.rev``."""
        check_name(space, "space")
        self._check_open()
        return self._reading.meta(space).rev

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        """See ``Backend.changes``."""
        check_name(space, "space")
        self._check_open()
        return feed.changes(self._reading, space, since, limit)

    def wait(self, space: str, since: int, timeout: float) -> bool:
        """See ``Backend.wait``: looks at the space's revision, soon and then every ``poll`` seconds of the address."""
        check_name(space, "space")
        until = time.monotonic() + timeout
        pause = min(_PAUSE, self._address.poll)
        while True:
            rev = self.rev(space)
            if rev > since or since > rev:
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._commits.wait(space, since, min(pause, left))
            pause = min(2 * pause, self._address.poll)

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        """See ``Backend.reclaim``: 90 rows at a time; an expiry is looked for in all rows."""
        check_name(space, "space")
        if pk is not None:
            check_name(pk, "partition key")
        if before is not None:
            check_sort_key(before)
        self._check_open()
        return reclaim(self._reading, self._areas, self._parts, space, pk, before, expired_at)

    def now(self) -> float:
        """See ``Backend.now``; the table's mark is read once a second."""
        self._check_open()
        with self._lock:
            ours = time.monotonic()
            if self._clock is not time.time or ours - self._asked > _FRESH or not self._asked:
                self._mark, self._asked = max(self._mark, self._table.mark()), ours
            self._high = max(self._high, self._clock(), self._mark)
            return self._high

    def expired(self, expires: float | None) -> bool:
        """See ``Backend.expired``; what is found expired raises the mark in the table."""
        now = self.now()
        if expires is None or now < expires:
            return False
        if expires > self._mark:
            self._table.raise_mark(expires)
            self._mark = max(self._mark, expires)
        return True

    def describe(self) -> dict[str, Any]:
        """See ``Backend.describe``; ``bytes`` counts the values of all spaces."""
        self._check_open()
        names: list[str] = []
        while page := self.spaces("", names[-1] if names else ""):
            names += page
        where = self._address.endpoint
        return {
            "kind": "dynamodb",
            "address": str(self._address),
            "durability": f"as {where} keeps its table" if where else "kept by DynamoDB in several data centres",
            "bytes": sum(meta.size for meta in self._reading.metas(names).values()),
        }

    def verify(self) -> list[str]:
        """See ``Backend.verify``: whether the table is well, and parts of values that a dead process left behind."""
        self._check_open()
        faults = self._table.faults()
        for space in self.spaces():
            if left := self._parts.listed(space):
                faults.append(f"{self._address}: {len(left)} large values in space {space!r} were left behind")
        return faults

    def close(self) -> None:
        """See ``Backend.close``."""
        if self._closed:
            return
        if self._high > self._mark:
            with contextlib.suppress(SharedContextError):
                self._table.raise_mark(self._high)
        self._closed = True
        self._commits.close()
        self._reading.close()
        self._calls.close()

    def _check_open(self) -> None:
        if self._closed:
            raise self._calls.closed()
