"""What a backend should hold, kept in the plainest way: lists that are searched from end to end."""

from __future__ import annotations

from collections.abc import Sequence

from ..backends.base import ABSENT, ANY, NEXT, At, Change, Check, Drop, Head, Op, Put, Row, SortKey


class Model:
    """A store's state as the contract words it. Revisions are the backend's own: ``apply`` is told them."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Row]] = []
        self.feed: list[tuple[str, Change]] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.commits: list[tuple[str, int]] = []
        self.marks: dict[str, int] = {}

    def of(self, space: str, pk: str, kind: type) -> list[Row]:
        """Return a partition's versions (``int``) or collection rows (``str``) in order."""
        rows = [row for where, row in self.rows if where == space and row.pk == pk and type(row.sk) is kind]
        return sorted(rows, key=lambda row: row.sk)

    def head(self, space: str, pk: str) -> int:
        """Return the number of a partition's newest version, 0 for none."""
        return max((row.sk for row in self.of(space, pk, int) if isinstance(row.sk, int)), default=0)

    def holds(self, space: str, pk: str, sk: SortKey) -> bool:
        """Whether this row is there."""
        return any(where == space and (row.pk, row.sk) == (pk, sk) for where, row in self.rows)

    def last(self, space: str) -> int:
        """Return the revision of the space's last commit, 0 for none."""
        return max((rev for where, rev in self.commits if where == space), default=0)

    def revisions(self, space: str) -> list[int]:
        """Return the revisions of the space's commits, oldest first."""
        return [rev for where, rev in self.commits if where == space]

    def admits(self, space: str, ops: Sequence[Op], if_rev: int | None) -> bool:
        """Whether every condition of a commit holds."""
        if if_rev is not None and self.last(space) > if_rev:
            return False
        return all(self._admits(space, op) for op in ops if not isinstance(op, Drop))

    def _admits(self, space: str, op: Put | Check) -> bool:
        if op.when is ANY:
            return True
        if isinstance(op.sk, str):
            revs = [row.rev for where, row in self.rows if where == space and (row.pk, row.sk) == (op.pk, op.sk)]
            return revs == [op.when.rev] if isinstance(op.when, At) else bool(revs) is not (op.when is ABSENT)
        wanted = op.when if isinstance(op.when, Head) else Head(0)
        head = self.head(space, op.pk)
        return (
            head == wanted.sk
            and wanted.given in (None, self.numbers.get((space, op.pk), 0))
            and wanted.rev in (None, self.written(space, op.pk, head))
        )

    def written(self, space: str, pk: str, sk: SortKey) -> int:
        """The revision of a row, 0 for none."""
        return next((row.rev for where, row in self.rows if where == space and (row.pk, row.sk) == (pk, sk)), 0)

    def changing(self, space: str, ops: Sequence[Op]) -> bool:
        """Whether a commit that is admitted writes or removes anything."""
        return any(isinstance(op, Put) or (isinstance(op, Drop) and self.holds(space, op.pk, op.sk)) for op in ops)

    def apply(self, space: str, ops: Sequence[Op], rev: int) -> list[SortKey]:
        """Do what an admitted and changing commit does; return the sort keys of its puts."""
        self.commits.append((space, rev))
        sks: list[SortKey] = []
        for drop in [op for op in ops if isinstance(op, Drop) and self.holds(space, op.pk, op.sk)]:
            self._remove(space, drop.pk, drop.sk)
            self.feed.append((space, Change(rev, drop.pk, drop.sk, "drop")))
        for put in [op for op in ops if isinstance(op, Put)]:
            sk: SortKey
            if put.sk is NEXT:
                sk = self.numbers[space, put.pk] = self.numbers.get((space, put.pk), 0) + 1
            else:
                sk = put.sk
                self._remove(space, put.pk, sk)
            self.rows.append((space, Row(put.pk, sk, put.value, rev, put.expires)))
            self.feed.append((space, Change(rev, put.pk, sk, "put")))
            sks.append(sk)
        return sks

    def _remove(self, space: str, pk: str, sk: SortKey) -> None:
        self.rows = [(where, row) for where, row in self.rows if (where, row.pk, row.sk) != (space, pk, sk)]

    def pks(self, space: str) -> list[str]:
        """Return the partition keys that hold rows, in order."""
        return sorted({row.pk for where, row in self.rows if where == space})

    def spaces(self) -> list[str]:
        """Return the spaces that hold rows, in order."""
        return sorted({where for where, _ in self.rows})

    def told(self, space: str, since: int) -> tuple[list[Change], list[Change]]:
        """Return the changes that the feed must tell after ``since``, and those that it may tell besides.

        Left to the backend are puts of rows that were dropped later: what is gone need not be told to have come.
        """
        must: list[Change] = []
        may: list[Change] = []
        entries = [change for where, change in self.feed if where == space]
        for n, change in enumerate(entries):
            later = [other.op for other in entries[n + 1 :] if (other.pk, other.sk) == (change.pk, change.sk)]
            if change.rev <= since or (change.op == "put" and later[:1] == ["put"]):
                continue
            (may if change.op == "put" and later else must).append(change)
        return must, may

    def reclaim(self, space: str, pk: str | None, before: SortKey | None, expired_at: float | None) -> int:
        """Do what ``Backend.reclaim`` does; return how many rows went."""
        gone = [
            row
            for where, row in self.rows
            if where == space
            and pk in (None, row.pk)
            and (before is None or (type(before) is type(row.sk) and row.sk < before))  # type: ignore[operator]
            and (expired_at is None or self._expired(space, row, expired_at))
        ]
        for row in gone:
            self._remove(space, row.pk, row.sk)
        whole = pk is None and before is None and expired_at is None
        if whole:
            self.numbers = {key: number for key, number in self.numbers.items() if key[0] != space}
        if gone:
            mark = max([self.marks.get(space, 0), *(row.rev for row in gone)])
            self.marks[space] = mark
            self.feed = [(where, change) for where, change in self.feed if where != space or change.rev > mark]
        return len(gone)

    def _expired(self, space: str, row: Row, at: float) -> bool:
        return row.expires is not None and row.expires <= at and row.sk != self.head(space, row.pk)


__all__ = ["Model"]
