"""Catalogue: what evolutions a store holds, one row each in a space of its own, so that listing reads no evolution.

The rows repeat what the evolutions say. A writer marks an evolution before it writes and ends the mark with the row
that it then writes, so that a listing reads a marked evolution itself and a killed writer leaves no row behind that is
believed. Marks that have ended are reclaimed many at a time: a drop would stay in the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ..backends import steps
from ..backends.base import ABSENT, Put, Row
from ..backends.steps import Steps
from ..errors import BudgetExceeded, Compacted, ConditionFailed, DecodeError, DiskFull, VersionConflict
from ..versions.collection import Collection
from .context import EvolutionContext, Found, finished
from .phases import Phases
from .record import STATE_PK, Record, Snapshot

_STALE = 600.0
_ENDED = 64
_SUMMARY = (STATE_PK, "error_log", "metrics_before", "metrics_after", "patterns_learned")


class Line(NamedTuple):
    """One evolution in the catalogue."""

    evolution_id: str
    updated_at: float
    size: int
    listed: Found
    metrics: Found
    phases: Phases

    @property
    def finished(self) -> bool:
        """Whether nothing runs any more."""
        return finished(self.listed["status"])


class Catalogue:
    """The evolutions of a tenant, at most ``limit``. ``ttl`` is seconds from the last update, None for ever."""

    def __init__(self, tenant: str, record: Callable[[str], Record], limit: int, ttl: float | None) -> None:
        self._space = f"evolutions:{tenant}"
        self._rows = Collection(self._space, "rows")
        self._marks = Collection(self._space, "marks")
        self._record = record
        self._limit = limit
        self._ttl = ttl
        self._ended = 0

    def expired(self, updated_at: float) -> Steps[bool]:
        """Whether what was last updated then is gone by now."""
        return (yield from steps.expired(None if self._ttl is None else updated_at + self._ttl))

    def read(self, evolution_id: str, rev: int | None = None) -> Steps[EvolutionContext | None]:
        """Return an evolution's context, as of a revision if need be; None where there is none or it expired."""
        record = self._record(evolution_id)
        snapshot = yield from record.snapshot(rev)
        if snapshot is None or (yield from self._gone(record, snapshot, rev)):
            return None
        return (yield from record.context(snapshot))

    def _gone(self, record: Record, snapshot: Snapshot, rev: int | None) -> Steps[bool]:
        newest = snapshot if rev is None else (yield from record.snapshot())
        return newest is None or (yield from self.expired(newest.updated_at))

    def exists(self, evolution_id: str) -> Steps[bool]:
        """Whether there is such an evolution."""
        snapshot = yield from self._record(evolution_id).snapshot()
        return snapshot is not None and not (yield from self.expired(snapshot.updated_at))

    def write(self, evolution_id: str, writing: Steps[bool]) -> Steps[bool]:
        """Do steps that write to an evolution, if there is one, and bring its line up to date."""
        if not (yield from self.exists(evolution_id)):
            writing.close()
            return False
        mark = _mark(evolution_id)
        yield from steps.commit(self._space, (self._marks.put(mark, (yield from steps.now())),))
        try:
            done = yield from writing
        except Exception:
            yield from self._publish(evolution_id, mark)
            raise
        yield from self._tell(evolution_id, mark)
        return done

    def admit(self, evolution_id: str, creating: Steps[None]) -> Steps[None]:
        """Do steps that make an evolution, where there is room; at the limit the oldest finished one goes.

        Raises ``BudgetExceeded`` when none is finished, ``VersionConflict`` when the evolution is there already.
        """
        mark = _mark(evolution_id)
        while True:
            rev = yield from steps.rev(self._space)
            count = yield from self._count()
            if count >= self._limit:
                yield from self._make_room()
                continue
            now = yield from steps.now()
            try:
                row = Put(self._rows.pk, b"", evolution_id, when=ABSENT)
                yield from steps.commit(self._space, (row, self._marks.put(mark, now)), rev)
                break
            except ConditionFailed as error:
                if error.pk is not None:
                    raise
        try:
            yield from creating
        except Exception:
            yield from self._publish(evolution_id, mark)
            raise
        yield from self._tell(evolution_id, mark)

    def _tell(self, evolution_id: str, mark: str) -> Steps[None]:
        """Publish what was written. It stands even where there is no room for its line, for which the mark stays."""
        with suppress(DiskFull):
            yield from self._publish(evolution_id, mark)

    def _publish(self, evolution_id: str, mark: str) -> Steps[None]:
        record = self._record(evolution_id)
        while True:
            since = yield from steps.rev(record.space)
            snapshot = yield from record.snapshot(since)
            row = self._rows.drop(evolution_id) if snapshot is None else (yield from self._put(record, snapshot))
            now = yield from steps.now()
            yield from steps.commit(self._space, (row, self._marks.put(mark, 0, expires=now)))
            try:
                if not (yield from steps.changes(record.space, since, 1)):
                    break
            except Compacted:
                if snapshot is None:
                    break
        self._ended += 1
        if self._ended >= _ENDED:
            self._ended = 0
            yield from steps.reclaim(self._space, self._marks.pk, expired_at=now)

    def _put(self, record: Record, snapshot: Snapshot) -> Steps[Put]:
        line = yield from self._line(record, snapshot)
        listed = {name: value for name, value in line.listed.items() if name != "evolution_id"}
        return self._rows.put(record.id, line._replace(listed=listed)[1:])  # the sort key is the id

    def _line(self, record: Record, snapshot: Snapshot) -> Steps[Line]:
        short = {pk: version for pk, version in snapshot.versions.items() if pk in _SUMMARY}
        context = yield from record.context(snapshot._replace(versions=short))
        listed = {
            "evolution_id": record.id,
            "created_at": context.created_at,
            "target_path": context.target_path,
            "status": context.status,
            "current_phase": context.current_phase,
            "focus_areas": context.focus_areas,
            "has_errors": bool(context.error_log),
        }
        metrics = {**context.metrics_before, **context.metrics_after, "success_rate": context.success_rate}
        phases = yield from self._phases(record, snapshot.versions[STATE_PK].number)
        return Line(record.id, snapshot.updated_at, snapshot.size, listed, metrics, phases)

    def _phases(self, record: Record, last: int) -> Steps[Phases]:
        """Follow the phases up to a version of the state, from where the evolution's row left them."""
        row = yield from self._rows.row(record.id)
        held = None if row is None else self._read(row)
        phases = held.phases if held is not None and held.phases.version <= last else Phases()
        for version in (yield from record.history(STATE_PK, phases.version + 1, last)):
            phases = phases.after(version.number, version.blob.timestamp, (yield from record.value(version)))
        return phases

    def lines(self) -> Steps[list[Line]]:
        """Return the line of each evolution that has not expired, oldest first."""
        found = []
        now = yield from steps.now()
        for line in (yield from self._lines()):
            due = self._ttl is not None and now >= line.updated_at + self._ttl
            if not due or not (yield from self.expired(line.updated_at)):
                found.append(line)
        return found

    def _lines(self) -> Steps[list[Line]]:
        now = yield from steps.now()
        marks = yield from self._marks.rows()
        marked = {str(row.sk): self._since(row) for row in marks if row.expires is None}
        if len(marks) - len(marked) > _ENDED:
            yield from steps.reclaim(self._space, self._marks.pk, expired_at=now)
        doubted = {mark.partition("/")[0] for mark in marked}
        found: list[Line] = []
        for row in (yield from self._rows.rows()):
            line = None if row.sk in doubted else self._read(row)
            if line is None:
                doubted.add(str(row.sk))
            else:
                found.append(line)
        for evolution_id in doubted:
            record = self._record(evolution_id)
            snapshot = yield from record.snapshot()
            if snapshot is not None:
                found.append((yield from self._line(record, snapshot)))
        for mark, at in marked.items():
            if now - at > _STALE:  # its writer was killed
                yield from self._clear(self._record(mark.partition("/")[0]), mark)
        return sorted(found, key=lambda line: (line.listed["created_at"], line.evolution_id))

    def _clear(self, record: Record, mark: str) -> Steps[None]:
        """Finish what a killed writer began: its line, or what it left of an evolution that is none."""
        if (yield from record.snapshot()) is None:
            yield from record.remove(None)
        yield from self._publish(record.id, mark)

    def _count(self) -> Steps[int]:
        return len((yield from self._rows.rows()))

    def _make_room(self) -> Steps[None]:
        if (yield from self.prune()):
            return
        lines = yield from self.lines()
        for line in lines:
            if line.finished and (yield from self.remove(line.evolution_id, finished_only=True)):
                return
        if len(lines) >= self._limit or (yield from self._count()) >= self._limit:
            raise BudgetExceeded(
                f"there are {self._limit} evolutions and none is finished: finish or delete one, or raise max_contexts"
            )

    def prune(self) -> Steps[int]:
        """Remove what has expired; returns how many went."""
        removed = 0
        for line in (yield from self._lines()) if self._ttl is not None else []:
            if (yield from self.expired(line.updated_at)):
                removed += yield from self.remove(line.evolution_id)
        return removed

    def remove(self, evolution_id: str, *, finished_only: bool = False) -> Steps[bool]:
        """Remove an evolution with its history; False when there is none, or it goes on after all."""
        record = self._record(evolution_id)
        while True:
            snapshot = yield from record.snapshot()
            if snapshot is None:
                yield from steps.commit(self._space, (self._rows.drop(evolution_id),))
                return False
            if finished_only and not finished((yield from record.context(snapshot)).status):
                return False
            mark = _mark(evolution_id)
            yield from steps.commit(self._space, (self._marks.put(mark, (yield from steps.now())),))
            try:
                yield from record.remove(snapshot.versions[STATE_PK])
            except VersionConflict:
                yield from self._publish(evolution_id, mark)
                continue
            except DiskFull:
                if (yield from record.snapshot()) is not None:
                    raise
                return True  # it is gone; its rows go with the mark, later
            yield from self._tell(evolution_id, mark)
            return True

    def _since(self, row: Row) -> float:
        """When a mark was made; a damaged one counts as made long ago, so that it is cleared."""
        try:
            return float(self._marks.read(row))
        except DecodeError:
            return 0.0

    def _read(self, row: Row) -> Line | None:
        """A row's line; None for one that is still empty, or damaged, which is then read from the evolution itself."""
        try:
            found = self._rows.read(row)
        except DecodeError:
            return None
        if found is None:
            return None
        updated_at, size, listed, metrics, phases = found
        own = str(row.sk)
        return Line(own, updated_at, size, {"evolution_id": own, **listed}, metrics, Phases(*phases))


def _mark(evolution_id: str) -> str:
    return f"{evolution_id}/{uuid.uuid4().hex}"


__all__ = ["Catalogue", "Line"]
