"""A hypothesis state machine that drives a backend and the model side by side and compares all they tell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ..backends.base import ABSENT, ANY, NEXT, PRESENT, At, Backend, Check, Commit, Drop, Head, Op, Put, SortKey
from ..errors import Compacted, ConditionFailed
from .clock import ManualClock
from .model import Model

Make = Callable[[Path, Callable[[], float]], Backend]

SPACES = ["a", "a-b"]
PKS = ["b", "b-1", "b\x00", "\U0001f600"]
TEXTS = ["1", "r", "r-", "r.", "r\x00b", "é", "\uffff", "\U0001f600"]
START = 1_700_000_000.0
_NEWEST = Head(-1)
_LAST = Head(-1, -1)
_WRITTEN = Head(-1, None, -1)

_spaces = st.sampled_from(SPACES)
_pks = st.sampled_from(PKS)
_texts = st.sampled_from(TEXTS)
_numbers = st.integers(0, 7)
_values = st.binary(max_size=3)
_expiries = st.none() | st.integers(-5, 40).map(lambda seconds: START + seconds)
_heads = [_NEWEST, _NEWEST, _LAST, _WRITTEN, Head(1), Head(1, 1), Head(1, None, 1)]
_version_when = st.sampled_from([ANY, ANY, ANY, ABSENT, *_heads])
_row_when = st.sampled_from([ANY, ANY, ANY, ABSENT, PRESENT]) | st.integers(1, 12).map(At)
_ops = st.one_of(
    st.builds(Put, _pks, _values, st.just(NEXT), _expiries, _version_when),
    st.builds(Put, _pks, _values, _texts, _expiries, _row_when),
    st.builds(Drop, _pks, _numbers | _texts | st.just(-1)),
    st.builds(Check, _pks, _version_when, st.just(NEXT)),
    st.builds(Check, _pks, _row_when, _texts),
)


def _row_named(op: Op) -> object:
    return (op.pk, op.sk) if not isinstance(op, Check) else op


_commits = st.tuples(
    _spaces,
    st.lists(_ops, max_size=5, unique_by=_row_named),
    st.sampled_from(["any", "any", "any", "any", "present", "last", "older", "start"]),
)


class BackendMachine(RuleBasedStateMachine):
    """Any sequence of calls on a backend against ``Model``; bind it to a backend with ``backend_machine``."""

    make: Make
    durable = False

    @initialize()
    def open(self) -> None:
        """Open the store, twice where two openings see one store."""
        self.model = Model()
        self.clock = ManualClock(START)
        self.place = tempfile.TemporaryDirectory()
        self.openings = [self._open() for _ in range(2 if self.durable else 1)]
        self.told = [0.0 for _ in self.openings]
        self.gone = 0.0
        self.seen = dict.fromkeys(SPACES, 0)

    def _open(self) -> Backend:
        return type(self).make(Path(self.place.name), self.clock)

    @property
    def backend(self) -> Backend:
        """The opening in use."""
        return self.openings[0]

    def teardown(self) -> None:
        """Close what was opened."""
        for backend in getattr(self, "openings", []):
            backend.close()
        if hasattr(self, "place"):
            self.place.cleanup()

    def _resolved(self, commit: tuple[str, list[Op], str]) -> Commit:
        space, ops, wish = commit
        revs = [0, *self.model.revisions(space)]
        if_rev = {"present": self.backend.rev(space), "last": revs[-1], "older": revs[-2:][0], "start": 0}.get(wish)
        found: list[Op] = []
        for op in ops:
            head = self.model.head(space, op.pk)
            if isinstance(op, Drop):
                found.append(Drop(op.pk, head) if op.sk == -1 else op)
            else:
                given = self.model.numbers.get((space, op.pk), 0)
                written = Head(head, given, self.model.written(space, op.pk, head) or None)
                meant: dict[object, Head] = {_NEWEST: Head(head), _LAST: Head(head, given), _WRITTEN: written}
                found.append(op._replace(when=meant.get(op.when) or op.when))
        # Two drops may have come to name one row.
        kept = {_row_named(op): op for op in found}
        return space, list(kept.values()), if_rev

    def _compare(self, commit: Commit, result: object) -> None:
        space, ops, if_rev = commit
        if not self.model.admits(space, ops, if_rev):
            assert type(result) is ConditionFailed, f"{commit} was to fail and gave {result!r}"
            return
        assert type(result) is tuple, f"{commit} was to succeed and gave {result!r}"
        rev, sks = result
        if self.model.changing(space, ops):
            assert rev > self.seen[space], f"revision {rev} came after {self.seen[space]}"
            expected = self.model.apply(space, ops, rev)
            assert sks == expected, f"{commit} gave {sks}, not {expected}"
        else:
            assert rev >= self.seen[space]
            assert sks == []
        self.seen[space] = rev

    @rule(commit=_commits)
    def commit(self, commit: tuple[str, list[Op], str]) -> None:
        """Commit once."""
        space, ops, if_rev = resolved = self._resolved(commit)
        result: object
        try:
            result = self.backend.commit(space, ops, if_rev)
        except ConditionFailed as failed:
            result = failed
        self._compare(resolved, result)

    @rule(commits=st.lists(_commits, max_size=4))
    def commit_many(self, commits: list[tuple[str, list[Op], str]]) -> None:
        """Commit a group."""
        group = [self._resolved(commit) for commit in commits]
        results = self.backend.commit_many(group)
        assert len(results) == len(group)
        for commit, result in zip(group, results, strict=True):
            self._compare(commit, result)

    @rule(space=_spaces, pk=_pks, text=_texts)
    def put_and_drop(self, space: str, pk: str, text: str) -> None:
        """Write the newest row and drop it again, which is where revisions are at risk."""
        for ops in ([Put(pk, b"v"), Put(pk, b"r", sk=text)], [Drop(pk, text), Drop(pk, -1)]):
            resolved = self._resolved((space, list(ops), "any"))
            self._compare(resolved, self.backend.commit(*resolved))

    @rule(
        space=_spaces,
        pk=_pks,
        bounds=st.tuples(_numbers, st.none() | _numbers) | st.tuples(_texts | st.just(""), st.none() | _texts),
        limit=st.integers(0, 5) | st.just(1000),
        newest_first=st.booleans(),
    )
    def scan(self, space: str, pk: str, bounds: tuple[Any, Any], limit: int, newest_first: bool) -> None:
        """Scan a range."""
        lo, hi = bounds
        rows = [row for row in self.model.of(space, pk, type(lo)) if row.sk >= lo and (hi is None or row.sk < hi)]
        expected = (rows[::-1] if newest_first else rows)[:limit]
        actual = self.backend.scan(space, pk, lo, hi, limit=limit, newest_first=newest_first)
        assert actual == expected, f"scan gave {actual}, not {expected}"

    @rule(
        space=_spaces,
        prefix=st.sampled_from(["", "a", "a-", "b", "b-", "b\x00", "\U0001f600", "c"]),
        after=st.just("") | _pks | _spaces,
        limit=st.integers(0, 3) | st.just(1000),
    )
    def list_names(self, space: str, prefix: str, after: str, limit: int) -> None:
        """List partition keys and spaces."""
        for actual, names in (
            (self.backend.pks(space, prefix, after, limit), self.model.pks(space)),
            (self.backend.spaces(prefix, after, limit), self.model.spaces()),
        ):
            expected = [name for name in names if name.startswith(prefix) and name > after][:limit]
            assert actual == expected, f"listed {actual}, not {expected}"

    @rule(space=_spaces, pick=st.integers(0, 30), limit=st.integers(1, 6) | st.just(1000))
    def follow(self, space: str, pick: int, limit: int) -> None:
        """Read the feed from the start, from any commit, or from the present."""
        choices = [0, *self.model.revisions(space), self.backend.rev(space)]
        since = choices[pick % len(choices)]
        assert self.backend.wait(space, since, 0.0) == (self.model.last(space) > since)
        if since < self.model.marks.get(space, 0):
            try:
                found = self.backend.changes(space, since, limit)
            except Compacted as compacted:
                self._follow(space, compacted.oldest, limit)
                return
            raise AssertionError(f"the feed was trimmed after {since} and gave {found}")
        self._follow(space, since, limit)

    def _follow(self, space: str, since: int, limit: int) -> None:
        must, may = self.model.told(space, since)
        everything = self.backend.changes(space, since, 1000)
        revs = [change.rev for change in everything]
        assert revs == sorted(revs), f"the feed is out of order: {everything}"
        assert len(set(everything)) == len(everything), f"the feed repeats itself: {everything}"
        assert set(must) <= set(everything) <= {*must, *may}, f"the feed gave {everything}, not {must} and of {may}"
        page = self.backend.changes(space, since, limit)
        assert page == everything[: len(page)], f"a page of {limit} gave {page} of {everything}"
        assert len(page) >= min(limit, len(everything)), f"a page of {limit} stopped short: {page} of {everything}"
        cut = page and len(page) < len(everything) and everything[len(page)].rev == page[-1].rev
        assert not cut, f"a page of {limit} cuts a commit: {page} of {everything}"
        assert len([change for change in page if change.rev < page[-1].rev]) < limit

    @rule(
        space=_spaces,
        pk=st.none() | _pks,
        before=st.none() | _numbers | _texts,
        expires=st.none() | st.integers(-5, 40),
    )
    def reclaim(self, space: str, pk: str | None, before: SortKey | None, expires: int | None) -> None:
        """Reclaim rows of a space or a partition."""
        expired_at = None if expires is None else START + expires
        expected = self.model.reclaim(space, pk, before, expired_at)
        removed = self.backend.reclaim(space, pk, before, expired_at)
        assert removed == expected, f"reclaimed {removed} rows, not {expected}"

    @rule(seconds=st.integers(-40, 20))
    def tick(self, seconds: int) -> None:
        """Move the clock, sometimes backwards, and ask the store for the time and what has expired."""
        self.clock.advance(seconds)
        now = self.backend.now()
        assert now >= max(self.told[0], self.gone), f"the clock ran back from {self.told[0]} to {now}"
        assert now >= self.clock()
        self.told[0] = now
        assert self.backend.expired(now)
        self.gone = now
        assert not self.backend.expired(now + 1000)
        assert not self.backend.expired(None)

    @precondition(lambda self: self.durable)
    @rule()
    def switch(self) -> None:
        """Use the other opening."""
        self.openings.reverse()
        self.told.reverse()
        assert not self.gone or self.backend.expired(self.gone)

    @precondition(lambda self: self.durable)
    @rule()
    def reopen(self) -> None:
        """Close the opening in use and open the store again."""
        self.backend.close()
        self.openings[0] = self._open()
        assert not self.gone or self.backend.expired(self.gone)

    @invariant()
    def same(self) -> None:
        """Every row and name is the model's."""
        for space in SPACES:
            for pk in PKS:
                for lo, kind in ((1, int), ("", str)):
                    actual = self.backend.scan(space, pk, lo)
                    expected = self.model.of(space, pk, kind)
                    assert actual == expected, f"{space!r} {pk!r} holds {actual}, not {expected}"
            assert self.backend.pks(space) == self.model.pks(space)
            rev = self.backend.rev(space)
            assert rev >= max(self.seen[space], self.model.last(space))
            self.seen[space] = rev
        assert self.backend.spaces() == self.model.spaces()


def backend_machine(make: Make, *, durable: bool = False) -> type[BackendMachine]:
    """Return the machine for the backend that ``make(place, clock)`` opens; run its ``.TestCase``.

    ``durable`` as in ``BackendContract``: the store is opened twice and reopened in between.
    """
    members = {"make": staticmethod(make), "durable": durable}
    return type("BoundBackendMachine", (BackendMachine,), members)


__all__ = ["BackendMachine", "backend_machine"]
