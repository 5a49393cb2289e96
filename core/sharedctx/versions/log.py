"""Numbered versions of keys in one space, over any backend: append, roll back, trim.

Values from 4 KiB up are stored as the difference from an earlier version: version n from n-1, every 16th from the one
16 before, every 256th whole. A read follows at most 30 differences, and a trim can always cut at a 256th.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..backends import steps
from ..backends.base import NEXT, Committed, Head, Op, Put, Row
from ..backends.steps import Steps
from ..errors import ConditionFailed, VersionConflict
from . import codec
from .bases import base_for
from .cache import ContentCache, Version
from .codec import RAW
from .draft import DELTA_FROM, Draft
from .reading import Versions, revision_of
from .trimming import first_needed
from .witness import Act, Witness, act_of


class VersionLog(Versions):
    """The versions of one space, for reading and writing. ``witness`` is told of every write, in its commit."""

    def __init__(self, store: str, space: str, cache: ContentCache, witness: Witness | None = None) -> None:
        super().__init__(store, space, cache)
        self._witness = witness
        self._given: dict[str, int] = {}

    def append(
        self,
        pk: str,
        draft: Draft,
        timestamp: float,
        *,
        expect: int | None = None,
        extra: tuple[Op, ...] = (),
        if_rev: int | None = None,
    ) -> Steps[Version]:
        """Write the next version; with ``expect`` only while that is the live version (0: while there is none).

        Tries again when another writer came first and nothing was expected. Raises ``VersionConflict``,
        ``ConditionFailed`` (of ``if_rev`` or of ``extra``, which the commit carries besides), ``ValueTooLarge``,
        ``DiskFull``.
        """
        small = len(draft.content) < DELTA_FROM
        # What was seen, and is not built upon, need not be read again: the commit requires the same.
        seen: int | None = None
        onto: int | None = None
        tail = expect is None
        held = None if expect is None else self._cache.was_live(self.space, pk, expect)
        if small and held is not None:
            seen, onto = expect, held
        while True:
            base = None
            if seen is not None:
                head = seen
            else:
                if tail:
                    row = yield from steps.tail(self.space, pk, self._cache.last(self.space, pk) if small else None)
                else:
                    row = yield from steps.newest(self.space, pk)
                head = 0 if row is None else int(row.sk)
                if expect is not None:
                    yield from self._require(pk, row, expect, held)
                base = None if small else (yield from base_for(self, row, self.given(pk, head) + 1, draft))
                onto = None if base is None else revision_of(row)
            put, number, blob = self._made(pk, draft, timestamp, Head(head, self.given(pk, head), onto), base)
            try:
                rev = yield from self._commit(put, number, blob, extra, draft.agent, if_rev)
            except ConditionFailed as error:
                if error.pk == pk and error.given is not None:  # versions above the newest were dropped
                    continue
                if error.pk != pk and not self._is_witness(error):
                    raise
                again = small and tail and error.pk == pk
                tail, seen, onto = False, error.actual if again else None, None
                continue
            version = Version(pk, number, rev, draft.expires, blob)
            if draft.content and blob.compression is not RAW:
                self._cache.put((self.space, rev, pk), draft.content)
            self._cache.remember((self.space, rev, pk), put.value, version)
            return version

    def append_to(
        self,
        pk: str,
        newest: Row | None,
        draft: Draft,
        timestamp: float,
        *,
        content: bytes | None = None,
        offer: Callable[[bytes], None] | None = None,
    ) -> Steps[tuple[Version, Row]]:
        """Write the version after ``newest``, the newest row as the caller knows it, and return it with its row.

        ``content`` is what ``newest`` holds where the caller knows that too; ``offer`` is told the new row's value
        before it is committed. Raises ``ConditionFailed`` where ``newest`` is not the newest.
        """
        head = 0 if newest is None else int(newest.sk)
        onto = revision_of(newest)
        while True:
            base = None
            given = self.given(pk, head)
            if len(draft.content) >= DELTA_FROM:
                base = yield from base_for(self, newest, given + 1, draft, content)
            put, number, blob = self._made(pk, draft, timestamp, Head(head, given, onto), base)
            if offer is not None:
                offer(put.value)
            try:
                rev = yield from self._commit(put, number, blob, (), draft.agent, None)
            except ConditionFailed as error:
                if error.pk != pk or error.given is None:  # versions above the newest were dropped
                    raise
                continue
            if blob.compression is not RAW:
                self._cache.put((self.space, rev, pk), draft.content)
            return Version(pk, number, rev, draft.expires, blob), Row(pk, number, put.value, rev, draft.expires)

    def _made(
        self, pk: str, draft: Draft, timestamp: float, head: Head, base: tuple[int, bytes] | None
    ) -> tuple[Put, int, codec.Blob]:
        """Return a version as it is to be committed after ``head``, with its number and its header."""
        number = head.next
        blob, header = draft.encode(codec.binding(self._store, self.space, pk, number), timestamp, base)
        return Put(pk, blob, NEXT, draft.expires, head), number, header

    def _commit(
        self, put: Put, number: int, blob: codec.Blob, extra: tuple[Op, ...], agent: str, if_rev: int | None
    ) -> Steps[int]:
        """Commit a version with what goes with it and what the witness writes of it; returns the revision."""
        ops: tuple[Op, ...] = (put, *extra)
        if self._witness is not None and (yield from self._witness.is_on()):
            act = act_of(Version(put.pk, number, 0, put.expires, blob))
            ops += yield from self._witness.ops([act, *self._acts(extra)], agent, blob.timestamp)
        rev, _ = yield from self._send(ops, if_rev)
        return rev

    def _send(self, ops: tuple[Op, ...], if_rev: int | None = None) -> Steps[Committed]:
        try:
            committed: Committed = yield steps.Call("commit", (self.space, ops, if_rev))  # a generator less
        except ConditionFailed as error:
            if error.pk is not None and error.given is not None:
                self._given[error.pk] = error.given
            raise
        return committed

    def given(self, pk: str, head: int) -> int:
        """The last number that was given after the newest version ``head``, as far as a refusal told."""
        return max(head, self._given.get(pk, 0))

    def after(self, version: Version) -> Head:
        """The condition of a version that takes the place of just this one; its ``next`` is the number to bind it to.

        Where higher numbers were given and dropped, the commit is refused with ``ConditionFailed`` that says so, and
        the next condition counts on from there.
        """
        return Head(version.number, self.given(version.pk, version.number), version.rev)

    def append_together(
        self,
        drafts: Sequence[tuple[str, Draft]],
        timestamp: float,
        extra: Callable[[list[int]], Steps[tuple[Op, ...]]],
        after: Mapping[str, int],
    ) -> Steps[list[Version]]:
        """Write the next versions of several keys in one commit, with what ``extra`` returns for their numbers.

        ``after`` says which version of a key is its newest as far as the caller knows (0: none). Tries again, and asks
        again, when another writer came first. Raises ``InvalidValue`` (bounds of a commit), ``ValueTooLarge``,
        ``DiskFull``.
        """
        tried = False
        while True:
            written: list[tuple[Version, bytes]] = []
            puts: list[Put] = []
            for pk, draft in drafts:
                row = None
                head = None if tried or len(draft.content) >= DELTA_FROM else self._newest_known(pk, after)
                if head is None:
                    row = yield from steps.newest(self.space, pk)
                    head = 0 if row is None else int(row.sk)
                number = self.given(pk, head) + 1
                base = yield from base_for(self, row, number, draft)
                blob, header = draft.encode(codec.binding(self._store, self.space, pk, number), timestamp, base)
                onto = None if base is None else revision_of(row)
                puts.append(Put(pk, blob, expires=draft.expires, when=Head(head, number - 1, onto)))
                written.append((Version(pk, number, 0, draft.expires, header), blob))
            more = yield from extra([version.number for version, _ in written])
            if self._witness is not None and (yield from self._witness.is_on()):
                acts = [*(act_of(version) for version, _ in written), *self._acts(more)]
                more += yield from self._witness.ops(acts, drafts[0][1].agent if drafts else "", timestamp)
            try:
                rev, _ = yield from self._send((*puts, *more))
            except ConditionFailed as error:
                self._is_witness(error)
                tried = True
                continue
            found = []
            for (version, blob), (_, draft) in zip(written, drafts, strict=True):
                if draft.content and version.blob.compression is not RAW:
                    self._cache.put((self.space, rev, version.pk), draft.content)
                found.append(version._replace(rev=rev))
                self._cache.remember((self.space, rev, version.pk), blob, found[-1])
            return found

    def _newest_known(self, pk: str, after: Mapping[str, int]) -> int | None:
        """The newest version as far as is known without reading: what is not built upon need not be read, since the
        commit requires the same."""
        met, told = self._cache.last(self.space, pk), after.get(pk)
        return told if met is None else met if told is None else max(met, told)

    def commit(self, ops: tuple[Op, ...], timestamp: float, if_rev: int | None = None) -> Steps[Committed]:
        """Commit versions that the caller made, such as removals, with what the witness writes of them.

        Raises ``ConditionFailed``.
        """
        while True:
            more: tuple[Op, ...] = ()
            if self._witness is not None and (yield from self._witness.is_on()):
                more = yield from self._witness.ops(self._acts(ops), "", timestamp)
            try:
                return (yield from self._send((*ops, *more), if_rev))
            except ConditionFailed as error:
                if not self._is_witness(error):
                    raise

    def note(self, acts: Sequence[Act], agent: str, timestamp: float) -> Steps[None]:
        """Tell the witness what is about to be done, or was refused, outside of any commit of versions."""
        while self._witness is not None and (yield from self._witness.is_on()):
            ops = yield from self._witness.ops(acts, agent, timestamp)
            try:
                yield from steps.commit(self.space, ops)
                return
            except ConditionFailed as error:
                if not self._is_witness(error):
                    raise

    def _is_witness(self, error: ConditionFailed) -> bool:
        return self._witness is not None and self._witness.refused(error)

    def _acts(self, ops: Sequence[Op]) -> list[Act]:
        """What the versions among the operations were made for."""
        found = []
        for op in ops:
            if isinstance(op, Put) and op.sk is NEXT and isinstance(op.when, Head):
                number = op.when.next
                blob = codec.parse(codec.binding(self._store, self.space, op.pk, number), op.value)
                found.append(act_of(Version(op.pk, number, 0, op.expires, blob)))
        return found

    def trim(self, pk: str, keep: int, timestamp: float, agent: str = "") -> Steps[int]:
        """Remove old versions but keep at least the newest ``keep`` and all that these build on; returns how many.

        Damaged ones are kept besides, and do not count.
        """
        cut = yield from first_needed(self, pk, max(keep, 1))
        if cut > 1:
            yield from self.note([Act("trim", pk, cut - 1, detail=f"to {keep}")], agent, timestamp)
        return (yield from steps.reclaim(self.space, pk, cut))

    def expect(self, pk: str, expect: int) -> Steps[None]:
        """Raise ``VersionConflict`` unless ``expect`` is the live version (0: there is none)."""
        yield from self._require(pk, (yield from steps.newest(self.space, pk)), expect)

    def _require(self, pk: str, row: Row | None, expect: int, held: int | None = None) -> Steps[None]:
        """Raise ``VersionConflict`` unless ``expect`` is live, and of revision ``held`` where that was seen here."""
        live = 0
        version = None if row is None else self.read_row(row)
        if version is not None and version.blob.live and not (yield from self.leases.expired(version)):
            live = version.number
        if live != expect:
            who = version.blob.agent if version is not None and live else None
            there = f"version {live}" + (f" by {who!r}" if who else "") if live else "not there"
            raise VersionConflict(
                f"{pk!r} is {there}, and version {expect} was expected: read it again, merge, and write with "
                f"expect={live}",
                expected=expect,
                actual=live,
                agent=who,
            )
        if held is not None and row is not None and row.rev != held:
            raise VersionConflict(
                f"version {expect} of {pk!r} is not the one that was read: the session was made anew, or its server "
                "went back to an older state; read it again, merge, and write again",
                expected=expect,
                actual=expect,
                agent=version.blob.agent if version is not None else None,
            )


__all__ = ["ContentCache", "Draft", "Version", "VersionLog"]
