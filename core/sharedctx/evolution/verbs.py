"""What can be done with evolutions, as steps over the records and the catalogue of one store."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..backends import steps
from ..backends.steps import Steps
from ..errors import KeyNotFound, VersionConflict
from ..store import Store
from . import live, portable
from .access import Access, shown
from .catalogue import Catalogue, Line
from .context import SECTIONS, STATE, EvolutionContext, Found, check, check_text
from .counters import Counters
from .live import Update
from .phases import spread
from .record import STATE_PK, Change, Record, iso
from .sections import FOLLOWING, evaluation, storing
from .settings import EVERYBODY, EvolutionSettings


class Verbs:
    """The verbs of an evolution store, for ``participant``, None being its owner."""

    def __init__(self, store: Store, settings: EvolutionSettings, participant: str | None) -> None:
        self._store = store
        self._settings = settings
        self._agent = participant or ""
        self.access = Access(store, settings.tenant, participant)
        self.counters = Counters(settings.tenant)
        self.catalogue = Catalogue(settings.tenant, self.record, settings.max_contexts, settings.ttl)

    def record(self, evolution_id: str) -> Record:
        """Return the record of an evolution, whether there is one or not; raises ``InvalidValue`` for a bad id."""
        own = portable.check_id(evolution_id)
        tenant = "" if self._settings.tenant == EVERYBODY else f"{self._settings.tenant}/"
        return Record(
            self._store.backend.id,
            self._store.contents,
            own,
            space=f"evolution:{tenant}{own}",
            agent=self._agent,
            compress=self._settings.enable_compression,
        )

    def create(self, target_path: str, focus_areas: Sequence[str], evolution_id: str | None) -> Steps[str]:
        """Make an evolution and return its id; raises ``BudgetExceeded``, ``VersionConflict`` for an id in use."""
        yield from self.access.guard("write", STATE_PK)
        areas = list(focus_areas) if isinstance(focus_areas, tuple) else check("focus_areas", focus_areas)
        own = str(uuid.uuid4()) if evolution_id is None else portable.check_id(evolution_id)
        fresh = EvolutionContext(own, iso((yield from steps.now())), check_text("target_path", target_path), areas)
        state = {name: check(name, getattr(fresh, name)) for name in ("created_at", *STATE)}
        try:
            yield from self.catalogue.admit(own, self.record(own).create(state))
        except VersionConflict:
            raise VersionConflict(f"there is an evolution {own!r} already: take another id, or none") from None
        return own

    def update(self, evolution_id: str, section: str, data: Any) -> Steps[bool]:
        """Merge a dict into a section, or replace what is none; False for an unknown section or no evolution."""
        check_text("section", section)
        if section not in STATE and section not in SECTIONS:
            return False
        check(section, data)
        yield from self.access.guard("write", STATE_PK if section in STATE else section)

        def change(held: dict[str, Any], _: str) -> dict[str, Any]:
            if section in STATE:
                return {STATE_PK: {**held[STATE_PK], section: data}}
            return {section: {**held[section], **data} if isinstance(data, dict) else data}

        return (yield from self._edit(evolution_id, () if section in STATE else (section,), change))

    def phase(self, evolution_id: str, phase: str) -> Steps[bool]:
        """Begin a phase."""
        check_text("phase", phase)
        yield from self.access.guard("write", STATE_PK)

        def change(held: dict[str, Any], _: str) -> dict[str, Any]:
            return {STATE_PK: {**held[STATE_PK], "current_phase": phase, "status": f"running_{phase}"}}

        return (yield from self._edit(evolution_id, (), change))

    def error(self, evolution_id: str, message: str) -> Steps[bool]:
        """Add a line to the error log."""
        check_text("the message", message)
        yield from self.access.guard("write", "error_log")

        def change(held: dict[str, Any], now: str) -> dict[str, Any]:
            return {"error_log": [*held["error_log"], f"{now}: {message}"]}

        return (yield from self._edit(evolution_id, ("error_log",), change))

    def store_section(self, evolution_id: str, section: str, given: Mapping[str, Any], **more: Any) -> Steps[bool]:
        """Store what a phase found; raises ``InvalidValue`` for arguments of wrong types."""
        change = storing(section, given, **more)
        yield from self.access.guard("write", section)
        return (yield from self._edit(evolution_id, (section, *FOLLOWING.get(section, ())), change))

    def store_evaluation(self, evolution_id: str, given: Mapping[str, Any], success_rate: float) -> Steps[bool]:
        """Store an evaluation and the success rate."""
        change = evaluation(given, success_rate)
        yield from self.access.guard("write", "evaluation_results")
        return (yield from self._edit(evolution_id, ("evaluation_results",), change))

    def _edit(self, evolution_id: str, pks: Sequence[str], change: Change) -> Steps[bool]:
        return (yield from self.catalogue.write(evolution_id, self.record(evolution_id).edit(pks, change)))

    def read(self, evolution_id: str, rev: int | None = None) -> Steps[EvolutionContext | None]:
        """Return an evolution's context as far as it may be read; None where there is none."""
        readable = yield from self.access.readable()
        context = yield from self.catalogue.read(evolution_id, rev)
        return None if context is None or STATE_PK not in readable else shown(context, readable)

    def lines(self) -> Steps[list[Line]]:
        """Return a line for each evolution that may be seen, oldest first."""
        readable = yield from self.access.readable()
        if STATE_PK not in readable:
            return []
        lines = yield from self.catalogue.lines()
        if {"metrics_before", "metrics_after"} <= readable:
            return lines
        return [line._replace(metrics={}) for line in lines]

    def follow(self, record: Record, since: int) -> Steps[tuple[list[Update], int]]:
        """Return the next updates that may be read and the revision to go on from."""
        readable = yield from self.access.readable()
        updates, at = yield from live.follow(record, since)
        return [update for update in updates if update.section in readable], at

    def remove(self, evolution_id: str) -> Steps[bool]:
        """Remove an evolution with its history."""
        yield from self.access.guard("delete", STATE_PK)
        return (yield from self.catalogue.remove(evolution_id))

    def require(self, evolution_id: str | None) -> Steps[Record]:
        """Return the record of an evolution that exists; raises ``KeyNotFound``."""
        seen = evolution_id is not None and (yield from self.access.allows("read", STATE_PK))
        if evolution_id is None or not seen or not (yield from self.catalogue.exists(evolution_id)):
            raise KeyNotFound(
                "there is no current evolution: create one, or name its id"
                if evolution_id is None
                else f"there is no evolution {evolution_id!r}: get_all_contexts tells what there is"
            )
        return self.record(evolution_id)

    def history(self, evolution_id: str, section: str) -> Steps[list[Update]]:
        """Return a section's versions, oldest first; none for an unknown section or no evolution."""
        held = STATE_PK if section in STATE else section
        if not (yield from self.access.allows("read", held)) or not (yield from self.catalogue.exists(evolution_id)):
            return []
        return (yield from live.history(self.record(evolution_id), section))

    def dump(self, evolution_id: str | None) -> Steps[tuple[str, float, Found]]:
        """Return an evolution's id, the time, and what its file holds; raises ``KeyNotFound``."""
        yield from self.access.guard("read", STATE_PK, *SECTIONS)
        record = yield from self.require(evolution_id)
        rev = yield from steps.rev(record.space)
        context = yield from self.catalogue.read(record.id, rev)
        if context is None:
            raise KeyNotFound(f"the evolution {record.id!r} was deleted meanwhile")
        return record.id, (yield from steps.now()), (yield from portable.dump(record, context, rev))

    def restore(self, imported: portable.Imported) -> Steps[str]:
        """Write what a file held, under a new id where there is something under its own; returns the id."""
        yield from self.access.guard("write", STATE_PK, *SECTIONS)
        own = imported.context.evolution_id
        while True:
            try:
                yield from self.catalogue.admit(own, self.record(own).restore(imported.moments))
                return own
            except VersionConflict:
                own = str(uuid.uuid4())

    def metrics(self) -> Steps[Found]:
        """Return the number of contexts, their average size in bytes of JSON, and how long phases took."""
        lines = yield from self.lines()
        return {
            **(yield from self.counters.all()),
            "contexts": len(lines),
            "average_size": sum(line.size for line in lines) / len(lines) if lines else 0.0,
            "phase_durations": spread(line.phases.seconds for line in lines),
        }
