"""Who read which entry up to which version, and when: told by every process, kept for a week."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from ..backends import steps
from ..backends.base import Put, SortKey
from ..backends.steps import Steps
from ..errors import DecodeError
from ..versions.collection import Collection

KEPT = 7 * 86400.0
_GATHER_EVERY = 512

_Who = tuple[str, str, str]
"""Session, participant and key."""


class Reader(NamedTuple):
    """A participant's last read of a key, and the newest version that it has read."""

    participant: str
    key: str
    version: int
    at: float


class Readers:
    """What this process was told of and has not written yet; ``Savings`` writes it with its own rows."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._lock = threading.Lock()
        self._told: deque[tuple[_Who, int, float]] = deque()
        self._fresh: dict[_Who, tuple[int, float]] = {}

    def note(self, session: str, participant: str, key: str, version: int, at: float) -> None:
        """Remember a read."""
        self._told.append(((session, participant, key), version, at))
        if len(self._told) >= _GATHER_EVERY:
            with self._lock:
                self._gather()

    def _gather(self) -> None:
        """Take in what was told up to now; by who holds the lock."""
        for _ in range(len(self._told)):
            who, version, at = self._told.popleft()
            old = self._fresh.get(who)
            self._fresh[who] = (version if old is None else max(version, old[0]), at)

    def puts(self) -> list[Put]:
        """Return what writes down what was told since the last time, and forget it."""
        with self._lock:
            self._gather()
            fresh, self._fresh = self._fresh, {}
        return [
            Collection(self._space, partition(session)).put(_row(participant, key), [version, at], expires=at + KEPT)
            for (session, participant, key), (version, at) in fresh.items()
        ]

    def report(self, session: str) -> Steps[list[Reader]]:
        """Return who read what in the last week, the latest first."""
        found: dict[tuple[str, str], tuple[int, float]] = {}
        kept = Collection(self._space, partition(session))
        for row in (yield from kept.rows()):
            if not (yield from steps.expired(row.expires)):
                with suppress(DecodeError):  # a damaged row is the doctor's to tell
                    participant, key = named(row.sk, 2)
                    version, at = kept.read(row)
                    found[participant, key] = (int(version), float(at))
        with self._lock:
            self._gather()
            mine = {who[1:]: told for who, told in self._fresh.items() if who[0] == session}
        for who, (version, at) in mine.items():
            found[who] = (max(version, found.get(who, (0, 0.0))[0]), at)
        told = [Reader(participant, key, version, at) for (participant, key), (version, at) in found.items()]
        return sorted(told, key=lambda each: (-each.at, each.key, each.participant))


def partition(session: str) -> str:
    """The partition of a session's readers; no session has such a name."""
    return f"{session}/readers"


def named(sk: SortKey, count: int) -> list[str]:
    """Return the names that a row's sort key is made of; raises ``DecodeError`` for a row that is not ours."""
    try:
        found = json.loads(str(sk))
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) != count or not all(isinstance(name, str) for name in found):
        raise DecodeError(f"the row {sk!r:.60} names no {count} things")
    return found


def _row(participant: str, key: str) -> str:
    return json.dumps([participant, key], ensure_ascii=False)
