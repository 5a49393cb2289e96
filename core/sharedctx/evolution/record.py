"""Record: one evolution in its own space, as steps. Each section is a partition, and its versions are its history.

The few fields that say how the evolution stands (``STATE``) lie together in one partition, whose versions tell whether
the evolution exists: none, or a removal as the newest, means that it does not. Every write names the state's version
in its condition, so that nothing is written to an evolution that is being deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..backends import steps
from ..backends.base import ABSENT, ANY, NEXT, Check, Head, Op, Put
from ..backends.steps import Steps
from ..entries import values
from ..errors import VersionConflict
from ..versions import codec
from ..versions.codec import Kind
from ..versions.collection import Collection
from ..versions.log import ContentCache, Draft, Version, VersionLog
from .context import SECTIONS, EvolutionContext, empty

STATE_PK = "state"
_IMPORT_PK = "\x01import"
_IMPORT = "import"
_TOGETHER = 2 * 2**20

Change = Callable[[dict[str, Any], str], Mapping[str, Any]]
"""From the values read and the time to the values of the partitions that are to change."""


def iso(timestamp: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat()


class Snapshot(NamedTuple):
    """An evolution at one revision: the newest version of each partition that has one, and when it was updated."""

    rev: int
    versions: dict[str, Version]
    updated_at: float

    @property
    def size(self) -> int:
        """Bytes of the newest versions before compression."""
        return sum(version.blob.size for version in self.versions.values())


class Moment(NamedTuple):
    """What was written together: the time, and for each partition its value and writer."""

    timestamp: float
    values: dict[str, tuple[Any, str]]


class Record:
    """One evolution, in ``space``; ``agent`` is who its writes are by."""

    def __init__(
        self, store: str, cache: ContentCache, evolution_id: str, *, space: str, agent: str = "", compress: bool = True
    ) -> None:
        self.id = evolution_id
        self._store = store
        self._agent = agent
        self._compress = compress
        self.log = VersionLog(store, space, cache)
        self._imports = Collection(self.space, _IMPORT_PK)

    @property
    def space(self) -> str:
        """The evolution's space."""
        return self.log.space

    def snapshot(self, rev: int | None = None, pks: Iterable[str] = SECTIONS) -> Steps[Snapshot | None]:
        """Return the evolution as of revision ``rev`` (None: now), whole even while others write; None without one."""
        imported = yield from self._imported()
        if imported is None:
            return None
        at = (yield from steps.rev(self.space)) if rev is None else rev
        versions: dict[str, Version] = {}
        for pk in (STATE_PK, *pks):
            version = yield from self.log.newest(pk)
            if version is not None and version.rev > at:
                version = yield from self.log.as_of(pk, at)
            if version is not None and version.blob.live:
                versions[pk] = version
            elif pk == STATE_PK:
                return None
        updated = max(version.blob.timestamp for version in versions.values())
        return Snapshot(at, versions, max(updated, imported))

    def _imported(self) -> Steps[float | None]:
        """Return when the evolution was imported (0: it was not), or None while it is being imported."""
        mark = yield from self._imports.get(_IMPORT)
        if mark is None:
            return 0.0
        return float(mark["at"]) if mark["done"] else None

    def value(self, version: Version) -> Steps[Any]:
        """Return the value of a version."""
        data = yield from self.log.content(version)
        return values.decode(version.blob.kind, data)

    def context(self, snapshot: Snapshot) -> Steps[EvolutionContext]:
        """Return the whole context of a snapshot."""
        found: dict[str, Any] = {"evolution_id": self.id}
        for pk, version in snapshot.versions.items():
            value = yield from self.value(version)
            found |= value if pk == STATE_PK else {pk: value}
        return EvolutionContext(**found)

    def create(self, state: Mapping[str, Any]) -> Steps[None]:
        """Write the first state; raises ``VersionConflict`` when there was one."""
        yield from self._commit({STATE_PK: state}, {}, (yield from steps.now()))

    def edit(self, pks: Iterable[str], change: Change) -> Steps[bool]:
        """Change partitions by what they hold, again when somebody came between; False without an evolution."""
        read = tuple(pks)
        while True:
            snapshot = yield from self.snapshot(pks=read)
            if snapshot is None:
                return False
            held: dict[str, Any] = {pk: empty(pk) for pk in read}
            for pk, version in snapshot.versions.items():
                held[pk] = yield from self.value(version)
            now = yield from steps.now()
            try:
                changed = change(held, iso(now))
                if changed:
                    yield from self._commit(changed, snapshot.versions, now)
                return True
            except VersionConflict:
                continue

    def _commit(self, changed: Mapping[str, Any], versions: Mapping[str, Version], now: float) -> Steps[None]:
        """Write new versions of partitions together, on top of those that were read.

        The largest goes through the log, which stores it as a difference; values of more than 2 MiB together are
        written one after the other.
        """
        drafts = {pk: self._draft(pk, value, self._agent) for pk, value in changed.items()}
        heads = {pk: self._head(pk, versions.get(pk)) for pk in (*drafts, STATE_PK)}
        guard = () if STATE_PK in drafts else (Check(STATE_PK, heads[STATE_PK]._replace(given=None), NEXT),)
        yield from self._write(drafts, heads, now, guard)

    def _head(self, pk: str, version: Version | None) -> Head:
        return self.log.after(version) if version is not None else Head(0, self.log.given(pk, 0))

    def _write(
        self, drafts: Mapping[str, Draft], heads: Mapping[str, Head], now: float, guard: tuple[Op, ...]
    ) -> Steps[None]:
        order = sorted(drafts, key=lambda pk: len(drafts[pk].content))
        apart = sum(len(draft.content) for draft in drafts.values()) > _TOGETHER
        for pk in order[:-1] if apart else ():
            yield from self.log.append(pk, drafts[pk], now, expect=heads[pk].sk, extra=guard)
        last = order[-1]
        beside = () if apart else tuple(self._put(pk, heads[pk], drafts[pk], now) for pk in order[:-1])
        yield from self.log.append(last, drafts[last], now, expect=heads[last].sk, extra=(*beside, *guard))

    def _draft(self, pk: str, value: Any, agent: str) -> Draft:
        kind, data, digest = values.encode(pk, value)
        return Draft(kind, data, agent, sha256=digest, compress=self._compress)

    def _put(self, pk: str, head: Head, draft: Draft, now: float) -> Put:
        blob = codec.seal(
            codec.binding(self._store, self.space, pk, head.next),
            draft.kind,
            draft.content,
            timestamp=now,
            agent=draft.agent,
            sha256=draft.sha256,
            compress=draft.compress,
        )
        return Put(pk, blob, when=head)

    def history(self, pk: str, first: int = 1, last: int | None = None) -> Steps[list[Version]]:
        """Return the versions of a partition that are values, oldest first; raises ``DecodeError``."""
        found: list[Version] = []
        after, end = first, None if last is None else last + 1
        while (end is None or after < end) and (rows := (yield from steps.scan(self.space, pk, after, end))):
            found += [version for version in map(self.log.read_row, rows) if version.blob.live]
            after = int(rows[-1].sk) + 1
        return found

    def restore(self, moments: Iterable[Moment]) -> Steps[None]:
        """Write a whole history into a space that has none; a reader sees all of it or nothing.

        Raises ``VersionConflict`` when there is something.
        """
        written = [
            (moment.timestamp, {pk: self._draft(pk, value, agent) for pk, (value, agent) in moment.values.items()})
            for moment in moments
        ]
        yield from self._mark_import(False, Check(STATE_PK, Head(0), NEXT))
        heads = {pk: Head(0, 0) for pk in (STATE_PK, *SECTIONS)}
        try:
            for timestamp, drafts in written:
                yield from self._write(drafts, heads, timestamp, ())
                for pk in drafts:
                    heads[pk] = Head(heads[pk].next, heads[pk].next)
            yield from self._mark_import(True)
        except Exception:
            yield from steps.reclaim(self.space)
            raise

    def _mark_import(self, done: bool, *conditions: Op) -> Steps[None]:
        mark = {"at": (yield from steps.now()), "done": done}
        put = self._imports.put(_IMPORT, mark, when=ANY if done else ABSENT)
        yield from steps.commit(self.space, (put, *conditions))

    def remove(self, state: Version | None) -> Steps[None]:
        """Remove the evolution with its history; raises ``VersionConflict`` unless ``state`` is its newest state."""
        if state is not None:
            now = yield from steps.now()
            yield from self.log.append(STATE_PK, Draft(Kind.GONE, b"", self._agent), now, expect=state.number)
        yield from steps.reclaim(self.space)
