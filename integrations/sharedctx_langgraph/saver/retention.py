"""What is kept of threads, and what goes: by number, by age, by run; with what the kept ones still need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sharedctx.backends import steps
from sharedctx.backends.base import Row
from sharedctx.backends.steps import Steps
from sharedctx.errors import DecodeError
from sharedctx.versions.lineage import Lineage, split

from .packing import Packing
from .places import space_of
from .threads import Threads

_INTERNAL = ("__", "branch:")
_COUNTERS = "counters_since_delta_snapshot"


@dataclass(frozen=True)
class Removed:
    """What was, or with ``dry_run`` would be, removed; ``bytes`` are those of the rows."""

    threads: int = 0
    checkpoints: int = 0
    writes: int = 0
    bytes: int = 0
    kept: int = 0

    def __add__(self, other: Removed) -> Removed:
        ours, theirs = asdict(self), asdict(other)
        return Removed(**{name: ours[name] + theirs[name] for name in ours})


@dataclass(frozen=True)
class Facts:
    """What retention knows of one checkpoint; ``time`` is seconds since the epoch, None where it cannot be told."""

    id: str
    parent: str | None
    values: frozenset[str]
    empty: frozenset[str]
    counted: frozenset[str]
    run: str | None
    time: float | None


Choice = Callable[[Sequence[Facts]], set[str]]
"""Chooses the ids to keep among a namespace's checkpoints, oldest first."""


def newest(count: int, since: float | None) -> Choice:
    """Keep the newest ``count`` (0: all) that are not older than ``since``; of a living thread always the newest."""

    def choose(facts: Sequence[Facts]) -> set[str]:
        kept = list(facts[-count:] if count else facts)
        if since is not None:
            if facts[-1].time is not None and facts[-1].time < since:
                return set()
            kept = [one for one in kept if one.time is None or one.time >= since]
        return {one.id for one in kept}

    return choose


def without_runs(runs: Iterable[str]) -> Choice:
    """Keep what other runs wrote."""
    gone = set(runs)
    return lambda facts: {one.id for one in facts if one.run not in gone}


class Retention:
    """Removes checkpoints; those that a kept one needs for channels stored as writes stay with it."""

    def __init__(self, threads: Threads, packing: Packing) -> None:
        self._threads = threads
        self._packing = packing

    def thin(self, thread: str, choose: Choice, *, dry_run: bool = False) -> Steps[Removed]:
        """Keep of each namespace of a thread what ``choose`` says, and what others write meanwhile."""
        removed = Removed()
        rev = yield from steps.rev(space_of(thread))
        for namespace in (yield from self._threads.namespaces(thread)):
            lineage = self._threads.lineage(thread, namespace)
            facts, damaged = yield from self._survey(lineage)
            if not facts:
                continue
            kept = choose(list(facts.values()))
            kept |= damaged if kept else set()
            kept |= yield from self._needed(lineage, facts, kept)
            doomed = (facts.keys() | damaged) - kept
            loss = yield from (lineage.weigh(doomed) if dry_run else lineage.drop(doomed))
            removed += Removed(0, loss.states, loss.additions, loss.bytes, len(kept))
        if removed.checkpoints and not removed.kept:
            removed = replace(removed, threads=1)
            if not dry_run:
                yield from self._threads.clear(thread, rev)
        return removed

    def delete_runs(self, runs: Sequence[str]) -> Steps[Removed]:
        """Remove what these runs wrote, in whichever thread."""
        removed = Removed()
        threads: dict[str, list[str]] = {}
        for run in runs:
            for thread in (yield from self._threads.runs.threads(run)):
                threads.setdefault(thread, []).append(run)
        for thread, of_it in threads.items():
            removed += yield from self.thin(thread, without_runs(of_it))
            yield from self._threads.runs.drop([(run, thread) for run in of_it])
        return removed

    def sweep(self, thread: str, *, dry_run: bool = False) -> Steps[Removed]:
        """Remove a thread that has expired; what others write to it meanwhile stays."""
        rev = yield from steps.rev(space_of(thread))
        rows: list[Row] = []
        for namespace in (yield from self._threads.namespaces(thread)):
            lineage = self._threads.lineage(thread, namespace)
            found = yield from lineage.newest()
            if found is not None and not (yield from self._threads.expired(thread, namespace, found.state.expires)):
                return Removed()
            rows += yield from lineage.all()
        if not rows and not (yield from steps.pks(space_of(thread), limit=1)):
            return Removed()
        if not dry_run:
            yield from self._threads.clear(thread, rev)
        return _count(rows, threads=1) if rows else Removed()

    def weigh(self, thread: str) -> Steps[Removed]:
        """Count what a thread holds."""
        rows: list[Row] = []
        for namespace in (yield from self._threads.namespaces(thread)):
            rows += yield from self._threads.lineage(thread, namespace).all()
        return _count(rows, threads=1)

    def _survey(self, lineage: Lineage) -> Steps[tuple[dict[str, Facts], set[str]]]:
        """Return what is known of a namespace's checkpoints, oldest first, and the ids of damaged ones."""
        facts: dict[str, Facts] = {}
        damaged: set[str] = set()
        for row in (yield from lineage.all()):
            id, number = split(str(row.sk))
            if number is not None:
                continue
            try:
                state = lineage.parse(row)
                table, head = yield from lineage.head(state)
                checkpoint, metadata = self._packing.read_head(id, head)
            except DecodeError:
                damaged.add(id)
                continue
            run = metadata.get("run_id")
            facts[id] = Facts(
                id,
                state.parent,
                frozenset(table),
                frozenset(checkpoint["channel_versions"]) - table.keys(),
                frozenset(metadata.get(_COUNTERS) or ()),
                None if run is None else str(run),
                _time(checkpoint),
            )
        return facts, damaged

    def _needed(self, lineage: Lineage, facts: Mapping[str, Facts], kept: set[str]) -> Steps[set[str]]:
        """Return the ancestors without which channels of kept checkpoints could not be rebuilt."""
        needed: set[str] = set()
        written: dict[str, frozenset[str]] = {}
        for id in kept & facts.keys():
            one = facts[id]
            unsure = {channel for channel in one.empty if not channel.startswith(_INTERNAL)} - one.counted
            sure = one.counted - one.values
            way: list[str] = []
            used = 0
            seen = {id}
            wrote: set[str] = set()
            at = one.parent
            while (sure or unsure) and at is not None and at in facts and at not in seen:
                seen.add(at)
                way.append(at)
                if at not in written:
                    written[at] = yield from self._written(lineage, at)
                wrote |= written[at]
                if sure or unsure & (written[at] | (facts[at].values & wrote)):
                    used = len(way)
                sure, unsure = sure - facts[at].values, unsure - facts[at].values
                at = facts[at].parent
            needed.update(way[:used])
        return needed

    def _written(self, lineage: Lineage, id: str) -> Steps[frozenset[str]]:
        found = yield from lineage.rows(id)
        if found is None:
            return frozenset()
        try:
            contents = yield from lineage.additions(id, found[1])
        except DecodeError:
            return frozenset()
        return frozenset(write.channel for write in self._packing.read_writes(id, contents))


def _count(rows: Sequence[Row], *, threads: int) -> Removed:
    states = sum(split(str(row.sk))[1] is None for row in rows)
    return Removed(threads, states, len(rows) - states, sum(len(row.value) for row in rows))


def _time(checkpoint: Any) -> float | None:
    try:
        found = datetime.fromisoformat(checkpoint["ts"])
    except (KeyError, TypeError, ValueError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
