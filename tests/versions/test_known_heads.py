"""A small value goes out in one question to the backend where its key was met, whoever wrote in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sharedctx.backends.base import Committed, Op, Row
from sharedctx.backends.memory import MemoryBackend
from sharedctx.backends.steps import run
from sharedctx.errors import VersionConflict
from sharedctx.versions.codec import Kind
from sharedctx.versions.log import ContentCache, Draft, VersionLog


class Listened(MemoryBackend):
    """A backend that tells what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        self.asked.append("commit")
        return super().commit(space, ops, if_rev)

    def scan(self, *args: Any, **options: Any) -> list[Row]:
        self.asked.append("scan")
        return super().scan(*args, **options)


def put(backend: Listened, log: VersionLog, text: bytes, expect: int | None = None) -> int:
    backend.asked.clear()
    return run(backend, log.append("plan", Draft(Kind.TEXT, text), 1e9, expect=expect)).number


def logs(backend: Listened) -> tuple[VersionLog, VersionLog]:
    """The same space as two processes see it."""
    one, other = (VersionLog(backend.id, "s", ContentCache()) for _ in range(2))
    return one, other


def test_a_key_that_was_met_is_not_read_before_it_is_written() -> None:
    backend = Listened()
    log, _ = logs(backend)
    assert put(backend, log, b"first") == 1
    assert backend.asked == ["scan", "commit"]
    assert put(backend, log, b"second") == 2
    assert backend.asked == ["commit"]
    assert put(backend, log, b"third", expect=2) == 3
    assert backend.asked == ["commit"]


def test_another_writer_in_between_costs_one_commit_more_and_loses_nothing() -> None:
    backend = Listened()
    mine, theirs = logs(backend)
    put(backend, mine, b"mine")
    for count in range(3):
        put(backend, theirs, b"theirs %d" % count)
    assert put(backend, mine, b"mine again") == 5
    assert backend.asked == ["commit", "commit"]
    with pytest.raises(VersionConflict):
        put(backend, theirs, b"late", expect=4)
    found = run(backend, mine.history("plan"))
    assert [version.number for version in found if not isinstance(version, Exception)] == [5, 4, 3, 2, 1]


def test_a_space_that_was_reclaimed_counts_from_one_again() -> None:
    backend = Listened()
    mine, theirs = logs(backend)
    for _ in range(3):
        put(backend, mine, b"old")
    backend.reclaim("s")
    assert put(backend, theirs, b"new") == 1
    assert put(backend, mine, b"newer") == 2


def test_large_values_are_read_first_since_they_build_on_what_was_there() -> None:
    backend = Listened()
    log, _ = logs(backend)
    put(backend, log, b"x" * 10_000)
    put(backend, log, b"x" * 9_999 + b"y")
    assert backend.asked == ["scan", "commit"]
