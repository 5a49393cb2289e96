"""What a group of commits makes of a space, judged at one state of it and then written as a whole or not at all."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ...errors import ConditionFailed
from ...forking import renew_after_fork
from ..base import ABSENT, ANY, MAX_COMMIT_BYTES, NEXT, At, Change, Check, Committed, Drop, Head, Op, Put, SortKey
from .layout import INLINE, Held
from .reading import Ends, Meta, Reading

_AREAS: Final = 512
_ENDS: Final = 4096
ROOM: Final = 97
"""Items of a transaction, which may have 100, besides the space's state, its feed and one more."""

Place = tuple[str, SortKey]


@dataclass
class Area:
    """What this process knows of a space: all of it holds while the space's state is still ``meta``."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    meta: Meta | None = None
    ends: dict[str, Ends] = field(default_factory=dict)
    trimmed: int = 0

    def forget(self) -> None:
        """Know nothing any more: somebody else changed the space."""
        self.meta = None
        self.ends.clear()


class Areas:
    """The spaces that were written to lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._areas: OrderedDict[str, Area] = OrderedDict()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Know nothing: a thread of the parent may hold a lock."""
        self._lock = threading.Lock()
        self._areas.clear()

    def of(self, space: str) -> Area:
        """The area of a space; a commit holds its lock."""
        with self._lock:
            area = self._areas.setdefault(space, Area())
            self._areas.move_to_end(space)
            if len(self._areas) > _AREAS:
                self._areas.popitem(last=False)
            return area


class State:
    """A space as it is, read where it is not known."""

    def __init__(self, reading: Reading, space: str, area: Area) -> None:
        self._reading = reading
        self._space = space
        self._area = area
        self._rows: dict[Place, Held | None] = {}
        if area.meta is None:
            area.meta = reading.meta(space)
        self.meta = area.meta

    def prefetch(self, ops: Sequence[Op]) -> None:
        """Read together what judging these operations will ask for."""
        pks = {op.pk for op in ops if op.sk is NEXT or isinstance(op.sk, int)} - self._area.ends.keys()
        places: set[Place] = {(op.pk, op.sk) for op in ops if op.sk is not NEXT}
        if len(self._area.ends) > _ENDS:
            self._area.ends.clear()
        ends = self._reading.together(lambda pk: self._reading.ends(self._space, pk), wishes := sorted(pks))
        self._area.ends |= dict(zip(wishes, ends, strict=True))
        if places:
            found = self._reading.held(self._space, places)
            self._rows |= {place: found.get(place) for place in places}

    def ends(self, pk: str) -> Ends:
        """Where the partition's versions end."""
        if pk not in self._area.ends:
            self._area.ends[pk] = self._reading.ends(self._space, pk)
        return self._area.ends[pk]

    def held(self, place: Place) -> Held | None:
        """The row, None where there is none."""
        if place not in self._rows:
            self._rows |= {place: None, **self._reading.held(self._space, [place])}
        return self._rows[place]

    def below(self, pk: str, number: int, dropped: set[int]) -> int:
        """The newest version below a number apart from those that are dropped, 0 for none."""
        return next((found for found in self._reading.below(self._space, pk, number) if found not in dropped), 0)


class New(NamedTuple):
    """A row as it is to be written."""

    put: Put
    rev: int


