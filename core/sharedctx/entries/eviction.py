"""What the store removes by itself, over a limit or past its time, and the record of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..backends import steps
from ..backends.base import Head, Put
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
        bound = codec.binding(self._store, self._session.space, version.pk, version.number + 1)
        blob = codec.seal(bound, Kind.GONE, b"", timestamp=now, note=why)
        return Put(version.pk, blob, when=Head(version.number))

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
        try:
            yield from self._session.log.commit(self.ops([(head, why)], now), now)
        except ConditionFailed:
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
            until = yield from self._session.log.leases.until(newest)
            ops = (self._tombstone(newest, now, "expired"), self._record(newest, until or now, "expired"))
            try:
                yield from self._session.log.commit(ops, now)
            except ConditionFailed:
                continue
            yield from steps.reclaim(self._session.space, pk, None, now)
            swept += 1
        yield from steps.reclaim(self._session.space, LEASES, None, now)
        return swept

    def evicted(self) -> Steps[list[Evicted]]:
        """Return what the store removed by itself, oldest first."""
        yield from self._bury()
        return [Evicted(**record) for record in (yield from self._records.all()).values()]

    def _record(self, version: Version, at: float, why: str) -> Put:
        pk, number = version.pk, version.number
        record = {"key": pk, "version": number, "at": at, "why": why}
        return self._records.put(f"{at:020.6f} {pk} {number}", record)
