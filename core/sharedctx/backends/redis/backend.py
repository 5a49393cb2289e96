"""A backend on a server that many machines share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ...errors import Compacted, SharedContextError
from ...forking import renew_after_fork
from ..base import Change, Commit, Committed, Grounds, Op, Row, SortKey
from ..bounds import check_name, check_ops, check_range, check_sort_key, check_text
from ..grounds import in_waves
from . import server, wire
from .address import Address
from .calls import Calls
from .commits import Commits
from .scripts import CHANGES, FORGET, RAISE, RECLAIM, SCAN

_SLICE: Final = 1.0
_STEP: Final = 500
_FRESH: Final = 1.0
"""Seconds for which a reading of the server's clock is carried on by our own."""


class RedisBackend:
    """Implements ``Backend`` on Redis 7 or later, or Valkey.

    The server's clock is the store's; a ``clock`` other than ``time.time`` takes its place. ``durable`` needs a server
    that acknowledges nothing before it lies on disk. Raises ``ConfigError``, ``BackendUnavailable``.
    """

    def __init__(self, url: str, *, durable: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._address = Address.parse(url)
        self._calls = Calls(self._address)
        self._clock = None if clock is time.time else clock
        self._reading = (0.0, 0.0)  # our monotonic clock and the store's, read together
        self._high = 0.0
        self._lock = threading.Lock()
        self._closed = False
        renew_after_fork(self)
        try:
            server.check(self._calls, durable)
            self._id = server.identify(self._calls)
            self._commits = Commits(self._calls, self._id)
        except BaseException:
            self.close()
            raise

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock."""
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """Kept in the server under the store's prefix."""
        return self._id

    rev_tells_all = False

    @property
    def local(self) -> bool:
        """False: every read asks the server."""
        return False

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        """See ``Backend.commit``; sent again after a lost connection, it is still done once."""
        check_ops(space, ops)
        self._check_open()
        return self._commits.one(space, ops, if_rev)

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        """See ``Backend.commit_many``: one round trip, but in a cluster one for each commit."""
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
        versions = not isinstance(lo, str)
        high = "" if hi is None else hi if versions else f"={hi}"
        if limit < 1 or hi == "":
            return []
        args = (pk, "#" if versions else "=", lo, high, limit, int(newest_first))
        reply = self._calls.read(SCAN, self._base(space), *args)
        return wire.rows(pk, versions, reply)

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.pks``."""
        check_name(space, "space")
        return self._names(self._base(space) + b"p", prefix, after, limit)

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """See ``Backend.spaces``."""
        found: list[str] = []
        while len(found) < limit:
            page = self._names(wire.registry(self._address.prefix), prefix, after, limit)
            if not page:
                break
            found += [space for space in page if self._calls.ask("exists", self._base(space) + b"p")]
            after = page[-1]
        return found[:limit]

    def _names(self, key: bytes, prefix: str, after: str, limit: int) -> list[str]:
        check_text(prefix, "prefix")
        check_text(after, "name to start after")
        self._check_open()
        if limit < 1:
            return []
        low = b"(" + after.encode() if after and after >= prefix else b"[" + prefix.encode()
        high = b"(" + prefix.encode() + b"\xff" if prefix else b"+"
        reply = self._calls.ask("zrange", key, low, high, bylex=True, offset=0, num=limit)
        return [name.decode() for name in reply]

    def rev(self, space: str) -> int:
        """See ``Backend.rev``."""
        check_name(space, "space")
        self._check_open()
        return int(self._calls.ask("hget", self._base(space) + b"m", "rev") or 0)

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        """See ``Backend.changes``."""
        check_name(space, "space")
        self._check_open()
        base = self._base(space)
        rev, mark, entries = self._calls.read(CHANGES, base, since, limit)
        if since > int(rev) or int(mark) > max(since, 0):
            why = "lies in the future" if since > int(rev) else "was trimmed"
            raise Compacted(
                f"revision {since} of space {space!r} {why}: read the state, then follow from {int(mark)}",
                oldest=int(mark),
            )
        return wire.changes(entries)

    def wait(self, space: str, since: int, timeout: float) -> bool:
        """See ``Backend.wait``; the server wakes us."""
        check_name(space, "space")
        key = self._base(space) + b"f"
        until = time.monotonic() + timeout
        while True:
            rev = self.rev(space)
            if rev > since or since > rev:
                return True
            left = min(until - time.monotonic(), _SLICE, self._address.timeout / 2)
            if left <= 0:
                return False
            block = max(1, round(left * 1000))
            # Whatever comes after the space's present revision has an id above every change of it.
            after = f"{max(since, 0)}-{2**64 - 1}"
            if self._calls.ask("xread", {key: after}, count=1, block=block):
                return True

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        """See ``Backend.reclaim``: 500 rows at a time."""
        check_name(space, "space")
        if pk is not None:
            check_name(pk, "partition key")
        if before is not None:
            check_sort_key(before)
        self._check_open()
        base = self._base(space)
        sort = "" if before is None else "=" if isinstance(before, str) else "#"
        args = (sort, "" if before is None else before, "" if expired_at is None else repr(float(expired_at)), _STEP)
        removed = 0
        for each in self._all(space) if pk is None else [pk]:
            while gone := int(self._calls.read(RECLAIM, base, each, *args)):
                removed += gone
        if pk is None and before is None and expired_at is None:
            self._calls.read(FORGET, base)
        return removed

    def _all(self, space: str) -> list[str]:
        found: list[str] = []
        while page := self.pks(space, "", found[-1] if found else ""):
            found += page
        return found

    def now(self) -> float:
        """See ``Backend.now``: the server's clock, asked once a second."""
        self._check_open()
        with self._lock:
            ours = time.monotonic()
            asked, told = self._reading
            if self._clock is not None:
                told, asked = max(self._clock(), server.mark(self._calls, self._key("clock"))), ours
            elif ours - asked > _FRESH or not told:
                told, asked = server.now(self._calls, self._key("clock")), ours
                self._reading = (asked, told)
            self._high = max(self._high, told + (ours - asked))
            return self._high

    def expired(self, expires: float | None) -> bool:
        """See ``Backend.expired``; what is found expired raises the clock's mark in the server."""
        now = self.now()
        if expires is None or now < expires:
            return False
        self._raise(expires)
        return True

    def _raise(self, mark: float) -> None:
        self._calls.read(RAISE, self._key("clock"), repr(mark))

    def describe(self) -> dict[str, Any]:
        """See ``Backend.describe``; ``bytes`` is what the whole server holds."""
        self._check_open()
        return {"kind": "redis", "address": str(self._address), **server.describe(self._calls)}

    def verify(self) -> list[str]:
        """See ``Backend.verify``: whether the server says that it persists what it should."""
        self._check_open()
        return server.faults(self._calls)

    def close(self) -> None:
        """See ``Backend.close``."""
        if self._closed:
            return
        if self._high:
            with contextlib.suppress(SharedContextError):
                self._raise(self._high)
        self._closed = True
        self._calls.close()

    def _base(self, space: str) -> bytes:
        return wire.base_of(self._address.prefix, space)

    def _key(self, name: str) -> bytes:
        return f"{self._address.prefix}:{name}".encode()

    def _check_open(self) -> None:
        if self._closed:
            raise self._calls.closed()
