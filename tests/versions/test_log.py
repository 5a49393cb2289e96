"""Appending where a version is expected: what was seen need not be read again, and what others wrote is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from sharedctx.backends.base import ABSENT, Drop, Op, Put
from sharedctx.backends.disk import DiskBackend
from sharedctx.backends.memory import MemoryBackend
from sharedctx.backends.steps import Steps, run
from sharedctx.errors import VersionConflict
from sharedctx.versions.codec import Kind
from sharedctx.versions.log import ContentCache, Draft, VersionLog


def log(backend: MemoryBackend | DiskBackend) -> VersionLog:
    return VersionLog(backend.id, "space", ContentCache())


def calls(backend: MemoryBackend | DiskBackend, work: Steps[object]) -> list[str]:
    """Drive steps and return which calls they made."""
    made = []
    try:
        call = next(work)
        while True:
            made.append(call.method)
            call = work.send(getattr(backend, call.method)(*call.args, **call.options))
    except StopIteration:
        return made


def test_a_version_that_was_seen_to_be_live_is_not_read_again_to_write_onto_it() -> None:
    backend = MemoryBackend()
    mine = log(backend)
    run(backend, mine.append("k", Draft(Kind.TEXT, b"one"), 1.0))
    assert calls(backend, mine.append("k", Draft(Kind.TEXT, b"two"), 2.0, expect=1)) == ["commit"]
    other = log(backend)
    run(backend, other.head("k"))
    assert calls(backend, other.append("k", Draft(Kind.TEXT, b"three"), 3.0, expect=2)) == ["commit"]


def test_what_others_wrote_meanwhile_is_a_conflict_that_tells_their_version(tmp_path: Path) -> None:
    here, there = DiskBackend(tmp_path), DiskBackend(tmp_path)
    mine, theirs = log(here), log(there)
    run(here, mine.append("k", Draft(Kind.TEXT, b"one"), 1.0))
    run(there, theirs.append("k", Draft(Kind.TEXT, b"two", "them"), 2.0, expect=1))
    with pytest.raises(VersionConflict, match="version 2 by 'them'") as conflict:
        run(here, mine.append("k", Draft(Kind.TEXT, b"lost"), 3.0, expect=1))
    assert (conflict.value.expected, conflict.value.actual) == (1, 2)
    run(there, theirs.append("k", Draft(Kind.GONE, b""), 4.0, expect=2))
    with pytest.raises(VersionConflict, match="not there"):
        run(here, mine.append("k", Draft(Kind.TEXT, b"lost"), 5.0, expect=2))
    here.close()
    there.close()


def test_a_version_with_an_end_or_a_removal_is_judged_anew() -> None:
    backend = MemoryBackend()
    mine = log(backend)
    run(backend, mine.append("k", Draft(Kind.TEXT, b"one", expires=backend.now() - 1), 1.0))
    with pytest.raises(VersionConflict, match="not there"):
        run(backend, mine.append("k", Draft(Kind.TEXT, b"two"), 2.0, expect=1))
    run(backend, mine.append("k", Draft(Kind.GONE, b""), 3.0))
    with pytest.raises(VersionConflict, match="not there"):
        run(backend, mine.append("k", Draft(Kind.TEXT, b"two"), 4.0, expect=2))


@pytest.mark.parametrize("size", [3, 3000])
def test_where_versions_were_dropped_the_next_one_is_written_once_under_its_own_number(size: int) -> None:
    backend = MemoryBackend()
    mine = log(backend)
    for n in range(3):
        run(backend, mine.append("k", Draft(Kind.TEXT, bytes([65 + n]) * size), 1.0))
    backend.commit("space", [Drop("k", number) for number in (1, 2, 3)])
    since = backend.rev("space")
    other = log(backend)
    extra = (Put("beside", b"row", sk="r", when=ABSENT),)
    version = run(backend, other.append("k", Draft(Kind.TEXT, b"D" * size), 2.0, expect=0, extra=extra))
    assert version.number == 4
    assert [change[1:] for change in backend.changes("space", since)] == [("k", 4, "put"), ("beside", "r", "put")]
    assert run(backend, log(backend).content(version)) == b"D" * size


def test_several_keys_written_together_are_written_once_where_versions_were_dropped() -> None:
    backend = MemoryBackend()
    mine = log(backend)
    for key in "ab":
        run(backend, mine.append(key, Draft(Kind.TEXT, b"one"), 1.0))
    backend.commit("space", [Drop("a", 1), Drop("b", 1)])
    since = backend.rev("space")

    def nothing(numbers: list[int]) -> Steps[tuple[Op, ...]]:
        yield from ()
        return ()

    drafts = [(key, Draft(Kind.TEXT, b"two")) for key in "ab"]
    versions = run(backend, mine.append_together(drafts, 2.0, nothing, {}))
    assert [version.number for version in versions] == [2, 2]
    assert [change[1:] for change in backend.changes("space", since)] == [("a", 2, "put"), ("b", 2, "put")]


@pytest.mark.parametrize("told", [{}, {"a": 0, "b": 0}, {"a": 1, "b": 7}, {"a": 3, "b": 2}])
def test_what_the_caller_thinks_to_be_the_newest_need_not_be_right(told: dict[str, int]) -> None:
    backend = MemoryBackend()
    theirs = log(backend)
    for key, count in (("a", 1), ("b", 2)):
        for n in range(count):
            run(backend, theirs.append(key, Draft(Kind.TEXT, bytes([n])), 1.0))
    asked: list[list[int]] = []

    def tell(numbers: list[int]) -> Steps[tuple[Op, ...]]:
        asked.append(numbers)
        yield from ()
        return ()

    drafts = [(key, Draft(Kind.TEXT, b"new")) for key in "abc"]
    versions = run(backend, log(backend).append_together(drafts, 2.0, tell, told))
    assert [version.number for version in versions] == [2, 3, 1] == asked[-1]
    assert [run(backend, theirs.newest(key)) for key in "abc"] == versions


def test_what_is_written_together_is_not_read_first_where_it_is_known() -> None:
    backend = MemoryBackend()
    mine = log(backend)

    def nothing(numbers: list[int]) -> Steps[tuple[Op, ...]]:
        yield from ()
        return ()

    drafts = [(key, Draft(Kind.TEXT, b"text")) for key in "ab"]
    assert calls(backend, mine.append_together(drafts, 1.0, nothing, {"a": 0, "b": 0})) == ["commit"]
    assert calls(backend, mine.append_together(drafts, 2.0, nothing, {})) == ["commit"]


@pytest.mark.parametrize("size", [3, 9000])
def test_what_was_known_of_a_space_that_was_deleted_and_made_anew_is_not_built_upon(tmp_path: Path, size: int) -> None:
    here, there = DiskBackend(tmp_path), DiskBackend(tmp_path)
    mine, theirs = log(here), log(there)
    words = [bytes([n, 10]) * (size // 2) for n in range(65, 70)]
    run(here, mine.append("k", Draft(Kind.TEXT, words[0]), 1.0))
    first = here.scan("space", "k")[0]
    _, newest = run(here, mine.append_to("k", first, Draft(Kind.TEXT, words[1]), 1.0))
    there.reclaim("space")
    for n, kind in ((2, Kind.TEXT), (3, Kind.GONE)):
        run(there, theirs.append("k", Draft(kind, words[n] if kind is Kind.TEXT else b""), 2.0))
    with pytest.raises(VersionConflict):
        run(here, mine.append_to("k", newest, Draft(Kind.TEXT, words[4]), 3.0, content=words[1]))
    with pytest.raises(VersionConflict, match="not there"):
        run(here, mine.append("k", Draft(Kind.TEXT, words[4]), 3.0, expect=2))
    written = run(here, mine.append("k", Draft(Kind.TEXT, words[4]), 3.0))
    assert written.number == 3
    assert run(there, theirs.content(run(there, theirs.head("k")) or written)) == words[4]
    here.close()
    there.close()
