"""The threads of a store: checkpoints written and read as states of a lineage, logic for threads and loops alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sharedctx.backends import steps
from sharedctx.backends.base import Put, Row
from sharedctx.backends.steps import Steps
from sharedctx.errors import DecodeError, InvalidKey, InvalidValue
from sharedctx.extras import extra
from sharedctx.versions.cache import ContentCache
from sharedctx.versions.lineage import Lineage, LineageMemory, split

from .packing import Packing, Stored, Write
from .places import NAMESPACE, THREADS, Place, check_text, partition_of, space_of
from .runs import Runs

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_metadata


T = TypeVar("T")

_TRIES = 8
_KEPT = 512
_KEPT_BYTES = 1 << 15
_TRIM = "trim"
"""The partition of a row that is removed at once, and with it the feed before it."""


class Opened(NamedTuple):
    """A checkpoint as its rows say: all of it in one place, but not deserialized, since callers change what they get.
    ``rows`` are what it was read from."""

    rows: list[bytes]
    id: str
    parent: str | None
    head: bytes
    values: list[tuple[str, Stored]]
    writes: list[Write]


class _Seen(NamedTuple):
    """What a read found at a revision of the space: until the next one it is what another read finds."""

    rev: int
    expires: float | None
    opened: Opened


class Threads:
    """Reads and writes checkpoints; ``ttl`` is seconds that a thread lives after its last checkpoint,
    ``remembers`` says that what was read may be given again while the store's revision stays."""

    def __init__(self, contents: ContentCache, ttl: float | None, *, remembers: bool) -> None:
        self._remembers = remembers
        self._seen: dict[tuple[str, str, str | None], _Seen] = {}
        self._memory = LineageMemory(contents)
        self._ttl = ttl
        self._lineages: dict[tuple[str, str], Lineage] = {}
        self._opened: dict[tuple[str, str, str], Opened] = {}
        self.runs = Runs()

    def lineage(self, thread: str, namespace: str) -> Lineage:
        """Return the checkpoints of one namespace of a thread."""
        held = self._lineages.get((thread, namespace))
        if held is None:
            if len(self._lineages) >= _KEPT:
                self._lineages.clear()
            held = Lineage(space_of(thread), partition_of(namespace), self._memory)
            self._lineages[thread, namespace] = held
        return held

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
        checkpoint: Any,
        metadata: Any,
        new_versions: Mapping[str, Any],
    ) -> Steps[dict[str, Any]]:
        """Write a checkpoint whose parent is the config's; returns its config."""
        if not (
            (checkpoint.__class__ is dict or isinstance(checkpoint, Mapping))
            and (metadata.__class__ is dict or isinstance(metadata, Mapping))
        ):
            raise InvalidValue(f"thread {place.thread!r}: a checkpoint and its metadata are mappings, pass both")
        namespace = place.namespace or ""
        id = check_text(checkpoint.get("id"), f"id of the checkpoint for thread {place.thread!r}")
        facts: Any = get_checkpoint_metadata(config, metadata)  # type: ignore[arg-type]
        run = facts.get("run_id")
        noted = run is not None and (yield from self.runs.note(str(run), place.thread))
        parts = packing.parts(checkpoint, new_versions or {})
        head = packing.head(checkpoint, facts)
        expires = yield from self._expires()
        yield from self.lineage(place.thread, namespace).put(id, place.id, head, parts, expires)
        if noted:
            yield from self.runs.confirm(str(run), place.thread)
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
        at = (place.thread, namespace, place.id)
        rev = (yield from steps.rev(lineage.space)) if self._remembers else None
        seen = self._seen.get(at)
        if seen is not None and seen.rev == rev:
            if seen.expires is not None and (yield from self.expired(place.thread, namespace, seen.expires)):
                return None
            return self.tuple(packing, seen.opened, place, namespace)
        rows = yield from (lineage.newest_rows() if place.id is None else lineage.rows(place.id))
        if rows is None:
            return None
        row, additions = rows
        if row.expires is not None and (yield from self.expired(place.thread, namespace, row.expires)):
            return None
        opened = yield from self.settled(lineage, row, additions, partial(self.open, lineage))
        if opened is None:  # removed meanwhile
            return (yield from self.get(packing, place))
        if rev is not None and _small(opened):
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[at] = _Seen(rev, row.expires, opened)
        return self.tuple(packing, opened, place, namespace)

    def expired(self, thread: str, namespace: str, expires: float | None) -> Steps[bool]:
        """Whether the thread of a state that expires then has expired: nothing of it was written lately."""
        if expires is None or not (yield from steps.expired(expires)):
            return False
        for each in dict.fromkeys((namespace, "")):
            newest = yield from self.lineage(thread, each).newest()
            if newest is not None and not (yield from steps.expired(newest.state.expires)):
                return False
        return True

    def settled(
        self, lineage: Lineage, row: Row, additions: Sequence[Row], read: Callable[[Row, Sequence[Row]], Steps[T]]
    ) -> Steps[T | None]:
        """Return what ``read`` finds in a checkpoint's rows; where others thin out the thread meanwhile, in those that
        it has by now, None when it is gone. Raises ``DecodeError`` of what is damaged."""
        known: int | None = None
        for _ in range(_TRIES):
            try:
                return (yield from read(row, additions))
            except DecodeError:
                rev = yield from steps.rev(lineage.space)
                if rev == known:
                    raise
                known = rev
            rows = yield from lineage.rows(str(row.sk))
            if rows is None:
                return None
            row, additions = rows
        return (yield from read(row, additions))

    def open(self, lineage: Lineage, row: Row, additions: Sequence[Row]) -> Steps[Opened]:
        """Read a checkpoint from its row and those of its writes; raises ``DecodeError``."""
        rows = [row.value, *[each.value for each in additions]]
        id = str(row.sk)
        at = (lineage.space, lineage.pk, id)
        held = self._opened.get(at)
        if held is not None and held.rows == rows:
            return held
        state = lineage.parse(row)
        near: dict[str, Row] = {}
        table, head = yield from lineage.head(state, near)
        values: list[tuple[str, Stored]] = []
        for channel in table:
            values.append((channel, Packing.split_value((yield from lineage.part(state, channel, table, near)))))
        contents = yield from lineage.additions(id, additions, state)
        writes = Packing.read_writes(id, contents)
        opened = Opened(rows, id, state.parent, head, values, writes)
        if _small(opened):
            if len(self._opened) >= _KEPT:
                self._opened.clear()
            self._opened[at] = opened
        return opened

    def tuple(self, packing: Packing, opened: Opened, place: Place, namespace: str) -> CheckpointTuple:
        """Deserialize a checkpoint and return it as LangGraph wants it; raises ``DecodeError``."""
        _, id, parent, head, stored, pending = opened
        checkpoint, metadata = packing.read_head(id, head)
        checkpoint["id"] = id
        checkpoint["channel_values"] = {channel: packing.load(id, value) for channel, value in stored}
        writes = [packing.pending(id, write) for write in pending]
        before: Any = None if parent is None else place.config(namespace, parent)
        config: Any = place.config(namespace, id)
        return CheckpointTuple(config, checkpoint, metadata, before, writes)

    def delete(self, thread: str) -> Steps[int]:
        """Remove a thread; returns the number of rows."""
        yield from self.runs.forget(thread)
        return (yield from steps.reclaim(space_of(thread)))

    def clear(self, thread: str, rev: int) -> Steps[None]:
        """Remove what a thread held at a revision, and all traces of one that nobody wrote to since; what others write
        meanwhile stays."""
        for namespace in (yield from self.namespaces(thread)):
            lineage = self.lineage(thread, namespace)
            yield from lineage.drop({split(str(row.sk))[0] for row in (yield from lineage.all()) if row.rev <= rev})
        if (yield from self.namespaces(thread)):
            return
        yield from steps.commit(space_of(thread), [Put(_TRIM, b"", _TRIM)])
        yield from steps.reclaim(space_of(thread), _TRIM)
        runs = yield from self.runs.forget(thread)
        if (yield from self.namespaces(thread)):
            yield from self.runs.restore(thread, runs)

    def copy(self, source: str, target: str) -> Steps[int]:
        """Copy a thread's rows into another thread, which is emptied first; returns how many. Where there is no thread
        to copy, nothing is done."""
        namespaces = yield from self.namespaces(source)
        if source == target or not namespaces:
            return 0
        yield from self.delete(target)
        copied = 0
        for namespace in namespaces:
            copied += yield from self.lineage(source, namespace).copy(space_of(target))
        yield from self.runs.copy(source, target)
        return copied


def _small(opened: Opened) -> bool:
    """Whether a checkpoint is worth its place in memory."""
    return sum(map(len, opened.rows)) + sum(len(data) for _, (_, data) in opened.values) <= _KEPT_BYTES
