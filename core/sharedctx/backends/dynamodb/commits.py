"""Commits: judged on what is known of the space, written in one transaction that holds only while that is so."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from ...errors import BackendUnavailable, SharedContextError
from ...forking import renew_after_fork
from ..base import Commit, Committed, Op, Put
from ..bounds import check_ops
from . import layout
from .calls import Outcome, conflicts
from .draft import ROOM, Area, Areas, Draft, State
from .layout import INLINE, Held, Item
from .parts import Parts, loose_key
from .reading import Meta, Reading

_THREADS: Final = 8
_MOST: Final = 100
"""Items of a transaction."""


class Commits:
    """Writes commits of checked operations."""

    def __init__(self, reading: Reading, areas: Areas, parts: Parts) -> None:
        self._reading = reading
        self._areas = areas
        self._parts = parts
        self._news = threading.Condition()
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start over without the parent's threads and those that waited there."""
        self._news = threading.Condition()
        self._lock = threading.Lock()
        self._threads = None

    def close(self) -> None:
        """End the threads and wake those who wait."""
        if self._threads is not None:
            self._threads.shutdown(wait=True)
        with self._news:
            self._news.notify_all()

    def wait(self, space: str, since: int, timeout: float) -> None:
        """Wait until this process commits to the space after a revision, or for ``timeout`` seconds."""
        area = self._areas.of(space)
        with self._news:
            self._news.wait_for(lambda: (meta := area.meta) is not None and meta.rev > since, timeout)

    def check(self, space: str, ops: Sequence[Op]) -> None:
        """Raise what ``bounds.check_ops`` raises, and ``InvalidKey`` for names that DynamoDB does not take."""
        check_ops(space, ops)
        self._reading.keys.space(space)
        for op in ops:
            layout.row_key(op.pk, op.sk if isinstance(op.sk, str) else 1)

    def many(self, commits: Sequence[Commit]) -> list[Committed | Exception]:
        """Check and write a group, the commits of each space in order and as many of them together as go."""
        results: list[Committed | Exception | None] = []
        spaces: dict[str, list[int]] = {}
        for at, (space, ops, _) in enumerate(commits):
            try:
                self.check(space, ops)
            except SharedContextError as error:
                results.append(error)
            else:
                results.append(None)
                spaces.setdefault(space, []).append(at)

        def write(space: str) -> list[Committed | Exception]:
            return self.write(space, [commits[at][1:] for at in spaces[space]])

        if len(spaces) > 1:
            with self._lock:
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sharedctx-commit")
            written = list(self._threads.map(write, spaces))
        else:
            written = [write(space) for space in spaces]
        for places, found in zip(spaces.values(), written, strict=True):
            for at, result in zip(places, found, strict=True):
                results[at] = result
        return [result for result in results if result is not None]

    def write(self, space: str, commits: Sequence[tuple[Sequence[Op], int | None]]) -> list[Committed | Exception]:
        """Write checked commits to one space in order; an error stands in the place of one that failed."""
        area = self._areas.of(space)
        results: list[Committed | Exception] = []
        with area.lock:
            while len(results) < len(commits):
                try:
                    results += _Group(self._reading, self._parts, space, area, commits[len(results) :]).write()
                except SharedContextError as error:
                    area.forget()
                    results += [error for _ in commits[len(results) :]]
        with self._news:
            self._news.notify_all()
        return results


class _Sent(NamedTuple):
    """A transaction that got no answer: its token, its last revision, the parts that it frees, what it would make."""

    token: str
    rev: int
    freed: list[str]
    draft: Draft
    results: list[Committed | Exception]


