"""Writing states and additions: what a part builds on, how its difference is made, what a commit requires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ...backends import steps
from ...backends.base import ABSENT, ANY, MAX_VALUE_BYTES, PRESENT, At, Check, Op, Put, When
from ...backends.steps import Steps
from ...errors import ConditionFailed, DecodeError, ValueTooLarge
from ..collection import seal
from ..delta import alike, deflate, repeats
from .pieces import RAW_BELOW, SMALL, against, plain
from .reading import ALSO_BYTES, Reading, known_parts, origin, pack_head
from .rows import (
    BESIDE,
    HEAD,
    RAW,
    WHOLE,
    Addition,
    Piece,
    Ref,
    StateRow,
    Table,
    addition_key,
    check_id,
    pack_addition,
    pack_state,
    split,
    stamp,
)

_NEAR: Final = 16
_FAR: Final = 256
_MOST_BASES: Final = 60
_ATTEMPTS: Final = 8


class Part(NamedTuple):
    """One part of a state. ``mark`` names its content: a part whose mark is the parent's is kept as the parent has it,
    unless it is ``fresh``. ``content`` makes the bytes, only when they are needed; None: there are none."""

    mark: str
    content: Callable[[], bytes] | None
    fresh: bool


_Draft = tuple[StateRow, dict[str, bytes], list[Check]]
"""A state, the contents of its pieces, and what it needs to be there."""
_Made = tuple[Piece, StateRow | None]
"""A piece, and the state that it may build on."""
_Also = tuple[int, bytes, int | None]


def _as_read(rev: int | None) -> When:
    """The condition that a state is the one that was built on; of one whose commit is on its way: that it is there."""
    return PRESENT if rev is None else At(rev)


def _older(one: int | None, other: int | None) -> int | None:
    """The older of two revisions that a state was read at: what was built on that does not stand."""
    return one if other is None else other if one is None else min(one, other)


class Writing:
    """Writes the states of one partition."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._memory = reading.memory
        self._space, self._pk = reading.space, reading.pk

    def put(
        self,
        id: str,
        parent: str | None,
        head: bytes,
        parts: Mapping[str, Part],
        expires: float | None,
        replace: Callable[[str], Steps[int]],
    ) -> Steps[None]:
        """Write a state; ``replace`` frees one of that id from those that build on it, and returns the revision."""
        check_id(id)
        made: dict[str, bytes] = {}
        if_rev: int | None = None
        for attempt in range(_ATTEMPTS):
            state, contents, needs = yield from self._draft(id, parent, head, parts, expires, made, alone=attempt > 2)
            self._memory.keep(self._reading.at(id), state, first=True)  # what is queued behind it can build on it
            for name, content in contents.items():
                self._reading.remember(state, name, content)
            ops: list[Op] = [Put(self._pk, state.sealed, id, expires, ABSENT if if_rev is None else ANY), *needs]
            try:
                state.rev, _ = yield from steps.commit(self._space, ops, if_rev)
                return
            except ConditionFailed:
                self._memory.forget(self._reading.at(id))
                for need in needs:
                    self._memory.forget(self._reading.at(split(str(need.sk))[0]))
                if parent is not None:
                    self._memory.forget(self._reading.at(parent))
                there = yield from steps.scan(self._space, self._pk, id, f"{id}\x00", limit=1)
                if_rev = (yield from replace(id)) if there else None
            except Exception:
                self._memory.forget(self._reading.at(id))
                raise
        raise ConditionFailed(
            f"state {id!r} could not be written: others write to {self._space!r} all the time; repeat it",
            pk=self._pk,
            actual=None,
        )

    def _draft(
        self,
        id: str,
        parent: str | None,
        head: bytes,
        parts: Mapping[str, Part],
        expires: float | None,
        made: dict[str, bytes],
        *,
        alone: bool,
    ) -> Steps[_Draft]:
        before: StateRow | None = None
        held: Table = {}
        try:
            if parent is not None and parent != id and not alone:
                before = self._memory.row(self._reading.at(parent)) or (yield from self._reading.stored(parent))
            if before is not None:
                held, _ = before.opened or (yield from self._reading.head(before))
        except DecodeError:
            before, held = None, {}
        count, also, last = 0, b"", None
        table: Table = {}
        pieces: dict[str, Piece] = {}
        contents: dict[str, bytes] = {}
        bases: dict[str, int | None] = {}
        helped = False
        for name, part in parts.items():
            source = None if before is None or name not in held else origin(before, name, held)
            room = len(bases) < _MOST_BASES
            if source is not None and held[name][0] == part.mark and not part.fresh and (room or part.content is None):
                table[name] = [part.mark, source]
                bases.setdefault(source, None)
                continue
            if part.content is None:
                continue
            if name not in made:
                made[name] = part.content()
            content = contents[name] = made[name]
            if before is not None and not count and not pieces:
                count, also, last = yield from self._also(before)
            table[name] = [part.mark, ""]
            if source is None or not room or len(content) < RAW_BELOW:
                pieces[name] = plain(content)
                continue
            assert before is not None
            piece, holder = yield from self._piece(name, content, before, source, also, count)
            pieces[name] = piece
            if piece.base is not None and holder is not None:
                bases[holder.id] = _older(bases.get(holder.id), holder.rev)
                helped = helped or piece.also > 0
        first = pack_head(table, parent, head)
        packed = plain(first) if before is None else (yield from self._head(first, before))
        if before is not None and (packed.base is not None or helped):
            bases[before.id] = _older(bases.get(before.id), before.rev)
        needs = [Check(self._pk, _as_read(rev), base) for base, rev in sorted(bases.items())]
        if parent is not None and helped:
            needs.append(Check(self._pk, _as_read(last), addition_key(parent, count - 1)))
        payload = pack_state(parent, packed, pieces)
        if len(payload) > MAX_VALUE_BYTES:
            raise ValueTooLarge(f"state {id!r} takes {len(payload)} bytes: {MAX_VALUE_BYTES} are the most")
        sealed = seal(self._space, self._pk, id, payload)
        return StateRow(id, parent, packed, pieces, sealed, expires, None, first, (table, head)), contents, needs

    def _also(self, parent: StateRow) -> Steps[_Also]:
        """Return how many additions to the parent serve as dictionary, what they hold, and the last one's revision."""
        known = self._memory.additions(self._reading.at(parent.id))
        try:
            if known is None:
                rows = yield from self._reading.addition_rows(parent.id)
                contents = yield from self._reading.additions(parent.id, rows, parent)
                known = [(row.value, content, row.rev) for row, content in zip(rows, contents, strict=True)]
                self._memory.keep_additions(self._reading.at(parent.id), known)
        except DecodeError:
            return 0, b"", None
        if not known:
            return 0, b"", None
        also = b"".join([content for _, content, _ in known])
        return (len(known), also, known[-1][2]) if len(also) <= ALSO_BYTES else (0, b"", None)

    def _head(self, content: bytes, before: StateRow) -> Steps[Piece]:
        """Heads build on the parent's, every 16th is whole."""
        if before.head.step + 1 == _NEAR:
            return plain(content)
        try:
            base: bytes = before.first or (yield from self._reading.content(before, HEAD))
        except DecodeError:
            return plain(content)
        payload = deflate(content, base)
        if len(payload) * 3 > len(content) * 2:
            return plain(content)
        ref = Ref(before.id, before.head.stamp)
        return Piece(BESIDE, len(content), stamp(payload, ref), payload, before.head.step + 1, ref)

    def _piece(self, name: str, content: bytes, before: StateRow, source: str, also: bytes, count: int) -> Steps[_Made]:
        """Change n builds on the one before, every 16th on the one 16 before, every 256th on that 256 before."""
        try:
            holder = before if source == before.id else (yield from self._reading.known(source))
            if holder is None or name not in holder.pieces:
                return plain(content), None
            step = holder.pieces[name].step + 1
            if step % _NEAR == 0:
                if len(content) < SMALL:
                    return plain(content), None
                holder = yield from self._back(holder, name, step - (_FAR if step % _FAR == 0 else _NEAR))
                also, count = b"", 0
            if holder is None:
                return plain(content), None
            base: bytes = self._reading.held(holder, name) or (yield from self._reading.content(holder, name))
        except DecodeError:
            return plain(content), None
        if len(content) < SMALL and not alike(content, base) and not (also and repeats(content, also)):
            return plain(content), None  # a third of the time, and nothing would be found
        return against(content, base, Ref(holder.id, holder.pieces[name].stamp), step, also, count), holder

    def _back(self, state: StateRow, name: str, step: int) -> Steps[StateRow | None]:
        """Return the state with the earlier change of that number."""
        at: StateRow | None = state
        while at is not None and (piece := at.pieces.get(name)) is not None and piece.step > step:
            at = None if piece.base is None else (yield from self._reading.known(piece.base.id))
        return at if at is not None and name in at.pieces and at.pieces[name].step == step else None

    def add(self, id: str, content: bytes, expires: float | None) -> Steps[None]:
        """Write an addition to a state, which need not be there yet."""
        check_id(id)
        at = self._reading.at(id)
        state = self._memory.row(at)
        for attempt in range(_ATTEMPTS):
            known = self._memory.additions(at)
            number = len(known) if known is not None else (yield from self._next(id))
            if known is None and number == 0:
                self._memory.keep_additions(at, [])
            alone = attempt > 0 or state is None
            names: list[tuple[str, int]] = [] if alone or state is None else known_parts(state)
            addition = yield from self._addition(id, content, state, names)
            key = addition_key(id, number)
            sealed = seal(self._space, self._pk, key, pack_addition(addition))
            ops: list[Op] = [Put(self._pk, sealed, key, expires, ABSENT)]
            if addition.dictionary and state is not None:
                ops.append(Check(self._pk, _as_read(state.rev), id))
            if known:  # which a deletion by others may have taken, so that its number is none any more
                ops.append(Check(self._pk, _as_read(known[-1][2]), addition_key(id, number - 1)))
            self._memory.add(at, (sealed, content, None), number)
            try:
                rev, _ = yield from steps.commit(self._space, ops)
                self._memory.added(at, number, rev)
                return
            except ConditionFailed:
                self._memory.forget(at)
            except Exception:
                self._memory.forget(at)
                raise
        raise ConditionFailed(
            f"an addition to state {id!r} could not be written: others write to it all the time; repeat it",
            pk=self._pk,
            actual=None,
        )

    def _addition(
        self, id: str, content: bytes, state: StateRow | None, names: list[tuple[str, int]]
    ) -> Steps[Addition]:
        if len(content) < RAW_BELOW:
            return Addition(RAW, len(content), content, [])
        used: list[tuple[str, int]] = []
        known = b""
        for name in names:
            try:
                end = yield from self._reading.dictionary(id, state, [name])
            except DecodeError:
                continue
            if repeats(content, end):
                used.append(name)
                known += end
        return Addition(WHOLE, len(content), deflate(content, known), used)

    def _next(self, id: str) -> Steps[int]:
        """Return the number of the next addition to a state."""
        last: Any = yield from steps.scan(self._space, self._pk, f"{id}\x01", f"{id}\x02", limit=1, newest_first=True)
        return int(str(last[0].sk).rpartition("\x01")[2]) + 1 if last else 0
