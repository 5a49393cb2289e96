"""What models were served in place of whole values: tokens by participant, face and kind of hand-over."""

from __future__ import annotations

import json
import threading
import uuid
from typing import NamedTuple

from .backends import steps
from .backends.base import Backend, Drop, Put
from .backends.steps import Steps, run
from .errors import ConditionFailed, SharedContextError
from .forking import renew_after_fork

SPACE = "savings"
_FLUSH_EVERY = 512
_TOTAL = "total"

_What = tuple[str, str, str, str]


class Saving(NamedTuple):
    """Tokens served to a participant through a face (a framework's name) by reads, expansions, windows or packets.

    ``replay_tokens`` is what the whole originals would have cost each time; an expansion adds to what was served alone.
    """

    participant: str | None
    face: str
    kind: str
    calls: int
    served_tokens: int
    replay_tokens: int


class Savings:
    """Adds up what one opened store serves; every process keeps rows of its own, which its close adds to the total.

    What a killed process had not yet written, at most 512 calls, is not counted.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._own = uuid.uuid4().hex
        self._sums: dict[_What, list[int]] = {}
        self._unwritten = 0
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start from nothing: what was served before is the parent's to write."""
        self._lock = threading.Lock()
        self._own = uuid.uuid4().hex
        self._sums = {}
        self._unwritten = 0

    def record(self, session: str, participant: str | None, face: str, kind: str, served: int, replay: int) -> None:
        """Add one call; now and then this writes."""
        what = (session, participant or "", face, kind)
        with self._lock:
            sums = self._sums.get(what)
            if sums is None:
                sums = self._sums[what] = [0, 0, 0]
            sums[0] += 1
            sums[1] += served
            sums[2] += replay
            self._unwritten += 1
            due = self._unwritten >= _FLUSH_EVERY
        if due:
            self._write()

    def _write(self) -> None:
        """Replace this process's rows; a store that cannot be written keeps serving."""
        with self._lock:
            sums = {what: list(found) for what, found in self._sums.items()}
            self._unwritten = 0
        try:
            for what, found in sums.items():
                run(self._backend, steps.commit(SPACE, (Put(what[0], _dump(found), sk=_row(self._own, what)),)))
        except SharedContextError:
            return

    def report(self, session: str) -> Steps[list[Saving]]:
        """Return the sums of a session over all processes, those of this one up to now."""
        sums: dict[_What, list[int]] = {}
        lo = ""
        while rows := (yield from steps.scan(SPACE, session, lo)):
            for row in rows:
                owner, participant, face, kind = json.loads(str(row.sk))
                if owner != self._own:
                    _add(sums, (session, participant, face, kind), json.loads(row.value))
            lo = f"{rows[-1].sk}\x00"
        with self._lock:
            for what, found in self._sums.items():
                if what[0] == session:
                    _add(sums, what, found)
        return [Saving(what[1] or None, what[2], what[3], *found) for what, found in sorted(sums.items())]

    def close(self) -> None:
        """Add this process's sums to the total."""
        with self._lock:
            sums, self._sums = self._sums, {}
        try:
            for what, found in sums.items():
                run(self._backend, self._settle(what, found))
        except SharedContextError:
            return

    def _settle(self, what: _What, found: list[int]) -> Steps[None]:
        total, own = _row(_TOTAL, what), _row(self._own, what)
        while True:
            rev = yield from steps.rev(SPACE)
            rows = yield from steps.scan(SPACE, what[0], total, f"{total}\x00", limit=1)
            sums = {what: json.loads(rows[0].value) if rows else [0, 0, 0]}
            _add(sums, what, found)
            try:
                yield from steps.commit(SPACE, (Put(what[0], _dump(sums[what]), sk=total), Drop(what[0], own)), rev)
                return
            except ConditionFailed:
                continue


def _row(owner: str, what: _What) -> str:
    return json.dumps([owner, *what[1:]], ensure_ascii=False)


def _dump(sums: list[int]) -> bytes:
    return json.dumps(sums).encode()


def _add(sums: dict[_What, list[int]], what: _What, found: list[int]) -> None:
    old = sums.get(what, [0, 0, 0])
    sums[what] = [a + b for a, b in zip(old, found, strict=True)]
