"""A lineage: states that descend from each other in one partition, read, written, thinned out and copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ...backends import steps
from ...backends.base import MAX_COMMIT_BYTES, MAX_OPS, Op, Put, Row
from ...backends.steps import Steps
from ..collection import resealed
from .memory import LineageMemory
from .reading import Near, Reading
from .rows import StateRow, Table, check_id, split
from .thinning import Loss, Thinning
from .writing import Part, Writing

_FIRST_PAGE = 2
_PAGE = 128


class Found(NamedTuple):
    """A state as it was read, with the rows of its additions."""

    state: StateRow
    additions: list[Row]


class Lineage:
    """The states of one partition. A state has an id, a parent, a head, named parts, and additions that came later.

    Parts are stored as their difference from the parent's; a commit requires what it builds on, so that a state is
    readable whenever it is there. A damaged row is a ``DecodeError`` of the states that need it.
    """

    def __init__(self, space: str, pk: str, memory: LineageMemory) -> None:
        self.space = space
        self.pk = pk
        self._memory = memory
        self._reading = Reading(space, pk, memory)
        self._writing = Writing(self._reading)
        self._thinning = Thinning(self._reading)

    def put(
        self, id: str, parent: str | None, head: bytes, parts: Mapping[str, Part], expires: float | None = None
    ) -> Steps[None]:
        """Write a state, replacing one of the same id.

        Raises ``InvalidKey`` (the id), ``ValueTooLarge``, ``ConditionFailed`` (others write all the time).
        """
        return self._writing.put(id, parent, head, parts, expires, lambda one: self._thinning.free({one}))

    def add(self, id: str, content: bytes, expires: float | None = None) -> Steps[None]:
        """Write an addition to a state, which need not be there yet. Raises as ``put`` does."""
        return self._writing.add(id, content, expires)

    def get(self, id: str) -> Steps[Found | None]:
        """Return the state with this id and its additions."""
        rows = yield from self.rows(id)
        return None if rows is None else Found(self._reading.parse(rows[0]), rows[1])

    def rows(self, id: str) -> Steps[tuple[Row, list[Row]] | None]:
        """Return the row of the state with this id, unread, and those of its additions."""
        check_id(id)
        rows = yield from steps.scan(self.space, self.pk, id, f"{id}\x00", limit=1)
        return (rows[0], (yield from self._reading.addition_rows(id))) if rows else None

    def newest(self) -> Steps[Found | None]:
        """Return the state with the greatest id."""
        rows = yield from self.newest_rows()
        return None if rows is None else Found(self._reading.parse(rows[0]), rows[1])

    def newest_rows(self) -> Steps[tuple[Row, list[Row]] | None]:
        """Return the row of the state with the greatest id, unread, and those of its additions."""
        hi: str | None = None
        size = _FIRST_PAGE
        additions: list[Row] = []
        while page := (yield from steps.scan(self.space, self.pk, "", hi, limit=size, newest_first=True)):
            for row in page:
                id, number = split(str(row.sk))
                if additions and split(str(additions[-1].sk))[0] != id:
                    additions = []  # they wait for a state that never came
                if number is None:
                    return row, additions[::-1]
                additions.append(row)
            hi, size = str(page[-1].sk), min(8 * size, _PAGE)
        return None

    def page(self, before: str | None = None, limit: int = _PAGE) -> Steps[tuple[list[Row], str | None]]:
        """Return up to ``limit`` rows below the sort key ``before``, newest first, additions before their state; and
        where the next page begins, None after the last."""
        rows = yield from steps.scan(self.space, self.pk, "", before, limit=limit, newest_first=True)
        return rows, str(rows[-1].sk) if len(rows) == limit else None

    def all(self) -> Steps[list[Row]]:
        """Return every row of the partition, in order."""
        return self._thinning.rows()

    def parse(self, row: Row) -> StateRow:
        """Return the state of a row; raises ``DecodeError`` naming it."""
        return self._reading.parse(row)

    def head(self, state: StateRow, near: Near | None = None) -> Steps[tuple[Table, bytes]]:
        """Return the table of a state's parts (mark and origin of each) and its head; raises ``DecodeError``. ``near``
        keeps the rows that a read came by, for its other calls."""
        return self._reading.head(state, near)

    def part(self, state: StateRow, name: str, table: Table, near: Near | None = None) -> Steps[bytes]:
        """Return a part's content; raises ``DecodeError``."""
        return self._reading.part(state, name, table, near)

    def additions(self, id: str, rows: Sequence[Row], state: StateRow | None = None) -> Steps[list[bytes]]:
        """Return the contents of additions, in the order of their rows; raises ``DecodeError``."""
        return self._reading.additions(id, rows, state)

    def ids(self) -> Steps[list[str]]:
        """Return the ids of all states, in order."""
        return self._thinning.ids()

    def drop(self, ids: Iterable[str]) -> Steps[Loss]:
        """Remove states with their additions; those that build on them are stored anew first."""
        return self._thinning.drop(set(ids))

    def weigh(self, ids: Iterable[str]) -> Steps[Loss]:
        """Return what ``drop`` would remove."""
        return self._thinning.weigh(set(ids))

    def copy(self, space: str) -> Steps[int]:
        """Copy all rows to the same partition of another space, sealed anew and not decoded; returns how many."""
        copied = 0
        lo = ""
        while page := (yield from steps.scan(self.space, self.pk, lo, None, limit=MAX_OPS)):
            ops: list[Op] = []
            size = 0
            for row in page:
                sk = str(row.sk)
                value = resealed(self.space, row, space)
                if ops and size + len(value) > MAX_COMMIT_BYTES:
                    yield from steps.commit(space, ops)
                    ops, size = [], 0
                ops.append(Put(self.pk, value, sk, row.expires))
                size += len(value)
            yield from steps.commit(space, ops)
            copied += len(page)
            lo = f"{page[-1].sk}\x00"
        return copied
