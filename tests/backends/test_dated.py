"""Local backends tell the revision of a space along with the newest version of a partition."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sharedctx import Keyring
from sharedctx.backends.base import NEXT, Backend, Drop, Put, Refused
from sharedctx.backends.capabilities import Dated
from sharedctx.backends.disk import DiskBackend
from sharedctx.backends.encrypted import Encrypted
from sharedctx.backends.memory import MemoryBackend
from sharedctx.errors import BackendUnavailable, InvalidKey
from sharedctx.testing import ManualClock

KEYS = Keyring({"one": bytes(range(32))})


class Undated:
    """A backend without the capability."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "newest":
            raise AttributeError(name)
        return getattr(self._inner, name)


@pytest.fixture(params=["memory", "disk", "encrypted", "encrypted, over one that is not dated"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    inner: Any = MemoryBackend() if request.param == "memory" else DiskBackend(tmp_path / "store")
    if request.param.endswith("not dated"):
        inner = Undated(inner)
    made: Backend = Encrypted(inner, KEYS) if request.param.startswith("encrypted") else inner
    yield made
    made.close()


def newest(backend: Backend, space: str, pk: str) -> Any:
    assert isinstance(backend, Dated)
    return backend.newest(space, pk)


def test_it_is_the_newest_row_with_the_revision_of_the_space(backend: Backend) -> None:
    assert newest(backend, "s", "p") is None
    backend.commit("s", [Put("p", b"one", expires=5.0)])
    backend.commit("s", [Put("p", b"two", expires=7.5)])
    backend.commit("s", [Put("q", b"other")])
    backend.commit("s", [Put("p", b"a row", "text")])
    row, rev = newest(backend, "s", "p")
    assert [row] == backend.scan("s", "p", limit=1, newest_first=True)
    assert (row.value, row.sk, row.expires) == (b"two", 2, 7.5)
    assert rev == backend.rev("s")
    backend.commit("s", [Drop("p", 2)])
    row, rev = newest(backend, "s", "p")
    assert row.value == b"one"
    assert rev == backend.rev("s")
    assert newest(backend, "s", "text") is None


def test_its_clock_is_what_is_known_of_the_stores(tmp_path: Path) -> None:
    ahead, behind = ManualClock(2000.0), ManualClock(1000.0)
    first, second = (DiskBackend(tmp_path / "store", clock=clock) for clock in (ahead, behind))
    assert (first.clock(), second.clock()) == (2000.0, 1000.0)
    assert first.expired(1500.0)
    assert second.clock() == 1000.0
    assert second.now() == 2000.0
    assert second.clock() == 2000.0
    behind.set(3000.0)
    assert second.clock() == 3000.0
    for backend in (first, second):
        backend.close()


def test_names_are_checked_and_a_closed_store_says_so(backend: Backend) -> None:
    for space, pk in (("", "p"), ("s", ""), ("s", "\ud800"), (3, "p")):
        with pytest.raises(InvalidKey):
            newest(backend, space, pk)  # type: ignore[arg-type]
    backend.close()
    with pytest.raises(BackendUnavailable):
        newest(backend, "s", "p")


def test_a_foreign_row_is_what_a_scan_says_of_it(tmp_path: Path) -> None:
    backend = DiskBackend(tmp_path / "store")
    backend.commit("s", [Put("p", b"one", NEXT)])
    backend.close()
    con = sqlite3.connect(tmp_path / "store" / "cache.db")
    with con:
        assert con.execute("UPDATE Cache SET tag = CAST(x'ff' AS TEXT) WHERE value = x'6f6e65'").rowcount == 1
    con.close()
    backend = DiskBackend(tmp_path / "store")
    (row,) = backend.scan("s", "p", limit=1, newest_first=True)
    assert isinstance(row.value, Refused)
    found, rev = newest(backend, "s", "p")
    assert isinstance(found.value, Refused)
    assert (found, rev) == (row, backend.rev("s"))
    backend.close()