class _Group:
    """The first commits of a list, as many as one transaction takes."""

    def __init__(
        self,
        reading: Reading,
        parts: Parts,
        space: str,
        area: Area,
        commits: Sequence[tuple[Sequence[Op], int | None]],
    ) -> None:
        self._reading = reading
        self._parts = parts
        self._space = space
        self._area = area
        self._commits = commits
        self._uploads: dict[int, str] = {}  # by the identity of the put
        self._unanswered: list[_Sent] = []

    def write(self) -> list[Committed | Exception]:
        """Write until it holds, and return what came of each."""
        for _ in conflicts(f"{self._reading.calls.address}, space {self._space!r},"):
            draft, results = self._draft()
            for sent in self._unanswered:  # each time: one that was given up can arrive as long as it fits the state
                if self._arrived(sent):
                    self._tidy(sent.draft)
                    return sent.results
            if not draft.changes:
                if self._reading.meta(self._space) != self._area.meta:
                    self._area.forget()
                    continue
            else:
                after, writes, freed, feed = self._writes(draft)
                token = os.urandom(16).hex()
                outcome = settle(self._reading, self._parts, self._space, self._area, after, writes, freed, feed, token)
                if outcome is Outcome.UNCLEAR:
                    self._unanswered.append(_Sent(token, after.rev, freed, draft, results))
                if outcome is not Outcome.DONE:
                    continue
            self._area.ends |= draft.ends
            self._tidy(draft)
            return results
        raise AssertionError("the last conflict raises")

    def _arrived(self, sent: _Sent) -> bool:
        """Whether what was sent without getting an answer is what came next."""
        page = self._reading.item(self._reading.keys.space(self._space), f"f{layout.padded(sent.rev)}")
        if page is None and self._reading.meta(self._space).mark >= sent.rev:
            raise BackendUnavailable(
                f"{self._reading.calls.address} did not answer, and the feed of space {self._space!r} was trimmed "
                "since: the commit may have been done, or not"
            )
        if page is None or page["q"]["S"] != sent.token:
            return False
        _free(self._parts, self._space, sent.token, sent.freed)
        return True

    def _tidy(self, draft: Draft) -> None:
        """Take away parts that were written for a commit which came to nothing; where that is not known, they stay."""
        named = {self._uploads.get(id(new.put)) for new in draft.rows.values() if new is not None}
        for name in set(self._uploads.values()) - named:
            with contextlib.suppress(SharedContextError):
                self._parts.free(self._space, name, [name])

    def _draft(self) -> tuple[Draft, list[Committed | Exception]]:
        state = State(self._reading, self._space, self._area)
        draft = Draft(state)
        results: list[Committed | Exception] = []
        state.prefetch([op for ops, _ in self._commits[:_MOST] for op in ops][:_MOST])
        for ops, if_rev in self._commits:
            if results and not draft.fits(ops):
                break
            try:
                results.append(draft.add(self._space, ops, if_rev))
            except SharedContextError as error:
                results.append(error)
        return draft, results

    def _large(self, put: Put) -> bool:
        return len(put.value) > INLINE

    def _part(self, put: Put) -> str | None:
        if not self._large(put):
            return None
        if id(put) not in self._uploads:
            self._uploads[id(put)] = self._parts.write(self._space, put.value)
        return self._uploads[id(put)]

    def _writes(self, draft: Draft) -> tuple[Meta, list[dict[str, Any]], list[str], bytes]:
        h = self._reading.keys.space(self._space)
        writes: list[dict[str, Any]] = []
        freed: list[str] = []
        meta = self._area.meta
        assert meta is not None
        rows, size = meta.rows, meta.size
        for (pk, sk), new in draft.rows.items():
            if (old := draft.stored((pk, sk))) is not None:
                rows, size = rows - 1, size - old.size
                freed += [old.parts] if old.parts else []
            if new is not None:
                put, rev = new
                row = Held(rev, len(put.value), put.expires, part := self._part(put))
                writes.append({"Put": {"Item": layout.item_of(h, pk, sk, row, put.value)}})
                writes += [{"Delete": _if_there(layout.key(h, loose_key(part)))}] if part else []
                rows, size = rows + 1, size + row.size
            elif isinstance(sk, int) and sk == draft.at(pk).last:
                writes.append({"Put": {"Item": layout.key(h, layout.row_key(pk, sk)) | {"g": {"BOOL": True}}}})
            elif old is not None:
                writes.append({"Delete": {"Key": layout.key(h, layout.row_key(pk, sk))}})
        buried = [layout.key(h, layout.row_key(pk, number)) for pk, number in draft.outnumbered()]
        writes += [{"Delete": {"Key": each}} for each in buried[: max(ROOM - len(writes), 0)]]
        after = meta._replace(changes=meta.changes + 1, rev=draft.rev, rows=rows, size=size)
        return after, writes, freed, layout.packed(draft.changes)


def settle(
    reading: Reading,
    parts: Parts,
    space: str,
    area: Area,
    after: Meta,
    writes: list[dict[str, Any]],
    freed: Sequence[str],
    feed: bytes,
    token: str,
) -> Outcome:
    """Write a space's next state with its rows and feed, if the state is still the area's.

    ``freed`` are parts that no row names any more. Each item is written once, however often it has to be sent.
    """
    h, table = reading.keys.space(space), reading.calls.address.table
    before = area.meta
    assert before is not None
    state: dict[str, Any] = {"Item": after.item(h, reading.store), "ConditionExpression": "attribute_not_exists(h)"}
    if before.changes:
        as_known = {":u": layout.number(before.changes), ":i": {"S": reading.store}}
        state |= {"ConditionExpression": "u = :u AND i = :i", "ExpressionAttributeValues": as_known}
    items = [{"Put": state}, *writes]
    if not before.changes:
        reading.require_store()
        items.append({"Put": {"Item": layout.key(reading.keys.spaces, space)}})
    if feed:
        page = layout.key(h, f"f{layout.padded(after.rev)}") | {"d": {"B": feed}, "q": {"S": token}}
        items.append({"Put": {"Item": page}})
    if freed:
        items.append({"Put": {"Item": parts.loose(space, token, freed)}})
    for item in items:
        next(iter(item.values()))["TableName"] = table
    outcome = reading.calls.transact(items, token)
    if outcome is not Outcome.DONE:
        area.forget()
        return outcome
    area.meta = after
    _free(parts, space, token, freed)
    return outcome


def _free(parts: Parts, space: str, token: str, freed: Sequence[str]) -> None:
    if freed:
        with contextlib.suppress(SharedContextError):  # they stay listed
            parts.free(space, token, freed)


def _if_there(key: Item) -> dict[str, Any]:
    return {"Key": key, "ConditionExpression": "attribute_exists(h)"}