class Draft:
    """The rows that come and go, and what the feed will say of them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.rev = state.meta.rev
        self.rows: dict[Place, New | None] = {}
        self.ends: dict[str, Ends] = {}
        self.changes: list[Change] = []
        self._size = self._count = 0

    def fits(self, ops: Sequence[Op]) -> bool:
        """Whether a further commit goes into the same transaction."""
        size, count = _weight(ops)
        return self._count + count <= ROOM and self._size + size <= MAX_COMMIT_BYTES

    def add(self, space: str, ops: Sequence[Op], if_rev: int | None) -> Committed:
        """Judge a commit after those that were added before it, and add it; raises ``ConditionFailed``."""
        if if_rev is not None and if_rev != self.rev:
            raise ConditionFailed(
                f"space {space!r} changed after revision {if_rev}: read it again", pk=None, actual=self.rev
            )
        for op in ops:
            if not isinstance(op, Drop) and op.when is not ANY:
                self._judge(op)
        before, rev = len(self.changes), self.rev + 1
        for op in ops:
            if isinstance(op, Drop) and self._is_there((op.pk, op.sk)):
                self._drop(op.pk, op.sk)
                self.changes.append(Change(rev, op.pk, op.sk, "drop"))
        sks: list[SortKey] = []
        for op in ops:
            if isinstance(op, Put):
                sks.append(self._put(op, rev))
                self.changes.append(Change(rev, op.pk, sks[-1], "put"))
        if len(self.changes) > before:
            self.rev = rev
        size, count = _weight(ops)
        self._size, self._count = self._size + size, self._count + count
        return self.rev, sks

    def at(self, pk: str) -> Ends:
        """Where the partition's versions end with what was added."""
        return self.ends.get(pk) or self._state.ends(pk)

    def stored(self, place: Place) -> Held | None:
        """The row as it is stored now, None where there is none."""
        pk, sk = place
        if isinstance(sk, int) and sk > self._state.ends(pk).last:
            return None
        return self._state.held(place)

    def outnumbered(self) -> list[tuple[str, int]]:
        """Versions that are gone and kept their number from being given again until others were given now."""
        stored = {pk: self._state.ends(pk) for pk in self.ends}
        return [(pk, end.last) for pk, end in stored.items() if end.head < end.last < self.ends[pk].last]

    def _is_there(self, place: Place) -> bool:
        return self.rows[place] is not None if place in self.rows else self.stored(place) is not None

    def _judge(self, op: Put | Check) -> None:
        if isinstance(op.sk, str):
            row = self.rows[op.pk, op.sk] if (op.pk, op.sk) in self.rows else self.stored((op.pk, op.sk))
            there = row is not None and not (isinstance(op.when, At) and row.rev != op.when.rev)
            if there is (op.when is ABSENT):
                raise ConditionFailed.row(op.pk, op.sk, there=there)
            return
        last, head, rev = self.at(op.pk)
        if head != (op.when.sk if isinstance(op.when, Head) else 0):
            raise ConditionFailed(f"{op.pk!r} is at version {head}: read it again", pk=op.pk, actual=head)
        if isinstance(op.when, Head) and op.when.rev is not None:
            if rev is None:
                row = self.rows[op.pk, head] if (op.pk, head) in self.rows else self.stored((op.pk, head))
                rev = None if row is None else row.rev
            if rev != op.when.rev:
                raise ConditionFailed.another(op.pk, head)
        if isinstance(op.when, Head) and op.when.given not in (None, last):
            raise ConditionFailed.outnumbered(op.pk, head, last)

    def _put(self, put: Put, rev: int) -> SortKey:
        if isinstance(put.sk, str):
            self.rows[put.pk, put.sk] = New(put, rev)
            return put.sk
        asked = put.when.number if isinstance(put.when, Head) else None
        number = asked or self.at(put.pk).last + 1
        self.rows[put.pk, number] = New(put, rev)
        self.ends[put.pk] = Ends(number, number, rev)
        return number

    def _drop(self, pk: str, sk: SortKey) -> None:
        self.rows[pk, sk] = None
        if isinstance(sk, int) and sk == (ends := self.at(pk)).head:
            self.ends[pk] = Ends(ends.last, self._below(pk, sk))

    def _below(self, pk: str, number: int) -> int:
        mine = {sk: new for (of, sk), new in self.rows.items() if of == pk and isinstance(sk, int) and sk < number}
        if added := [sk for sk, new in mine.items() if new is not None]:
            return max(added)  # numbers given here are above all that are stored
        return self._state.below(pk, number, mine.keys() - set(added))


def _weight(ops: Sequence[Op]) -> tuple[int, int]:
    """The bytes that operations bring into a transaction, and the items at most."""
    puts = [len(op.value) for op in ops if isinstance(op, Put)]
    size = sum(each for each in puts if each <= INLINE)
    return size, len(ops) - sum(isinstance(op, Check) for op in ops) + sum(each > INLINE for each in puts)
