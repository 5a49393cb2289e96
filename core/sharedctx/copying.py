"""Copying a store into another one, on whatever backends: every version with its number, time and writer, every record.

Rows go over in the order of their commits, so that the copy looks the same as of any moment; its revisions are numbered
anew. A copy that was interrupted goes on where it was, and one that is repeated brings over what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any, Final, NamedTuple

from .backends import steps
from .backends.base import Backend, Drop, Put, Row, SortKey
from .backends.steps import run
from .errors import Compacted, ConfigError, DecodeError, VersionConflict
from .store import Store
from .versions import codec
from .versions.collection import Collection

SPACE: Final = "copies"
_PAGE: Final = 200
_OPS: Final = 64

Progress = Callable[[int, int], None]
"""Called with how many rows of a space are done, and how many it has."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: ``rows`` are all that were compared at the end, ``written`` those that this run brought over."""

    spaces: int
    rows: int
    written: int


class _Place(NamedTuple):
    rev: int
    pk: str
    sk: SortKey


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
    rows = written = 0
    for space in sorted({*here, *known}):
        one = _Space(source, target, space, known.get(space))
        one.require_own()
        try:
            written += one.bring(progress or (lambda done, of: None))
            rows += one.compare()
        finally:
            one.finish()
    return Copied(len(here), rows, written)


class _Space:
    """One space on its way from one store to another."""

    def __init__(self, source: Store, target: Store, space: str, mark: dict[str, Any] | None) -> None:
        self._addresses = (source.address, target.address)
        self._source, self._target = source.backend, target.backend
        self._space = space
        self._mark = mark
        self._marks = Collection(SPACE, source.backend.id)
        self._last: dict[str, int] = (mark or {}).get("last", {})
        kind, _, name = space.partition(":")
        self._name = f"the {kind} {name!r}" if name else repr(space)

    def require_own(self) -> None:
        """Raise ``ConfigError`` if the target's space is anything but the copy that its mark stands for."""
        _, target = self._addresses
        if self._mark is None:
            if self._target.pks(self._space, limit=1):
                raise ConfigError(f"{target} has {self._name} already: copy into a store without it")
            return
        if "rev" not in self._mark:  # begun, and not finished
            return
        try:
            own = bool(self._target.changes(self._space, self._mark["rev"], 1))
        except Compacted:
            own = True
        if own:
            raise ConfigError(f"{target} was written to in {self._name} since it was copied: copy into another store")

    def _note(self, **more: int) -> None:
        """Mark the target's space as ours, with the highest number that it gave in each partition."""
        put = self._marks.put(self._space, {"last": self._last, **more})
        run(self._target, steps.commit(SPACE, (put,)))

    def finish(self) -> None:
        """Write down how far the copy is, be it whole or not, so that later writes of others are told from ours."""
        self._note(rev=self._target.rev(self._space))

    def bring(self, progress: Progress) -> int:
        """Write what the target lacks and drop what the source has no more; returns the rows written."""
        places = sorted(_places(self._source, self._space), key=lambda place: place.rev)
        there = {(place.pk, place.sk) for place in _places(self._target, self._space)}
        for pk, sk in there:
            if isinstance(sk, int):
                self._last[pk] = max(self._last.get(pk, 0), sk)
        new = [place for place in places if (place.pk, place.sk) not in there and isinstance(place.sk, int)]
        if any(int(place.sk) <= self._last.get(place.pk, 0) for place in new):  # the source was made anew
            self._target.reclaim(self._space)
            there, self._last = set(), {}
        self._note()
        last = self._last
        self._drop(sorted(there - {(place.pk, place.sk) for place in places}, key=repr))
        done = written = 0
        for _, together in groupby(places, key=lambda place: place.rev):
            commit = list(together)
            puts = [found for place in commit if (found := self._put(place, there)) is not None]
            for op, number in puts:
                if number:
                    self._skip(op.pk, last.get(op.pk, 0), number)
                    last[op.pk] = number
            if puts:
                self._target.commit(self._space, [op for op, _ in puts])
            done, written = done + len(commit), written + len(puts)
            progress(done, len(places))
        return written

    def _put(self, place: _Place, there: set[tuple[str, SortKey]]) -> tuple[Put, int] | None:
        """What writes a row to the target, with its number if it is a version; None where it lies there already."""
        row = _row(self._source, self._space, place.pk, place.sk)
        if row is None:
            raise VersionConflict(f"{self._name} was written to while it was copied: copy again")
        if isinstance(place.sk, int):
            if (place.pk, place.sk) in there:
                return None
            return Put(place.pk, self._rebound(row, place.sk), expires=row.expires), place.sk
        if (place.pk, place.sk) in there:
            held = _row(self._target, self._space, place.pk, place.sk)
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
            sides = (_rows(backend, self._space, pk) for backend in (self._source, self._target))
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


def _row(backend: Backend, space: str, pk: str, sk: SortKey) -> Row | None:
    hi: SortKey = f"{sk}\x00" if isinstance(sk, str) else sk + 1
    rows = backend.scan(space, pk, sk, hi, limit=1)
    return rows[0] if rows else None


def _rows(backend: Backend, space: str, pk: str) -> Iterator[Row]:
    """The versions of a partition, then its collection rows."""
    number = 1
    while page := backend.scan(space, pk, number, limit=_PAGE):
        yield from page
        number = int(page[-1].sk) + 1
    text = ""
    while page := backend.scan(space, pk, text, limit=_PAGE):
        yield from page
        text = f"{page[-1].sk}\x00"


def _places(backend: Backend, space: str) -> Iterator[_Place]:
    for pk in run(backend, steps.all_pks(space)):
        for row in _rows(backend, space, pk):
            yield _Place(row.rev, pk, row.sk)
