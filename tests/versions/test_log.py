"""Appending where a version is expected: what was seen need not be read again, and what others wrote is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

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
