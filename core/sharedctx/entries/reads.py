"""Which version of which key each participant has seen last, in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 10_000


@dataclass(slots=True)
class Seen:
    """What one participant has seen: versions by key, when those that expire do, and the versions that it was told
    of."""

    versions: dict[str, int] = field(default_factory=dict)
    expiring: dict[str, float] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    rev: int | None = None


class Reads:
    """Remembers at most 10,000 keys a participant, the latest ones."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self.tell: Callable[[str, str, int], None] | None = None
        """Is told of every read: the participant, the key and the version."""

    def read(self, participant: str, key: str, version: int, expires: float | None = None, *, newest: bool) -> None:
        """Remember that the participant got this version's value, and tell of it."""
        if newest or version > self.of(participant).versions.get(key, 0):
            self.note(participant, key, version, expires)
        if self.tell is not None:
            self.tell(participant, key, version)

    def note(self, participant: str, key: str, version: int, expires: float | None = None) -> None:
        """Remember that the participant knows this version: it read or wrote it. ``expires`` is when it ends."""
        seen = self._seen.get(participant)
        if seen is None:
            seen = self._seen.setdefault(participant, Seen())
        seen.versions.pop(key, None)  # what is read again is among the latest
        seen.versions[key] = version
        if expires is not None:
            seen.expiring[key] = expires
        elif seen.expiring:
            seen.expiring.pop(key, None)
        if len(seen.versions) > _MOST:
            self._drop(seen, next(iter(seen.versions)))

    def forget(self, participant: str | None, key: str) -> None:
        """Forget a key that the participant removed itself."""
        if participant is not None and (seen := self._seen.get(participant)) is not None:
            self._drop(seen, key)

    @staticmethod
    def _drop(seen: Seen, key: str) -> None:
        for held in (seen.versions, seen.expiring, seen.told):
            held.pop(key, None)

    def of(self, participant: str) -> Seen:
        """What the participant has seen."""
        return self._seen.setdefault(participant, Seen())
