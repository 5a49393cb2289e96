"""Leases: versions that are used live longer than they were written for, without a new version for each use."""

from __future__ import annotations

from ..backends import steps
from ..backends.base import Put
from ..backends.steps import Steps
from .cache import Version
from .collection import Collection

PK = "\x01leases"


class Leases:
    """The leases of a space: for a key, which version was prolonged, and until when. A newer version has none."""

    def __init__(self, space: str) -> None:
        self._rows = Collection(space, PK)

    def renew(self, version: Version, now: float) -> Put | None:
        """Return the operation that lets a version live from now for the time that it was written for; None where it
        has no end."""
        if version.expires is None:
            return None
        until = now + version.expires - version.blob.timestamp
        return self._rows.put(version.pk, [version.number, until], expires=until)

    def until(self, version: Version) -> Steps[float | None]:
        """Return when a version expires, its lease counted in; None: never."""
        if version.expires is None:
            return None
        found = yield from self._rows.get(version.pk)
        if found is None or found[0] != version.number:
            return version.expires
        until: float = max(found[1], version.expires)
        return until

    def expired(self, version: Version) -> Steps[bool]:
        """Whether a version has expired; its lease is looked up only when its own time is over."""
        if version.expires is None or not (yield from steps.expired(version.expires)):
            return False
        until = yield from self.until(version)
        return until == version.expires or (yield from steps.expired(until))
