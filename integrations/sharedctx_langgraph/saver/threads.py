"""The threads of a store: checkpoints written and read as states of a lineage, logic for threads and loops alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.errors import InvalidKey
from sharedctx.extras import extra
from sharedctx.versions.cache import ContentCache
from sharedctx.versions.lineage import Found, Lineage, LineageMemory, StateRow

from .packing import Packing
from .places import NAMESPACE, THREADS, Place, partition_of, space_of
from .runs import Runs

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_metadata


class Opened(NamedTuple):
    """A checkpoint that was read but for its values and writes."""

    found: Found
    table: dict[str, list[str]]
    head: bytes


class Threads:
    """Reads and writes checkpoints; ``ttl`` is seconds that a thread lives after its last checkpoint."""

    def __init__(self, contents: ContentCache, ttl: float | None) -> None:
        self._memory = LineageMemory(contents)
        self._ttl = ttl
        self.runs = Runs()

    def lineage(self, thread: str, namespace: str) -> Lineage:
        """Return the checkpoints of one namespace of a thread."""
        return Lineage(space_of(thread), partition_of(namespace), self._memory)

    def all(self) -> Steps[list[str]]:
        """Return the names of all threads, in order."""
        found = yield from steps.all_spaces(THREADS)
        return [space.removeprefix(THREADS) for space in found]

    def namespaces(self, thread: str) -> Steps[list[str]]:
        """Return the namespaces of a thread, in order."""
        found = yield from steps.all_pks(space_of(thread), NAMESPACE)
        return [pk.removeprefix(NAMESPACE) for pk in found]

    def put(
        self,
        packing: Packing,
        config: Mapping[str, Any],
        place: Place,
        checkpoint: Mapping[str, Any],
        metadata: Mapping[str, Any],
        new_versions: Mapping[str, Any],
    ) -> Steps[dict[str, Any]]:
        """Write a checkpoint whose parent is the config's; returns its config."""
        facts: Any = get_checkpoint_metadata(config, metadata)  # type: ignore[arg-type]
        namespace, id = place.namespace or "", checkpoint["id"]
        if (run := facts.get("run_id")) is not None:
            yield from self.runs.note(str(run), place.thread)
        head = packing.head(checkpoint, facts)
        parts = packing.parts(checkpoint, new_versions)
        expires = yield from self._expires()
        yield from self.lineage(place.thread, namespace).put(id, place.id, head, parts, expires)
        return place.config(namespace, id)

    def put_writes(
        self, packing: Packing, place: Place, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> Steps[None]:
        """Write what a task wrote on top of a checkpoint."""
        if place.id is None:
            raise InvalidKey(f"thread {place.thread!r}: writes belong to a checkpoint, name it in checkpoint_id")
        content = packing.writes(task_id, task_path, writes)
        expires = yield from self._expires()
        yield from self.lineage(place.thread, place.namespace or "").add(place.id, content, expires)

    def _expires(self) -> Steps[float | None]:
        return None if self._ttl is None else (yield from steps.now()) + self._ttl

    def get(self, packing: Packing, place: Place) -> Steps[CheckpointTuple | None]:
        """Return the checkpoint that is named, or the newest; None when there is none or the thread has expired."""
        namespace = place.namespace or ""
        lineage = self.lineage(place.thread, namespace)
        found = yield from (lineage.newest() if place.id is None else lineage.get(place.id))
        if found is None or (yield from self.expired(place.thread, namespace, found.state)):
            return None
        opened = yield from self.open(lineage, found)
        return (yield from self.tuple(packing, lineage, opened, place, namespace))

    def expired(self, thread: str, namespace: str, state: StateRow) -> Steps[bool]:
        """Whether the thread of this state has expired: nothing of it was written lately."""
        if not (yield from steps.expired(state.expires)):
            return False
        for each in dict.fromkeys((namespace, "")):
            newest = yield from self.lineage(thread, each).newest()
            if newest is not None and not (yield from steps.expired(newest.state.expires)):
                return False
        return True

    def open(self, lineage: Lineage, found: Found) -> Steps[Opened]:
        """Read a checkpoint's head."""
        table, head = yield from lineage.head(found.state)
        return Opened(found, table, head)

    def tuple(
        self, packing: Packing, lineage: Lineage, opened: Opened, place: Place, namespace: str
    ) -> Steps[CheckpointTuple]:
        """Read a checkpoint's values and writes and return it as LangGraph wants it."""
        state, rows = opened.found
        checkpoint, metadata = packing.read_head(state.id, opened.head)
        values: dict[str, Any] = {}
        for channel in opened.table:
            content = yield from lineage.part(state, channel, opened.table)
            values[channel] = packing.read_value(state.id, content)
        checkpoint["channel_values"] = values
        contents = yield from lineage.additions(state.id, rows, state)
        writes = [packing.pending(state.id, write) for write in packing.read_writes(state.id, contents)]
        parent = None if state.parent is None else place.config(namespace, state.parent)
        config: Any = place.config(namespace, state.id)
        return CheckpointTuple(config, checkpoint, metadata, parent, writes)  # type: ignore[arg-type]

    def delete(self, thread: str) -> Steps[int]:
        """Remove a thread; returns the number of rows."""
        yield from self.runs.forget(thread)
        return (yield from steps.reclaim(space_of(thread)))

    def copy(self, source: str, target: str) -> Steps[int]:
        """Copy a thread's rows into another thread, which is emptied first; returns how many."""
        if source == target:
            return 0
        yield from self.delete(target)
        copied = 0
        for namespace in (yield from self.namespaces(source)):
            copied += yield from self.lineage(source, namespace).copy(space_of(target))
        yield from self.runs.copy(source, target)
        return copied
