"""Taking states out of a lineage: those that build on them are stored anew first, so that a crash loses nothing.

Of the states that go, too, those that build on others go first: what is left of them can be read at any time, so that
what others build on it meanwhile can be stored anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from typing import Final, NamedTuple

from ...backends import steps
from ...backends.base import MAX_COMMIT_BYTES, MAX_OPS, At, Drop, Put, Row
from ...backends.steps import Steps
from ...errors import Compacted, ConditionFailed, DecodeError
from ..collection import seal
from .pieces import against, plain
from .reading import Reading, origin
from .rows import HEAD, Piece, Ref, StateRow, pack_addition, pack_state, parse_addition, split

_ATTEMPTS: Final = 50
_FEW: Final = 200
"""Rows that are read one by one rather than all."""
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
        return _loss(_of(ids, (yield from self.rows())))

    def drop(self, ids: set[str]) -> Steps[Loss]:
        """Remove these states and their additions."""
        lost = Loss(0, 0, 0)
        rev, _ = yield from self._freed(ids, False, *(yield from self._since(None)))
        doomed = self._ordered(_of(ids, (yield from self.rows())))
        tries = 0
        while doomed:
            some = doomed[:MAX_OPS]
            try:
                rev, _ = yield from steps.commit(self._space, [Drop(self._pk, row.sk) for row in some], rev)
            except ConditionFailed:
                tries += 1
                if tries == _ATTEMPTS:
                    raise self._busy() from None
                rev, seen = yield from self._freed(ids, False, *(yield from self._since(rev)))
                late = _of(ids, seen)
                doomed = self._ordered([*{row.sk: row for row in (*doomed, *late)}.values()])
                continue
            doomed = doomed[MAX_OPS:]
            lost = Loss(*map(sum, zip(lost, _loss(some), strict=True)))
            for row in some:
                self._reading.memory.forget(self._reading.at(split(str(row.sk))[0]))
        return lost

    def _ordered(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows in the order in which they may go: before each state its additions and what builds on it."""
        builds: dict[str, set[str]] = {}
        parts: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: str(row.sk), reverse=True):
            id, number = split(str(row.sk))
            parts.setdefault(id, []).append(row)
            if number is None:
                try:
                    builds[id] = self._reading.parse(row).builds_on()
                except DecodeError:
                    continue  # nothing can be read through it
        try:
            order = [id for id in TopologicalSorter(builds).static_order() if id in parts]
        except CycleError:  # of rows that no lineage wrote
            order = sorted(parts)
        order += sorted(parts.keys() - set(order))
        return [row for id in reversed(order) for row in parts[id]]

    def free(self, ids: set[str]) -> Steps[int]:
        """Store anew what builds on these states, with their own additions; returns the revision at which nothing
        does."""
        return (yield from self._freed(ids, True, *(yield from self._since(None))))[0]

    def _freed(self, ids: set[str], additions: bool, rev: int, rows: list[Row]) -> Steps[tuple[int, list[Row]]]:
        """Do so with what of these rows builds on the states, and with what others write meanwhile; ``rows`` are what
        changed since nothing did, read at ``rev``. Returns the revision, and all rows that were seen."""
        seen = list(rows)
        for _ in range(_ATTEMPTS):
            groups = yield from self._anew(rows, ids, additions)
            if not groups:
                return rev, seen
            again: set[str] = set()
            for group in groups:
                try:
                    yield from steps.commit(self._space, group)
                except ConditionFailed:  # others wrote one of them just now
                    again |= {str(put.sk) for put in group}
                for put in group:
                    self._reading.memory.forget(self._reading.at(split(str(put.sk))[0]))
            rev, rows = yield from self._since(rev, again)
            seen += rows
        raise self._busy()

    def _since(self, rev: int | None, again: AbstractSet[str] = frozenset()) -> Steps[tuple[int, list[Row]]]:
        """Return a revision, and the rows that were put from ``rev`` up to it, and those of ``again``; all rows where
        that cannot be told."""
        now = yield from steps.rev(self._space)
        wanted = set(again)
        try:
            while rev is not None and (page := (yield from steps.changes(self._space, rev))):
                wanted |= {str(change.sk) for change in page if change.pk == self._pk and change.op == "put"}
                rev = page[-1].rev
        except Compacted:
            rev = None
        if rev is None or len(wanted) > _FEW:
            return now, (yield from self.rows())
        found: list[Row] = []
        for sk in sorted(wanted):
            found += yield from steps.scan(self._space, self._pk, sk, f"{sk}\x00", limit=1)
        return now, found

    def _busy(self) -> ConditionFailed:
        return ConditionFailed(
            f"others write to {self._space!r} all the time, nothing more was removed: repeat it",
            pk=self._pk,
            actual=None,
        )

    def _anew(self, rows: Sequence[Row], ids: set[str], additions: bool) -> Steps[list[list[Put]]]:
        """Return, in groups of one commit each, the puts that store anew what of these rows builds on these states."""
        groups: list[list[Put]] = [[]]
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
                        put = yield from self._state(state, moved, ids, firsts, row)
                        if not _fits(groups[-1], put):  # what it builds on anew is written with it
                            firsts = {}
                            put = yield from self._state(state, moved, ids, firsts, row)
                            groups.append([])
                        groups[-1].append(put)
            except DecodeError:
                continue  # it cannot be read already
        for row in rows if additions else ():
            id, number = split(str(row.sk))
            if number is not None and id in ids:
                anew = yield from self._addition(id, row)
                if anew is not None:
                    if not _fits(groups[-1], anew):
                        groups.append([])
                    groups[-1].append(anew)
        return [group for group in groups if group]

    def _state(
        self,
        state: StateRow,
        moved: dict[str, str],
        ids: set[str],
        firsts: dict[str, tuple[Ref, bytes]],
        row: Row,
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
        return Put(self._pk, sealed, state.id, row.expires, At(row.rev))

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
        return Put(self._pk, seal(self._space, self._pk, str(row.sk), payload), str(row.sk), row.expires, At(row.rev))


def _of(ids: set[str], rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if split(str(row.sk))[0] in ids]


def _fits(group: Sequence[Put], put: Put) -> bool:
    """Whether a put goes into a commit besides others."""
    size = sum(len(each.value) for each in group) + len(put.value)
    return not group or (len(group) < MAX_OPS and size <= MAX_COMMIT_BYTES)


def _loss(rows: Sequence[Row]) -> Loss:
    states = sum(split(str(row.sk))[1] is None for row in rows)
    return Loss(states, len(rows) - states, sum(len(row.value) for row in rows))
