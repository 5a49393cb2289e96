"""Which version of which key each participant has seen last, in this process."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 10_000


@dataclass(slots=True)
class Seen:
    """What one participant has seen: versions by key, when those that expire do, and the versions that it was told
    of."""

    versions: dict[str, int] = field(default_factory=dict)
    expiring: dict[str, float] = field(default_factory=dict)
    soonest: float = math.inf
    """Before this none of them expires."""
    told: dict[str, int] = field(default_factory=dict)
    rev: int | None = None
    """Up to where it was told of changes."""
    reached: int | None = None
    """The revision that its latest read or write found, which nobody has made use of yet."""

    def reach(self, rev: int | None) -> None:
        """Remember the revision that the space had when its newest state was read; None: not known."""
        self.reached = rev
        if self.rev is None:
            if not self.versions:
                self.rev = rev  # what was not read cannot have changed
        elif rev is not None and rev < self.rev:
            self.rev = rev  # another thread of the participant's was told meanwhile, and not of this key

    def since(self, rev: int | None) -> None:
        """Remember that a read began when the participant had been told of changes up to ``rev``: what it found may be
        older than what the participant was told meanwhile."""
        if rev is None or (self.rev is not None and rev < self.rev):
            self.rev = rev

    def expires(self, key: str, at: float) -> None:
        """Remember when the live version ends."""
        self.expiring[key] = at
        self.soonest = min(self.soonest, at)

    def expired(self, now: float) -> set[str]:
        """Return the keys whose version that was seen has expired, each once."""
        if now < self.soonest:
            return set()
        found = {key for key, at in list(self.expiring.items()) if at <= now}
        for key in found:
            self.expiring.pop(key, None)
        self.soonest = min(list(self.expiring.values()), default=math.inf)
        return found


class Reads:
    """Remembers at most 10,000 keys a participant, the latest ones."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self.tell: Callable[[str, str, int], None] | None = None
        """Is told of every read: the participant, the key and the version."""

    def read(self, participant: str, key: str, version: int, expires: float | None = None, *, newest: bool) -> None:
        """Remember that the participant got this version's value, and tell of it."""
        seen = self.of(participant)
        if newest or version > seen.versions.get(key, 0):
            self._note(seen, key, version, expires)
        if self.tell is not None:
            self.tell(participant, key, version)

    def note(self, participant: str, key: str, version: int, expires: float | None = None) -> None:
        """Remember that the participant knows this version: it read or wrote it. ``expires`` is when it ends."""
        self._note(self.of(participant), key, version, expires)

    def _note(self, seen: Seen, key: str, version: int, expires: float | None) -> None:
        seen.versions.pop(key, None)  # what is read again is among the latest
        seen.versions[key] = version
        if seen.told and seen.told.get(key, version) < version:
            seen.told.pop(key, None)  # what it is told next is news, be it the same again
        if expires is not None:
            seen.expires(key, expires)
        elif seen.expiring:
            seen.expiring.pop(key, None)
        if len(seen.versions) > _MOST:
            self._drop(seen, next(iter(seen.versions)))

    def begin(self, participant: str) -> None:
        """A read or call begins: what earlier ones reached says nothing of what has changed until now."""
        self.of(participant).reached = None

    def wrote(self, participant: str, key: str, version: int, expires: float | None, rev: int) -> None:
        """Remember that the participant wrote this version, in the commit of revision ``rev``."""
        seen = self.of(participant)
        if seen.rev == rev - 1 or (seen.rev is None and not seen.versions):
            seen.rev = rev  # nobody's commit came between
        seen.reached = rev
        self.note(participant, key, version, expires)

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
        seen = self._seen.get(participant)
        return self._seen.setdefault(participant, Seen()) if seen is None else seen
