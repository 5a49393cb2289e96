"""Reading numbered versions of keys in one space, over any backend: the newest, one, the history, the content."""

from __future__ import annotations

from collections.abc import Callable

from ..backends import steps
from ..backends.base import Row
from ..backends.steps import Steps
from ..errors import DecodeError
from . import codec
from .cache import ContentCache, Version
from .codec import GONE, RAW
from .leases import Leases


class Versions:
    """The versions of one space, for reading. ``store`` is the store's id, which checksums are bound to."""

    def __init__(self, store: str, space: str, cache: ContentCache) -> None:
        self._store = store
        self.space = space
        self._cache = cache
        self.leases = Leases(space)

    def read_row(self, row: Row) -> Version:
        """Parse a row's header; raises ``DecodeError`` naming the key and version."""
        pk, sk, value, rev, expires = row
        at = (self.space, rev, pk)
        held = self._cache.headers.get(at)
        if held is not None and held[0] == value:
            return held[1]
        number = int(sk)
        try:
            blob = codec.parse(codec.binding(self._store, self.space, pk, number), value)
        except DecodeError as error:
            raise type(error)(f"{pk!r} version {number}: {error}; other versions still read") from error
        version = Version(pk, number, rev, expires, blob)
        self._cache.remember(at, value, version)
        return version

    def newest(self, pk: str) -> Steps[Version | None]:
        """Return the newest version, dead or alive; None when there never was one."""
        row = yield from steps.newest(self.space, pk)
        return None if row is None else self.read_row(row)

    def head(self, pk: str) -> Steps[Version | None]:
        """Return the live version: neither removed nor expired; None when there is none."""
        rows: list[Row] = yield steps.ask_newest(self.space, pk)
        if not rows:
            return None
        version = self.read_row(rows[0])
        if version.blob.kind is GONE:
            return None
        if version.expires is not None and (yield from self.leases.expired(version)):
            return None
        return version

    def dated_head(self, pk: str, reach: Callable[[int | None], None]) -> Steps[Version | None]:
        """Return the same of a backend that is ``Dated``, and tell ``reach`` the space's revision at that moment, None
        where there never was a version."""
        found: tuple[Row, int] | None = yield steps.ask_dated(self.space, pk)
        if found is None:
            reach(None)
            return None
        row, rev = found
        reach(rev)
        version = self.read_row(row)
        if version.blob.kind is GONE:
            return None
        if version.expires is not None and (yield from self.leases.expired(version)):
            return None
        return version

    def at(self, pk: str, number: int) -> Steps[Version | None]:
        """Return that version if it still exists, is a value and has not expired."""
        rows = yield from steps.scan(self.space, pk, number, number + 1, limit=1)
        if not rows:
            return None
        version = self.read_row(rows[0])
        if not version.blob.live or (yield from self.leases.expired(version)):
            return None
        return version

    def as_of(self, pk: str, rev: int) -> Steps[Version | None]:
        """Return what was the newest version when the space was at revision ``rev``, removals included."""
        hi: int | None = None
        while rows := (yield from steps.scan(self.space, pk, 1, hi, limit=64, newest_first=True)):
            for row in rows:
                if row.rev <= rev:
                    return self.read_row(row)
            hi = int(rows[-1].sk)
        return None

    def history(self, pk: str, limit: int = 100, before: int | None = None) -> Steps[list[Version | DecodeError]]:
        """Return versions, newest first, removals included; a damaged one stands there as its error."""
        rows = yield from steps.scan(self.space, pk, 1, before, limit=limit, newest_first=True)
        found: list[Version | DecodeError] = []
        for row in rows:
            try:
                found.append(self.read_row(row))
            except DecodeError as error:
                found.append(error)
        return found

    def is_gone(self, version: Version) -> Steps[bool]:
        """Whether a version that was read is there no more: trimmed, or of a session that was deleted meanwhile."""
        rows = yield from steps.scan(self.space, version.pk, version.number, version.number + 1, limit=1)
        return not rows or rows[0].rev != version.rev

    def content(self, version: Version) -> Steps[bytes]:
        """Return a version's exact bytes; raises ``DecodeError`` when they or what they build on are damaged."""
        if version.blob.compression is RAW:
            return codec.content(version.blob, None)
        chain: list[Version] = []
        at: Version | None = version
        known: bytes | None = None
        while at is not None:
            known = self._cache.get((self.space, at.rev, at.pk))
            if known is not None:
                break
            chain.append(at)
            if not at.blob.back:
                break
            number = at.number - at.blob.back
            rows = yield from steps.scan(self.space, at.pk, number, number + 1, limit=1)
            at = self.read_row(rows[0]) if rows else None
        for step in reversed(chain):
            try:
                known = codec.content(step.blob, known)
            except DecodeError as error:
                raise DecodeError(f"{version.pk!r} version {version.number}: {error}") from error
            self._cache.put((self.space, step.rev, step.pk), known)
        if known is None:
            raise DecodeError(f"{version.pk!r} version {version.number}: what it builds on is gone")
        return known


def revision_of(row: Row | None) -> int | None:
    """The revision of a row that is there and does not wait to be committed."""
    return None if row is None or row.rev <= 0 else row.rev
