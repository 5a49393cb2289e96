"""What models were served in place of whole values: tokens by participant, face and kind of hand-over."""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from .backends import steps
from .backends.base import Backend
from .backends.steps import Steps, run
from .errors import ConditionFailed, DecodeError, SharedContextError
from .forking import renew_after_fork
from .versions.collection import Collection

SPACE = "savings"
_FLUSH_EVERY = 512
_TOTAL = "total"

_What = tuple[str, str, str, str, str]
"""Session, participant, face, kind and giver."""


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


class Savings:
    """Adds up what one opened store serves; every process keeps rows of its own, which its close adds to the total.

    What a killed process had not yet written, at most 512 calls, is not counted.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._own = uuid.uuid4().hex
        self._calls: deque[tuple[_What, int, int]] = deque()
        self._sums: dict[_What, list[int]] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start from nothing: what was served before is the parent's to write."""
        self._lock = threading.Lock()
        self._own = uuid.uuid4().hex
        self._calls = deque()
        self._sums = {}

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
        """Add one call; now and then this writes."""
        self._calls.append(((session, participant or "", face, kind, giver or ""), served, replay))
        if len(self._calls) >= _FLUSH_EVERY:
            self._write()

    def _gathered(self) -> dict[_What, list[int]]:
        """The sums of this process up to now."""
        with self._lock:
            while self._calls:
                what, served, replay = self._calls.popleft()
                _add(self._sums, what, [1, served, replay])
            return {what: list(found) for what, found in self._sums.items()}

    def _write(self) -> None:
        """Replace this process's rows; a store that cannot be written keeps serving."""
        sums = self._gathered()
        try:
            for what, found in sums.items():
                put = Collection(SPACE, what[0]).put(_row(self._own, what), found)
                run(self._backend, steps.commit(SPACE, (put,)))
        except SharedContextError:
            return

    def report(self, session: str) -> Steps[list[Saving]]:
        """Return the sums of a session over all processes, those of this one up to now."""
        sums: dict[_What, list[int]] = {}
        counted = Collection(SPACE, session)
        for row in (yield from counted.rows()):
            owner, participant, face, kind, giver = json.loads(str(row.sk))
            if owner != self._own:
                with suppress(DecodeError):  # a damaged row is the doctor's to tell
                    _add(sums, (session, participant, face, kind, giver), counted.read(row))
        for what, found in self._gathered().items():
            if what[0] == session:
                _add(sums, what, found)
        return [Saving(what[1] or None, *what[2:4], *found, what[4] or None) for what, found in sorted(sums.items())]

    def totals(self) -> Steps[dict[tuple[str, str], tuple[int, int, int]]]:
        """Return calls, served and replay tokens of the whole store by face and kind."""
        sums: dict[tuple[str, str], tuple[int, int, int]] = {}
        sessions = {*(yield from steps.all_pks(SPACE)), *(what[0] for what in self._gathered())}
        for session in sorted(sessions):
            for each in (yield from self.report(session)):
                old = sums.get((each.face, each.kind), (0, 0, 0))
                sums[each.face, each.kind] = (
                    old[0] + each.calls,
                    old[1] + each.served_tokens,
                    old[2] + each.replay_tokens,
                )
        return sums

    def close(self) -> None:
        """Add this process's sums to the total."""
        sums = self._gathered()
        with self._lock:
            self._sums = {}
        try:
            for what, found in sums.items():
                run(self._backend, self._settle(what, found))
        except SharedContextError:
            return

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


def _row(owner: str, what: _What) -> str:
    return json.dumps([owner, *what[1:]], ensure_ascii=False)


def _add(sums: dict[_What, list[int]], what: _What, found: list[int]) -> None:
    old = sums.get(what, [0, 0, 0])
    sums[what] = [a + b for a, b in zip(old, found, strict=True)]
