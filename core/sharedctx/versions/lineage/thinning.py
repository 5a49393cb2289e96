"""Taking states out of a lineage: those that build on them are stored anew first, so that a crash loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...backends import steps
from ...backends.base import MAX_COMMIT_BYTES, MAX_OPS, PRESENT, Drop, Op, Put, Row
from ...backends.steps import Steps
from ...errors import ConditionFailed, DecodeError
from ..collection import seal
from .pieces import against, plain
from .reading import Reading, origin
from .rows import HEAD, Piece, Ref, StateRow, pack_addition, pack_state, parse_addition, split

_ATTEMPTS: Final = 10
_PAGE: Final = 500


class Loss(NamedTuple):
    """What was, or would be, removed."""

    states: int
    additions: int
    bytes: int


class Thinning:
    """Removes states of one partition."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._space, self._pk = reading.space, reading.pk

    def rows(self) -> Steps[list[Row]]:
        """Return every row of the partition, in order."""
        found: list[Row] = []
        lo = ""
        while page := (yield from steps.scan(self._space, self._pk, lo, None, limit=_PAGE)):
            found += page
            lo = f"{page[-1].sk}\x00"
        return found

    def ids(self) -> Steps[list[str]]:
        """Return the ids of all states, in order."""
        rows = yield from self.rows()
        return [str(row.sk) for row in rows if split(str(row.sk))[1] is None]

    def weigh(self, ids: set[str]) -> Steps[Loss]:
        """Return what removing these states takes away."""
        return _loss([row for row in (yield from self.rows()) if split(str(row.sk))[0] in ids])

    def drop(self, ids: set[str]) -> Steps[Loss]:
        """Remove these states and their additions."""
        lost = Loss(0, 0, 0)
        for _ in range(_ATTEMPTS):
            rev = yield from self.free(ids, additions=False)
            doomed = [row for row in (yield from self.rows()) if split(str(row.sk))[0] in ids]
            try:
                while doomed:
                    some, doomed = doomed[:MAX_OPS], doomed[MAX_OPS:]
                    rev, _ = yield from steps.commit(self._space, [Drop(self._pk, row.sk) for row in some], rev)
                    lost = Loss(*map(sum, zip(lost, _loss(some), strict=True)))
                    for row in some:
                        self._reading.memory.forget(self._reading.at(split(str(row.sk))[0]))
                return lost
            except ConditionFailed:
                continue
        raise self._busy()

    def free(self, ids: set[str], *, additions: bool = True) -> Steps[int]:
        """Store anew what builds on these states, with their own ``additions``; returns the revision at which nothing
        does."""
        for _ in range(_ATTEMPTS):
            rev = yield from steps.rev(self._space)
            puts = yield from self._anew(ids, additions)
            try:
                while puts:
                    count, size = 0, 0
                    while count < min(len(puts), MAX_OPS) and (not count or size < MAX_COMMIT_BYTES):
                        size += len(puts[count].value)
                        count += 1
                    if count > 1 and size > MAX_COMMIT_BYTES:
                        count -= 1
                    some: list[Op] = list(puts[:count])
                    rev, _ = yield from steps.commit(self._space, some, rev)
                    for put in puts[:count]:
                        self._reading.memory.forget(self._reading.at(split(str(put.sk))[0]))
                    puts = puts[count:]
                return rev
            except ConditionFailed:
                continue
        raise self._busy()

    def _busy(self) -> ConditionFailed:
        return ConditionFailed(
            f"others write to {self._space!r} all the time, nothing more was removed: repeat it",
            pk=self._pk,
            actual=None,
        )

    def _anew(self, ids: set[str], additions: bool) -> Steps[list[Put]]:
        """Return the puts that store anew what builds on these states."""
        rows = yield from self.rows()
        puts: list[Put] = []
        firsts: dict[str, tuple[Ref, bytes]] = {}
        for row in rows:
            id, number = split(str(row.sk))
            if number is not None:
                continue
            try:
                state = self._reading.parse(row)
                if id not in ids:
                    table, _ = yield from self._reading.head(state)
                    moved = {name: at for name in table if (at := origin(state, name, table)) in ids}
                    if moved or state.builds_on() & ids:
                        puts.append((yield from self._state(state, moved, ids, firsts, row.expires)))
            except DecodeError:
                continue  # it cannot be read already
        for row in rows if additions else ():
            id, number = split(str(row.sk))
            if number is not None and id in ids:
                put = yield from self._addition(id, row)
                if put is not None:
                    puts.append(put)
        return puts

    def _state(
        self,
        state: StateRow,
        moved: dict[str, str],
        ids: set[str],
        firsts: dict[str, tuple[Ref, bytes]],
        expires: float | None,
    ) -> Steps[Put]:
        """Store a state anew; ``moved`` are the parts that it had from states that go, and takes over."""
        pieces: dict[str, Piece] = {}
        for name in (HEAD, *state.pieces, *moved):
            holder = state if name not in moved else (yield from self._reading.known(moved[name]))
            piece = None if holder is None else holder.piece(name)
            if holder is None or piece is None:
                raise DecodeError(f"state {state.id!r}: its {name!r} is gone")
            lost = piece.base is not None and piece.base.id in ids
            if lost or name in moved or (piece.also and state.parent in ids):
                content = yield from self._reading.content(holder, name)
                piece = self._piece(state.id, name, piece, content, firsts)
            pieces[name] = piece
        sealed = seal(self._space, self._pk, state.id, pack_state(state.parent, pieces.pop(HEAD), pieces, anew=True))
        return Put(self._pk, sealed, state.id, expires, PRESENT)

    def _piece(self, id: str, name: str, old: Piece, content: bytes, firsts: dict[str, tuple[Ref, bytes]]) -> Piece:
        """Make a piece anew: the first of each part whole, others as their difference from that."""
        ref, base = firsts.get(name, (None, b""))
        anew = plain(content) if ref is None else against(content, base, ref, old.step, b"", 0)
        if anew.base is None:
            firsts[name] = Ref(id, old.stamp), content
        return anew._replace(stamp=old.stamp, step=old.step)

    def _addition(self, id: str, row: Row) -> Steps[Put | None]:
        """Store an addition without its dictionary: its own state is about to be another, or to go."""
        try:
            addition = parse_addition(self._space, row)
            if not addition.dictionary:
                return None
            (content,) = yield from self._reading.additions(id, [row])
        except DecodeError:
            return None
        piece = plain(content)
        payload = pack_addition(addition._replace(kind=piece.kind, payload=piece.payload, dictionary=[]))
        return Put(self._pk, seal(self._space, self._pk, str(row.sk), payload), str(row.sk), row.expires, PRESENT)


def _loss(rows: Sequence[Row]) -> Loss:
    states = sum(split(str(row.sk))[1] is None for row in rows)
    return Loss(states, len(rows) - states, sum(len(row.value) for row in rows))
