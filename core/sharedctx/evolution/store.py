"""EvolutionStore: the contexts of evolutions, for coroutines."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar, Unpack

from ..backends.steps import Steps
from ..entries.arguments import check_number, check_seconds
from ..entries.names import check_participant
from ..errors import Compacted, Forbidden
from ..store import Store
from ..store import open as open_store
from . import learning, portable
from .assessment import comparison
from .context import EvolutionContext, Found
from .learning import Wanted
from .live import Update
from .sections import impact_of
from .settings import check_path, settle
from .verbs import Verbs

T = TypeVar("T")


class EvolutionStore:
    """Contexts of evolutions, shared by every object and process on the same store; an async context manager.

    ``backend`` is memory, disk, redis, dynamodb or a URL, ``path`` a directory; ``store`` is an opened store instead.
    ``max_contexts``, ``ttl`` (seconds from the last update, None for ever) and ``enable_compression`` are read from
    ``CONTEXT_STORE_*`` where they are not given. ``export_path`` is the folder that exports and imports stay in.
    Stores of another ``tenant`` see none of these evolutions, and have limits and grants of their own.

    Where a method takes ``evolution_id``, None means the current one: the last that this object made or imported.
    Methods that write return False when there is no such evolution; all raise ``InvalidValue`` for wrong types.
    """

    def __init__(
        self,
        backend: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        store: Store | None = None,
        max_contexts: int | None = None,
        ttl: float | Literal["environment"] | None = "environment",
        enable_compression: bool | None = None,
        export_path: str | os.PathLike[str] | None = None,
        tenant: str | None = None,
    ) -> None:
        self._export_path = None if export_path is None else check_path("export_path", export_path)
        address = backend if store is None else store.address
        self.settings = settle(address, path, max_contexts, ttl, enable_compression, tenant)
        self._opened = store is None
        self.store: Store = open_store(self.settings.address) if store is None else store
        self.closed = False
        self.participant: str | None = None
        self.current_evolution_id: str | None = None
        self._verbs = Verbs(self.store, self.settings, None)

    def bind(self, participant: str) -> EvolutionStore:
        """Return this store as ``participant``, whose name its writes carry; it has a current evolution of its own."""
        check_participant(participant)
        if self.participant is not None and participant != self.participant:
            raise Forbidden(f"this store speaks for {self.participant!r} and cannot be bound to {participant!r}")
        bound = EvolutionStore.__new__(EvolutionStore)
        verbs = Verbs(self.store, self.settings, participant)
        bound.__dict__.update(self.__dict__, participant=participant, _opened=False, _verbs=verbs)
        return bound

    async def _run(self, steps: Steps[T]) -> T:
        self.store.check_open()
        return await self.store.driver.run(steps)

    async def _write(self, evolution_id: str | None, verb: Any, *given: Any, **more: Any) -> bool:
        own = evolution_id or self.current_evolution_id
        if own is None:
            return False
        done: bool = await self._run(verb(own, *given, **more))
        return done

    async def create_context(
        self, target_path: str, focus_areas: Sequence[str], *, evolution_id: str | None = None
    ) -> str:
        """Make an evolution, which becomes the current one, and return its id.

        At ``max_contexts`` the oldest finished one goes; raises ``BudgetExceeded`` when none is finished.
        """
        own = await self._run(self._verbs.create(target_path, focus_areas, evolution_id))
        await self._run(self._verbs.counters.add("contexts_created"))
        self.current_evolution_id = own
        return own

    async def get_context(
        self, evolution_id: str | None = None, *, as_of: int | None = None
    ) -> EvolutionContext | None:
        """Return the context, as it was at revision ``as_of`` (of an ``Update``) if given; None where there is none."""
        own = evolution_id or self.current_evolution_id
        if as_of is not None:
            check_number("as_of", as_of)
        return None if own is None else await self._run(self._verbs.read(own, as_of))

    async def update_context(self, section: str, data: Any, evolution_id: str | None = None) -> bool:
        """Merge a dict into a section, replace anything else; False for an unknown section."""
        return await self._write(evolution_id, self._verbs.update, section, data)

    async def update_phase(self, phase: str, evolution_id: str | None = None) -> bool:
        """Begin a phase: the status becomes ``running_{phase}``."""
        return await self._write(evolution_id, self._verbs.phase, phase)

    async def add_error(self, message: str, evolution_id: str | None = None) -> bool:
        """Add ``"{time}: {message}"`` to the error log."""
        return await self._write(evolution_id, self._verbs.error, message)

    async def store_original_analysis(
        self, files_analyzed: Any, metrics: Found, issues: Any, improvements: Any, evolution_id: str | None = None
    ) -> bool:
        """Store how things were before, and the metrics as ``metrics_before``."""
        given = {"files_analyzed": files_analyzed, "metrics": metrics, "issues": issues, "improvements": improvements}
        return await self._write(evolution_id, self._verbs.store_section, "original_analysis", given)

    async def store_external_research(
        self, best_practices: Any, references: Any, patterns: Any, evolution_id: str | None = None
    ) -> bool:
        """Store what others do."""
        given = {"best_practices": best_practices, "references": references, "patterns": patterns}
        return await self._write(evolution_id, self._verbs.store_section, "external_research", given)

    async def store_improvement_plan(
        self,
        tasks: list[Found],
        priorities: Any,
        dependencies: Any,
        estimated_impact: Any = None,
        evolution_id: str | None = None,
    ) -> bool:
        """Store the plan; the impact is estimated from the tasks' types and priorities where it is not given."""
        given = {"tasks": tasks, "priorities": priorities, "dependencies": dependencies}
        impact = impact_of(tasks, estimated_impact)
        return await self._write(
            evolution_id, self._verbs.store_section, "improvement_plan", given, estimated_impact=impact
        )

    async def store_implementation_log(
        self, modified_files: Any, changes: Any, rollback_points: list[Any], evolution_id: str | None = None
    ) -> bool:
        """Store what was done, with ``total_changes``."""
        given = {"modified_files": modified_files, "changes": changes, "rollback_points": rollback_points}
        total = len(changes) if isinstance(changes, list) else 0
        return await self._write(
            evolution_id, self._verbs.store_section, "implementation_log", given, total_changes=total
        )

    async def store_current_state(
        self, files_analyzed: Any, metrics: Found, issues: Any, improvements: Any, evolution_id: str | None = None
    ) -> bool:
        """Store how things are now, and the metrics as ``metrics_after``."""
        given = {"files_analyzed": files_analyzed, "metrics": metrics, "issues": issues, "improvements": improvements}
        return await self._write(evolution_id, self._verbs.store_section, "current_state", given)

    async def store_evaluation_results(
        self, goals_achieved: Any, metrics_comparison: Found, success_rate: float, evolution_id: str | None = None
    ) -> bool:
        """Store the evaluation with its verdict: "success" from a rate of 0.7, else "partial"."""
        given = {"goals_achieved": goals_achieved, "metrics_comparison": metrics_comparison}
        return await self._write(evolution_id, self._verbs.store_evaluation, given, success_rate)

    async def get_comparison_data(self, evolution_id: str | None = None) -> Found:
        """Return ``before``, ``plan``, ``after``, ``implementation`` and ``delta``; ``{}`` where there is none."""
        context = await self.get_context(evolution_id)
        if context is None:
            return {}
        await self._run(self._verbs.counters.add("comparisons"))
        return comparison(context)

    async def get_all_contexts(self) -> list[Found]:
        """Return a line for each evolution, oldest first."""
        return [line.listed for line in await self._run(self._verbs.lines())]

    async def find_contexts(self, **wanted: Unpack[Wanted]) -> list[Found]:
        """Return the lines of evolutions by ``target_path``, ``focus_area``, ``status``, ``metric`` (with ``at_least``
        and ``at_most``), each with its ``metrics``; ``*`` in target and status stands for any text."""
        lines = await self._run(self._verbs.lines())
        return [{**line.listed, "metrics": line.metrics} for line in learning.select(lines, wanted)]

    async def learning_summary(self, **wanted: Unpack[Wanted]) -> Found:
        """Return what worked over many evolutions, chosen as in ``find_contexts``."""
        contexts = [await self.get_context(line["evolution_id"]) for line in await self.find_contexts(**wanted)]
        return learning.summary([context for context in contexts if context is not None])

    async def history(self, section: str, evolution_id: str | None = None) -> list[Update]:
        """Return the versions of a section, or of a field such as ``status``, oldest first."""
        own = evolution_id or self.current_evolution_id
        return [] if own is None else await self._run(self._verbs.history(own, section))

    async def watch(
        self, evolution_id: str | None = None, *, since: int | None = None, timeout: float | None = None
    ) -> AsyncIterator[Update]:
        """Yield updates as they are committed, after revision ``since`` or from now on.

        Ends after ``timeout`` quiet seconds, and when the evolution is deleted. Raises ``KeyNotFound``.
        """
        if timeout is not None:
            check_seconds("timeout", timeout)
        clock = asyncio.get_running_loop().time
        record = await self._run(self._verbs.require(evolution_id or self.current_evolution_id))
        at = self.store.backend.rev(record.space) if since is None else check_number("since", since)
        heard = clock()
        while True:
            try:
                seen, at = await self._run(self._verbs.follow(record, at))
            except Compacted:
                if await self._run(record.snapshot()) is None:
                    return
                raise
            for update in seen:
                yield update
            if seen:
                heard = clock()
                continue
            left = None if timeout is None else heard + timeout - clock()
            if left is not None and left <= 0:
                return
            if await self._run(record.snapshot()) is None:
                return
            await self.store.driver.watching.wait(record.space, at, left)

    async def export_context(
        self, evolution_id: str | None = None, file_path: str | os.PathLike[str] | None = None
    ) -> str:
        """Write the context with its history to a JSON file and return its path.

        Raises ``KeyNotFound``, ``InvalidValue`` for a path outside the export folder, ``ConfigError``.
        """
        own, now, data = await self._run(self._verbs.dump(evolution_id or self.current_evolution_id))
        path = portable.place(self._export_path, portable.default_name(own, now) if file_path is None else file_path)
        await self.store.driver.leave_loop(portable.write, path, data)
        await self._run(self._verbs.counters.add("exports"))
        return str(path)

    async def import_context(self, path: str | os.PathLike[str]) -> str:
        """Read an export; it becomes the current evolution, under a new id where its own is taken. Returns the id.

        Raises ``InvalidValue`` for a file that is none, is broken, or is outside the export folder; nothing is written.
        """
        imported = await self.store.driver.leave_loop(portable.read, portable.place(self._export_path, path))
        own = await self._run(self._verbs.restore(imported))
        await self._run(self._verbs.counters.add("imports"))
        self.current_evolution_id = own
        return own

    async def delete_context(self, evolution_id: str) -> bool:
        """Remove an evolution with its history."""
        return await self._run(self._verbs.remove(portable.check_id(evolution_id)))

    async def grant(
        self, participant: str, *, read: Sequence[str] = (), write: Sequence[str] = (), delete: Sequence[str] = ()
    ) -> None:
        """Allow participants that fit a pattern just these patterns of sections; only the owner may.

        "state" stands for the fields that say how an evolution stands: who may not read it sees no evolution, and who
        may not write it makes none. What may not be read is empty in a context.
        """
        await self._run(self._verbs.access.grant(participant, {"read": read, "write": write, "delete": delete}))

    async def prune(self) -> int:
        """Remove the evolutions that have expired; returns how many. They are not seen either way."""
        return await self._run(self._verbs.catalogue.prune())

    async def metrics(self) -> Mapping[str, Any]:
        """Return contexts, their average size and phase durations, and how many were ever made, compared, exported and
        imported in this store."""
        return await self._run(self._verbs.metrics())

    async def close(self) -> None:
        """Close the store if this object opened it."""
        self.closed = True
        if self._opened:
            self.store.close()

    async def __aenter__(self) -> EvolutionStore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
