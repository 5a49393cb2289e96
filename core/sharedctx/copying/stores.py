"""Copying a store into another one, on whatever backends: every version with its number, time and writer, every record.

Rows go over in the order of their commits, so that the copy looks the same as of any moment; its revisions are numbered
anew. A copy that was interrupted goes on where it was, and one that is repeated brings over what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any, Final, cast

from ..backends import steps
from ..backends.base import Change, Drop, Put, Row, SortKey
from ..backends.steps import run
from ..errors import Compacted, ConfigError, DecodeError, VersionConflict
from ..store import Store
from ..versions import codec
from ..versions.collection import Collection
from .rows import Place, after, all_rows, chunks, places_of, row_at

SPACE: Final = "copies"
_OPS: Final = 64

Progress = Callable[[int, int], None]
"""Called with how many rows of a space are done, and how many it has."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: ``rows`` are all that were compared at the end, ``written`` those that this run brought over."""

    spaces: int
    rows: int
    written: int


def copy(source: Store, target: Store, progress: Progress | None = None) -> Copied:
    """Bring everything of ``source`` into ``target`` and compare them row by row.

    Raises ``ConfigError`` when the target holds something else under one of the source's names, or was written to since
    it became a copy; ``VersionConflict`` when the source was written to meanwhile (copy again); ``DecodeError`` for a
    version of the source that is damaged.
    """
    if source.backend.id == target.backend.id:
        raise ConfigError(f"{source.address} and {target.address} are one store: name two")
    here = [space for space in run(source.backend, steps.all_spaces()) if space != SPACE]
    known = run(target.backend, Collection(SPACE, source.backend.id).all())
    lasts = run(target.backend, Collection(SPACE, f"{source.backend.id} last").all())
    rows = written = 0
    for space in sorted({*here, *known}):
        one = _Space(source, target, space, known.get(space), lasts.get(space, {}))
        one.require_own()
        try:
            written += one.bring(progress or (lambda done, of: None))
            rows += one.compare()
        finally:
            one.finish()
    return Copied(len(here), rows, written)


