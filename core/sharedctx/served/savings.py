"""What models were served in place of whole values: tokens by participant, face, kind of hand-over, and minute."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from ..backends import steps
from ..backends.base import Backend, Put
from ..backends.steps import Steps, run
from ..errors import ConditionFailed, DecodeError, SharedContextError
from ..forking import renew_after_fork
from ..versions.collection import Collection
from .readers import Reader, Readers, named, partition

T = TypeVar("T")

SPACE = "savings"
MINUTES_KEPT = 7 * 1440
_GATHER_EVERY = 512
_WRITE_AFTER = 5.0
_TOGETHER = 50
_TOTAL = "total"

_What = tuple[str, str, str, str, str]
"""Session, participant, face, kind and giver."""
_When = tuple[str, str, int]


class Saving(NamedTuple):
    """Tokens served to a participant through a face (a framework's name) by reads, expansions, windows or packets.

    ``giver`` is who handed over, where that is another participant. ``replay_tokens`` is what the whole originals would
    have cost each time; expansions and notes of changes add to what was served alone.
    """

    participant: str | None
    face: str
    kind: str
    calls: int
    served_tokens: int
    replay_tokens: int
    giver: str | None = None


class Minute(NamedTuple):
    """What a participant was served in the minute that began ``at``, in seconds since the epoch."""

    at: int
    participant: str | None
    calls: int
    served_tokens: int
    replay_tokens: int


class Savings:
    """Adds up what one opened store serves; every process keeps rows of its own, which its close adds to the total.

    Sums are kept for good, minutes for a week. A process writes what it served within 5 seconds, or as it ends; what a
    killed one had not yet written is not counted.
    """

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._clock = clock
        renew_after_fork(self)
        self.after_fork()

    def after_fork(self) -> None:
        """Start from nothing: what was served before is the parent's to write."""
        self._own = os.urandom(16).hex()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._calls: deque[tuple[_What, int, int, float]] = deque()
        self._sums: defaultdict[_What, list[int]] = defaultdict(_nothing)
        self._minutes: defaultdict[_When, list[int]] = defaultdict(_nothing)
        self._fresh: set[_What] = set()
        self._due: threading.Timer | None = None
        self._readers = Readers(SPACE)

    def record(
        self,
        session: str,
        participant: str | None,
        face: str,
        kind: str,
        served: int,
        replay: int,
        giver: str | None = None,
    ) -> None:
        """Add one call; it is written a little later, by a thread of its own."""
        self._calls.append(((session, participant or "", face, kind, giver or ""), served, replay, self._clock() // 60))
        self._write_later()
        if len(self._calls) >= _GATHER_EVERY:
            with self._lock:
                self._gather()

    def read(self, session: str, participant: str, key: str, version: int) -> None:
        """Remember that a participant read a version; it is written a little later."""
        self._readers.note(session, participant, key, version, self._clock())
        if self._due is None:
            self._write_later()

    def _write_later(self) -> None:
        if self._due is None:
            self._due = threading.Timer(_WRITE_AFTER, self._write)
            self._due.daemon = True
            atexit.register(self._write)
            self._due.start()

    def _gather(self) -> None:
        """Add what was called up to now to the sums of this process; by who holds the lock."""
        called = Counter([self._calls.popleft() for _ in range(len(self._calls))])
        for (what, served, replay, minute), times in called.items():
            self._fresh.add(what)
            for found in (self._sums[what], self._minutes[what[0], what[1], int(minute)]):
                found[0] += times
                found[1] += times * served
                found[2] += times * replay

    def _write(self) -> None:
        """Replace this process's rows; a store that cannot be written keeps serving."""
        self._due = None
        atexit.unregister(self._write)
        with self._writing, suppress(SharedContextError):
            with self._lock:
                self._gather()
                sums = {what: list(self._sums[what]) for what in self._fresh}
                told = {when: list(found) for when, found in self._minutes.items()}
                self._fresh.clear()
            puts = [Collection(SPACE, what[0]).put(_row(self._own, what), found) for what, found in sums.items()]
            puts += [self._minute(when, found) for when, found in told.items()]
            puts += self._readers.puts()
            for first in range(0, len(puts), _TOGETHER):
                run(self._backend, steps.commit(SPACE, puts[first : first + _TOGETHER]))
            running = int(self._clock() // 60)
            with self._lock:
                for when, found in told.items():
                    if when[2] < running and self._minutes.get(when) == found:
                        del self._minutes[when]

    def _minute(self, when: _When, found: list[int]) -> Put:
        session, participant, minute = when
        sk = f"{minute:010} {json.dumps([self._own, participant], ensure_ascii=False)}"
        return Collection(SPACE, minutes(session)).put(sk, found, expires=(minute + MINUTES_KEPT) * 60.0)

    def report(self, session: str) -> Steps[list[Saving]]:
        """Return the sums of a session over all processes, those of this one up to now."""
        sums: dict[_What, list[int]] = {}
        counted = Collection(SPACE, session)
        for row in (yield from counted.rows()):
            with suppress(DecodeError):  # a damaged row is the doctor's to tell
                owner, participant, face, kind, giver = named(row.sk, 5)
                if owner != self._own:
                    _add(sums, (session, participant, face, kind, giver), counted.read(row))
        with self._lock:
            self._gather()
            for what, found in self._sums.items():
                if what[0] == session:
                    _add(sums, what, found)
        return [
            Saving(who or None, face, kind, found[0], found[1], found[2], giver or None)
            for (_, who, face, kind, giver), found in sorted(sums.items())
        ]

    def totals(self) -> Steps[dict[tuple[str, str], list[int]]]:
        """Return calls, served and replay tokens of the whole store by face and kind."""
        with self._lock:
            self._gather()
            sessions = {what[0] for what in self._sums}
        stored = yield from steps.all_pks(SPACE)
        sums: dict[tuple[str, str], list[int]] = {}
        for session in sorted(sessions.union(pk for pk in stored if "/" not in pk)):
            for each in (yield from self.report(session)):
                _add(sums, (each.face, each.kind), [each.calls, each.served_tokens, each.replay_tokens])
        return sums

    def readers(self, session: str) -> Steps[list[Reader]]:
        """Return who read which entry of a session, over all processes, in the last week, the latest first."""
        return self._readers.report(session)

    def timeline(self, session: str, since: float = 0.0) -> Steps[list[Minute]]:
        """Return what was served in each minute from ``since`` (seconds since the epoch) on, oldest first."""
        with self._lock:
            self._gather()
            mine = {when: list(found) for when, found in self._minutes.items() if when[0] == session}
        sums: dict[tuple[int, str], list[int]] = {}
        counted = Collection(SPACE, minutes(session))
        first = int(since // 60)
        for row in (yield from counted.rows(start=f"{first:010}")):
            minute, _, who = str(row.sk).partition(" ")
            if not minute.isdecimal() or (yield from steps.expired(row.expires)):
                continue
            with suppress(DecodeError):
                owner, participant = named(who, 2)
                if owner != self._own or (session, participant, int(minute)) not in mine:
                    _add(sums, (int(minute), participant), counted.read(row))
        for (_, participant, at), found in mine.items():
            if at >= first:
                _add(sums, (at, participant), found)
        return [Minute(at * 60, who or None, *found) for (at, who), found in sorted(sums.items())]

    def close(self) -> None:
        """Write the minutes, and add this process's sums to the total."""
        if self._due is not None:
            self._due.cancel()
        self._write()
        with self._lock:
            sums, self._sums, self._minutes = self._sums, defaultdict(_nothing), defaultdict(_nothing)
        with suppress(SharedContextError):
            for what, found in sums.items():
                run(self._backend, self._settle(what, found))
            for session in {what[0] for what in sums}:
                for pk in (minutes(session), partition(session)):
                    run(self._backend, steps.reclaim(SPACE, pk, expired_at=self._backend.now()))

    def _settle(self, what: _What, found: list[int]) -> Steps[None]:
        counted = Collection(SPACE, what[0])
        total, own = _row(_TOTAL, what), _row(self._own, what)
        while True:
            rev = yield from steps.rev(SPACE)
            try:
                sums = {what: (yield from counted.get(total)) or [0, 0, 0]}
            except DecodeError:
                sums = {}
            _add(sums, what, found)
            try:
                yield from steps.commit(SPACE, (counted.put(total, sums[what]), counted.drop(own)), rev)
                return
            except ConditionFailed:
                continue


def minutes(session: str) -> str:
    """The partition of a session's minutes; no session has such a name."""
    return f"{session}/minutes"


def _row(owner: str, what: _What) -> str:
    return json.dumps([owner, *what[1:]], ensure_ascii=False)


def _nothing() -> list[int]:
    return [0, 0, 0]


def _add(sums: dict[T, list[int]], what: T, found: list[int]) -> None:
    old = sums.get(what) or _nothing()
    sums[what] = [a + b for a, b in zip(old, found, strict=True)]
