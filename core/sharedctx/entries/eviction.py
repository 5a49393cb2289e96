"""What the store removes by itself, over a limit or past its time, and the record of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..backends import steps
from ..backends.base import Put
from ..backends.steps import Steps
from ..entry import Evicted
from ..errors import ConditionFailed, DecodeError
from ..versions import codec
from ..versions.codec import Kind
from ..versions.collection import Collection
from ..versions.leases import PK as LEASES
from ..versions.log import Version
from .names import RESERVED, check_key
from .session import Session

_RECORDS = RESERVED + "evicted"

Victim = tuple[Version, str]
"""A live version that is to go, and why."""


class Eviction:
    """Removes live versions, tells why, and remembers; as steps."""

    def __init__(self, session: Session, store: str) -> None:
        self._session = session
        self._store = store
        self._records = Collection(session.space, _RECORDS)

    def ops(self, victims: Sequence[Victim], now: float) -> tuple[Put, ...]:
        """Return the tombstones and records of a commit that removes these versions while they are the newest."""
        found = []
        for version, why in victims:
            found += [self._tombstone(version, now, why), self._record(version, now, why)]
        return tuple(found)

    def _tombstone(self, version: Version, now: float, why: str) -> Put:
        after = self._session.log.after(version)
        bound = codec.binding(self._store, self._session.space, version.pk, after.next)
        blob = codec.seal(bound, Kind.GONE, b"", timestamp=now, note=why)
        return Put(version.pk, blob, when=after)

    def _commit(self, made: Callable[[], tuple[Put, ...]], now: float) -> Steps[bool]:
        """Commit what removes versions, made again where numbers were given already; False where others wrote."""
        while True:
            try:
                yield from self._session.log.commit(made(), now)
                return True
            except ConditionFailed as error:
                if error.given is None:
                    return False

    def reclaim(self, victims: Sequence[Victim]) -> Steps[None]:
        """Free the originals of what was evicted."""
        for version, _ in victims:
            yield from steps.reclaim(self._session.space, version.pk, version.number + 1)
            yield from self._session.kept_views.forget(version.pk)

    def evict(self, key: str, why: str) -> Steps[bool]:
        """Remove a live key and its originals because of a limit, and record ``why``; False where it was not there."""
        head = yield from self._session.log.head(check_key(key))
        if head is None:
            return False
        now = yield from steps.now()
        if not (yield from self._commit(lambda: self.ops([(head, why)], now), now)):
            return False
        yield from self.reclaim([(head, why)])
        return True

    def sweep(self) -> Steps[int]:
        """Record expired entries as evicted and free what they and expired history held; returns how many entries."""
        swept = yield from self._bury()
        now = yield from steps.now()
        yield from steps.reclaim(self._session.space, None, None, now)
        yield from self._session.kept_views.sweep(now)
        return swept

    def _bury(self) -> Steps[int]:
        """Put tombstones and records in the place of expired entries; returns how many."""
        now = yield from steps.now()
        swept = 0
        for pk in (yield from steps.all_pks(self._session.space, "", RESERVED + "\U0010ffff")):
            try:
                newest = yield from self._session.log.newest(pk)
            except DecodeError:
                continue
            if newest is None or newest.expires is None or not newest.blob.live:
                continue
            if not (yield from self._session.log.leases.expired(newest)):
                continue
            until = (yield from self._session.log.leases.until(newest)) or now
            if not (yield from self._commit(partial(self._expired, newest, now, until), now)):
                continue
            yield from steps.reclaim(self._session.space, pk, None, now)
            swept += 1
        yield from steps.reclaim(self._session.space, LEASES, None, now)
        return swept

    def _expired(self, version: Version, now: float, until: float) -> tuple[Put, ...]:
        return self._tombstone(version, now, "expired"), self._record(version, until, "expired")

    def evicted(self) -> Steps[list[Evicted]]:
        """Return what the store removed by itself, oldest first."""
        yield from self._bury()
        return [Evicted(**record) for record in (yield from self._records.all()).values()]

    def _record(self, version: Version, at: float, why: str) -> Put:
        pk, number = version.pk, version.number
        record = {"key": pk, "version": number, "at": at, "why": why}
        return self._records.put(f"{at:020.6f} {pk} {number}", record)
