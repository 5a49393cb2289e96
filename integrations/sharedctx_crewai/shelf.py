"""The records of one session, as steps: written together with what the index is told of them, read by id."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import count
from typing import TYPE_CHECKING, Any

from sharedctx import SharedContext
from sharedctx.backends import base, steps
from sharedctx.backends.base import NEXT, Check, Head, Op, Put
from sharedctx.backends.capabilities import Counting
from sharedctx.backends.steps import Steps
from sharedctx.entries.together import MOST, Change
from sharedctx.errors import DecodeError, InvalidValue
from sharedctx.search import Entry, Item, Nearest, Vectors
from sharedctx.search.packs import floats
from sharedctx.versions.collection import Collection

from . import records
from .address import key as key_of
from .filters import Wanted, labels
from .former import Former
from .recall import Recall
from .states import State, removals

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord

INDEX = "crewai"
_TOUCHED = "\x01crewai/touched"
_BYTES = 2 * 2**20
_log = logging.getLogger("sharedctx.crewai")


class _Meanwhile(Exception):
    """Others changed what was to be written."""


def _places(items: Iterable[Item]) -> list[tuple[str, int]]:
    return sorted((item.key, item.version) for item in items)


class Shelf:
    """Puts records under ``memory/`` and finds them again; ``ttl`` are seconds to live by scope."""

    def __init__(self, ctx: SharedContext, ttl: Mapping[str, float]) -> None:
        self.context = ctx
        self._verbs = ctx.verbs
        self._ttl = ttl
        self.index: Vectors = ctx.verbs.session.vectors(INDEX, labels)
        self.former = Former(ctx, self.index)
        self._recall = Recall(ctx, self.index)
        self._touches = Collection(self.index.space, _TOUCHED)
        self._touched = self.index.beside(_TOUCHED)
        backend = ctx.store.backend
        self._counting = isinstance(backend, Counting) and backend.counts_puts

    def save(self, found: Iterable[MemoryRecord]) -> Steps[None]:
        """Write records, one for each id: the last; an id that is there already is replaced."""
        yield from self.index.sync()
        chosen = {record.id: record for record in records.checked(found)}.values()
        self._check(record.embedding for record in chosen)
        states = []
        for record in chosen:
            old = self.index.find(record.id)
            data = records.stored(record)
            states.append(self._state(data, [record.embedding] if record.embedding else [], old))
        yield from self._write(states)

    def update(self, record: MemoryRecord) -> Steps[None]:
        """Write a record's next state; what it was made without it keeps, and its vector while its text stays."""
        records.checked([record])
        yield from self.index.sync()
        self._check([record.embedding])
        held = self.index.find(record.id)
        old = held[-1] if held else None
        before = None if old is None else (yield from self._verbs.value(self.context.participant, old.key, None))
        before = before if records.is_stored(before) else None
        data = records.stored(record) if before is None else records.completed(record, before)
        vectors = [record.embedding] if record.embedding else []
        if not vectors and before is not None and before["content"] == data["content"] and old is not None:
            vectors = self.index.vectors(old.key)
        yield from self._write([self._state(data, vectors, self.index.find(record.id))])

    def restore(self, data: dict[str, Any], vectors: Sequence[Sequence[float]]) -> Steps[None]:
        """Write a former state as the record's next one."""
        yield from self.index.sync()
        yield from self._write([self._state(data, vectors, self.index.find(data["id"]))])

    def _check(self, vectors: Iterable[Sequence[float] | None]) -> None:
        """Raise crewai's error for vectors of other dimensions than those that the index has."""
        dimensions = self.index.dimensions
        for vector in vectors:
            if vector is None or (len(vector) == 0 and dimensions is None):
                continue
            dimensions = dimensions or len(vector)
            if len(vector) != dimensions:
                from crewai.memory.storage.backend import EmbeddingDimensionMismatchError

                raise EmbeddingDimensionMismatchError(dimensions, len(vector))

    def _state(self, data: dict[str, Any], vectors: Sequence[Sequence[float]], old: Sequence[Item]) -> State:
        ttl = records.seconds_to_live(data, self._ttl)
        return State(key_of(data["scope"], data["id"]), data, vectors, ttl, old)

    def _write(self, states: Sequence[State]) -> Steps[None]:
        limited = self.context.settings.limited
        batches: list[list[State]] = []
        ops = size = 0
        for state in states:
            cost = 1 + 2 * len(state.old)
            if not batches or limited or ops + cost > MOST or size + state.weight > _BYTES:
                batches.append([])
                ops = size = 0
            batches[-1].append(state)
            ops += cost
            size += state.weight
        if len(batches) > 1:  # what is wrong with any vector is told before the first is written
            for state in states:
                for vector in state.vectors:
                    floats(state.key, vector)
        for batch in batches:
            try:
                yield from self._commit(batch, limited)
            except InvalidValue:  # another process may have saved the first vectors meanwhile
                self._check(vector for state in batch for vector in state.vectors)
                raise

    def _commit(self, batch: Sequence[State], limited: bool) -> Steps[None]:
        if limited:  # such a session takes one change at a time: what lay elsewhere goes after it
            (state,) = batch
            batch = [state._replace(old=[old for old in state.old if old.key == state.key])]
        changes = [change for state in batch for change in state.changes]
        now = (yield from steps.now()) if any(state.ttl is not None for state in batch) else 0.0
        asked = count()
        told: list[Op] = []

        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            version = {change.key: number for change, number in zip(changes, numbers, strict=True)}
            entries = [
                Entry(
                    state.key,
                    version[state.key],
                    state.vectors,
                    records.facts(state.data),
                    None if state.ttl is None else now + state.ttl,
                    state.data["id"],
                )
                for state in batch
            ]
            gone = [(change.key, version[change.key]) for change in changes if change.gone]
            kept = [op for state in batch for old in state.old for op in self.former.keep(old)]
            told[:] = (*(yield from self.index.write(entries, gone, again=next(asked) > 0)), *kept)
            return tuple(told)

        written = yield from self._verbs.write_together(
            self.context.participant, changes, self.context.agent(None), tell
        )
        ours: list[base.Change] = []
        rev = written[-1].rev
        if self._counting:
            ours += [base.Change(rev, version.pk, version.number, "put") for version in written]
            ours += [base.Change(rev, op.pk, op.sk, "put") for op in told if isinstance(op, Put) and op.sk is not NEXT]
        yield from self.index.sync(written=rev, ours=ours)
        news = {state.key: state.data for state in batch}
        for version in written:
            self._recall.keep(version, news.get(version.pk), version.rev)
        for state in batch:
            while len(found := self.index.find(state.data["id"])) > 1:  # it lay elsewhere, or was saved there meanwhile
                try:
                    yield from self._leave_one(state.key, found)
                except _Meanwhile:
                    continue
                yield from self.index.sync()
        yield from self.index.merge()

    def _leave_one(self, key: str, found: Sequence[Item]) -> Steps[None]:
        """Remove all records of an id but the one of this key, or the last, while that still stands; raises
        ``_Meanwhile`` where others changed any of them."""
        kept = next((item for item in found if item.key == key), found[-1])
        others = [item for item in found if item is not kept]

        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            yield from self.index.sync()
            if _places(self.index.find(str(kept.name))) != _places(found):
                raise _Meanwhile
            gone = [(item.key, number) for item, number in zip(others, numbers, strict=True)]
            former = [op for item in others for op in self.former.keep(item)]
            return (*(yield from self.index.write(gone=gone)), *former, Check(kept.key, Head(kept.version)))

        changes = removals(others)
        yield from self._verbs.write_together(self.context.participant, changes, self.context.agent(None), tell)

    def remove(self, items: Sequence[Item]) -> Steps[int]:
        """Remove records; their history stays. Returns how many were there."""
        removed = 0
        for start in range(0, len(items), MOST // 2):
            batch = items[start : start + MOST // 2]
            changes = removals(batch)

            def tell(
                numbers: Sequence[int], changes: Sequence[Change] = changes, batch: Sequence[Item] = batch
            ) -> Steps[tuple[Op, ...]]:
                gone = [(change.key, number) for change, number in zip(changes, numbers, strict=True)]
                kept = [op for item in batch for op in self.former.keep(item)]
                return (*(yield from self.index.write(gone=gone)), *kept)

            yield from self._verbs.write_together(self.context.participant, changes, self.context.agent(None), tell)
            removed += len(batch)
        yield from self.index.merge()
        return removed

    def erase(self, items: Sequence[Item]) -> Steps[None]:
        """Remove records with all their history; where none are left, the next may have other dimensions."""
        yield from self.remove(items)
        for item in items:
            yield from steps.reclaim(self.index.space, item.key, None)
            yield from self.former.forget(item)
        for start in range(0, len(items), MOST):
            names = {str(item.name) for item in items[start : start + MOST]}
            yield from steps.commit(self.index.space, [self._touches.drop(name) for name in names])
        yield from self.index.forget()

    def get(self, own: str) -> Steps[MemoryRecord | None]:
        """Return the record of this id."""
        found = yield from self._recall.first(own)
        return None if found is None else (yield from self._record(*found))

    def load(self, item: Item) -> Steps[MemoryRecord | None]:
        """Return the record that the index knows; None when it is gone, not to be read, no record or damaged."""
        try:
            data = yield from self._recall.data(item)
        except DecodeError as error:
            _log.warning("a memory is left out: %s", error)
            return None
        return (yield from self._record(item, data))

    def _record(self, item: Item, data: Any) -> Steps[MemoryRecord | None]:
        if data is None:
            return None
        try:
            touched = yield from self._touched.get(str(item.name))
        except DecodeError:  # of which nothing but a moment is lost
            touched = None
        return records.loaded(data, self.index.vectors(item.key), touched)

    def search(
        self, vector: Sequence[float], wanted: Wanted, limit: int, least: float
    ) -> Steps[list[tuple[MemoryRecord, float]]]:
        """Return the nearest records with their scores from 0 to 1, best first."""
        found: dict[str, tuple[MemoryRecord, float]] = {}
        offset = 0
        where = None if wanted.everything else wanted
        while len(found) < limit:
            try:
                page: list[Nearest] = yield from self.index.search(vector, limit, offset, where)
            except InvalidValue:
                if isinstance(vector, Sized):
                    self._check([vector])
                raise
            for near in page:
                score = max(near.score, 0.0)
                if score < least:
                    return list(found.values())
                record = yield from self.load(near.item)
                if record is not None:  # which the next page may hold again, of what was saved meanwhile
                    found.setdefault(record.id, (record, score))
            if len(page) < limit:
                break
            offset += limit
        best = list(found.values())
        if offset:
            best.sort(key=lambda each: each[1], reverse=True)
        return best[:limit]

    def matching(self, wanted: Wanted) -> Steps[list[Item]]:
        """Return what the index knows of the records that are wanted."""
        return (yield from self.index.items(None if wanted.everything else wanted))

    def touch(self, ids: Sequence[str], moment: str) -> Steps[None]:
        """Write down when records were last accessed."""
        for start in range(0, len(ids), MOST):
            puts = [self._touches.put(own, moment) for own in dict.fromkeys(ids[start : start + MOST])]
            yield from steps.commit(self.index.space, puts)