class _Space:
    """One space on its way from one store to another."""

    def __init__(
        self, source: Store, target: Store, space: str, mark: dict[str, Any] | None, last: dict[str, int]
    ) -> None:
        self._addresses = (source.address, target.address)
        self._source, self._target = source.backend, target.backend
        self._space = space
        self._mark = mark
        self._marks = Collection(SPACE, source.backend.id)
        self._lasts = Collection(SPACE, f"{source.backend.id} last")
        self._last = last
        kind, _, name = space.partition(":")
        self._name = f"the {kind} {name!r}" if name else repr(space)

    def require_own(self) -> None:
        """Raise ``ConfigError`` if the target's space is anything but the copy that its mark stands for."""
        _, target = self._addresses
        if self._mark is None:
            if self._target.pks(self._space, limit=1):
                raise ConfigError(f"{target} has {self._name} already: copy into a store without it")
            return
        if self._mark.get("anew"):  # interrupted while all was removed
            return
        since, pending = self._mark["rev"], self._mark.get("pending", ())
        foreign = False
        try:
            while not foreign and (page := self._target.changes(self._space, since)):
                since = page[-1].rev
                foreign = any(not _is_of(change, pending) for change in page)
        except Compacted:
            foreign = True
        if foreign:
            raise ConfigError(f"{target} was written to in {self._name} since it was copied: copy into another store")

    def _note(self, **more: Any) -> None:
        """Mark the target's space as ours up to now.

        Raises ``ConfigError`` if others wrote to it since the mark before.
        """
        rev = self._target.rev(self._space)
        self.require_own()
        self._mark = {"rev": rev, **more}
        run(self._target, steps.commit(SPACE, (self._marks.put(self._space, self._mark),)))

    def _note_last(self) -> None:
        """The same, with the highest number that the target gave in each partition."""
        run(self._target, steps.commit(SPACE, (self._lasts.put(self._space, self._last),)))
        self._note()

    def finish(self) -> None:
        """Write down how far the copy is, be it whole or not, so that later writes of others are told from ours."""
        self._note_last()

    def bring(self, progress: Progress) -> int:
        """Write what the target lacks and drop what the source has no more; returns the rows written."""
        places = sorted(places_of(self._source, self._space), key=lambda place: place.rev)
        there = {(place.pk, place.sk) for place in places_of(self._target, self._space)}
        for pk, sk in there:
            if isinstance(sk, int):
                self._last[pk] = max(self._last.get(pk, 0), sk)
        new = [place for place in places if (place.pk, place.sk) not in there and isinstance(place.sk, int)]
        if any(int(place.sk) <= self._last.get(place.pk, 0) for place in new):  # the source was made anew
            self._note(anew=True)
            self._target.reclaim(self._space)
            there, self._last = set(), {}
        self._note_last()
        gone = sorted(there - {(place.pk, place.sk) for place in places}, key=repr)
        if gone:
            self._note(pending=[(pk, sk, sk) for pk, sk in gone])
            self._drop(gone)
        done = written = 0
        for chunk in chunks(places, _OPS):
            rows = self._read([place for place in chunk if isinstance(place.sk, str) or place[1:3] not in there])
            written += self._write(chunk, rows, there, lambda more, done=done: progress(done + more, len(places)))  # type: ignore[misc]
            done += len(chunk)
        return written

    def _read(self, places: Sequence[Place]) -> dict[tuple[str, SortKey], Row]:
        """The source's rows at these places, those that lie side by side in one question."""
        found: dict[tuple[str, SortKey], Row] = {}
        ordered = enumerate(sorted(places, key=lambda place: place.at))
        for _, beside in groupby(ordered, key=lambda each: (each[1].pk, type(each[1].sk), each[1].at - each[0])):
            side = [place for _, place in beside]
            pk, first, last = side[0].pk, side[0].sk, side[-1].sk
            rows = self._source.scan(self._space, pk, first, after(last), limit=len(side))
            found |= {(pk, row.sk): row for row in rows}
        return found

    def _write(
        self,
        chunk: Sequence[Place],
        rows: dict[tuple[str, SortKey], Row],
        there: set[tuple[str, SortKey]],
        progress: Callable[[int], None],
    ) -> int:
        """Write what the target lacks of some commits, in order; returns the rows written."""
        commits = [
            (len(commit), [found for place in commit if (found := self._put(place, rows, there)) is not None])
            for commit in (list(together) for _, together in groupby(chunk, key=lambda place: place.rev))
        ]
        # Told before it is done: whoever goes on after a kill tells it from what others wrote since.
        pending: list[tuple[str, SortKey, SortKey]] = []
        for op, number in (each for _, puts in commits for each in puts):
            lo: SortKey = self._last.get(op.pk, 0) + 1 if number else str(op.sk)
            pending.append((op.pk, lo, number or lo))
        if pending:
            self._note(pending=pending)
        done = written = 0
        for size, puts in commits:
            for op, number in puts:
                if number:
                    self._skip(op.pk, self._last.get(op.pk, 0), number)
                    self._last[op.pk] = number
            if puts:
                self._target.commit(self._space, [op for op, _ in puts])
            done, written = done + size, written + len(puts)
            progress(done)
        return written

    def _put(
        self, place: Place, rows: dict[tuple[str, SortKey], Row], there: set[tuple[str, SortKey]]
    ) -> tuple[Put, int] | None:
        """What writes a row to the target, with its number if it is a version; None where it lies there already."""
        if isinstance(place.sk, int) and (place.pk, place.sk) in there:
            return None
        row = rows.get((place.pk, place.sk))
        if row is None:
            raise VersionConflict(f"{self._name} was written to while it was copied: copy again")
        if isinstance(place.sk, int):
            return Put(place.pk, self._rebound(row, place.sk), expires=row.expires), place.sk
        if (place.pk, place.sk) in there:
            held = row_at(self._target, self._space, place.pk, place.sk)
            if held is not None and held.value == row.value and held.expires == row.expires:
                return None
        return Put(place.pk, bytes(row.value), place.sk, row.expires), 0

    def _rebound(self, row: Row, number: int) -> bytes:
        old, new = (codec.binding(each.id, self._space, row.pk, number) for each in (self._source, self._target))
        try:
            return codec.rebind(old, new, row.value)
        except DecodeError as error:
            raise DecodeError(f"{self._name}, {row.pk!r} version {number}: {error}; erase it first") from error

    def _skip(self, pk: str, last: int, number: int) -> None:
        """Use up the numbers of versions that the source has no more."""
        for first in range(last + 1, number, _OPS):
            gaps = range(first, min(first + _OPS, number))
            for result in self._target.commit_many([(self._space, (Put(pk, b""),), None) for _ in gaps]):
                if isinstance(result, Exception):
                    raise result
            self._drop([(pk, gap) for gap in gaps])

    def _drop(self, rows: Sequence[tuple[str, SortKey]]) -> None:
        for at in range(0, len(rows), _OPS):
            self._target.commit(self._space, [Drop(pk, sk) for pk, sk in rows[at : at + _OPS]])

    def compare(self) -> int:
        """Compare all rows and return how many there are; raises ``VersionConflict`` where one differs."""
        count = 0
        names = [run(backend, steps.all_pks(self._space)) for backend in (self._source, self._target)]
        if names[0] != names[1]:
            raise self._differs(min(set(names[0]) ^ set(names[1])))
        for pk in names[0]:
            sides = (all_rows(backend, self._space, pk) for backend in (self._source, self._target))
            for ours, theirs in zip_longest(*sides):
                if ours is None or theirs is None:
                    raise self._differs(pk)
                value = ours.value if isinstance(ours.sk, str) else self._rebound(ours, ours.sk)
                if (ours.sk, value, ours.expires) != (theirs.sk, theirs.value, theirs.expires):
                    raise self._differs(pk)
                count += 1
        return count

    def _differs(self, pk: str) -> VersionConflict:
        return VersionConflict(
            f"{self._name} differs at {pk!r} from what was copied: {self._addresses[0]} was written to meanwhile; copy "
            "again"
        )


def _is_of(change: Change, pending: Sequence[tuple[str, Any, Any]]) -> bool:
    """Whether a change is one of those that were told before they were done."""
    pk, sk = change.pk, cast("Any", change.sk)
    return any(pk == of and type(lo) is type(sk) and lo <= sk <= hi for of, lo, hi in pending)
