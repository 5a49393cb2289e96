"""A store whose directory goes away under those who have it open, and openers and writers that stand still: each is
told, nothing is acknowledged that is lost, nobody waits for ever."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.backends.disk import DiskBackend, alone
from sharedctx.errors import BackendUnavailable
from sharedctx.testing import ManualClock


@pytest.fixture
def held(path: Path) -> Iterator[Path]:
    """A store whose writer lock somebody holds who does not go on."""
    with contextlib.closing(sqlite3.connect(path / "cache.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield path


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("written", [False, True])
def test_writing_to_a_store_that_was_removed_is_told(path: Path, replaced: bool, written: bool) -> None:
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        if written:
            ctx.put("k00", "before")
        shutil.rmtree(path)
        if replaced:
            backend = DiskBackend(path)
            backend.commit("s", [Put("p", b"theirs")])
            backend.close()
        ends, told = time.monotonic() + 30, False
        while not told and time.monotonic() < ends:
            try:
                ctx.put("k00", "after")
            except BackendUnavailable:
                told = True
        with pytest.raises(BackendUnavailable, match="removed or replaced"):
            ctx.put("k00", "still")
    assert path.exists() is replaced
    with sharedctx.open(path) as store:
        assert store.session("s").put("k00", "anew").version == 1


def test_a_store_whose_writer_stands_still_is_opened_and_read_and_writing_is_told(held: Path) -> None:
    backend = DiskBackend(held, busy=0.1)
    assert len(backend.pks("session:s")) == 20
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match=r"stayed locked by another writer for 0\.1 s"):
            backend.commit("s", [Put("p", b"x")])
    backend.close()


def test_an_opener_that_stands_still_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_PATIENCE", 0.1)
    opening = os.open(path, os.O_RDONLY)
    fcntl.flock(opening, fcntl.LOCK_EX)
    try:
        with pytest.raises(BackendUnavailable, match="look for a stopped one"):
            DiskBackend(path)
    finally:
        os.close(opening)
    DiskBackend(path).close()


@pytest.mark.parametrize("gone", [["wal"], ["shm"], ["wal", "shm"]])
@pytest.mark.parametrize("replaced", [False, True])
def test_writing_on_when_the_log_was_removed_is_told_and_keeps_what_was_acknowledged(
    path: Path, gone: list[str], replaced: bool
) -> None:
    kept = 0
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        ctx.put("n0", "before")
        for name in gone:
            (path / f"cache.db-{name}").unlink()
            if replaced:
                (path / f"cache.db-{name}").touch()
        ends, told = time.monotonic() + 30, False
        while not told and time.monotonic() < ends:
            try:
                ctx.put(f"n{kept + 1}", "after")
                kept += 1
            except BackendUnavailable:
                told = True
        with pytest.raises(BackendUnavailable, match=r"cache\.db-wal or cache\.db-shm of the store .* was removed"):
            ctx.put("k00", "still")
        assert ctx.get("n0") == "before"
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        assert [ctx.get(f"n{n}") for n in range(kept + 1)] == ["before", *["after"] * kept]
        assert store.doctor() == []


def test_a_thread_that_meets_the_place_of_a_removed_log_is_told(path: Path) -> None:
    with sharedctx.open(path) as store, ThreadPoolExecutor(1) as other:
        ctx = store.session("s")
        written = ctx.put("k00", "before").version
        (path / "cache.db-wal").unlink()

        def write_on() -> None:
            nonlocal written
            while written < 10_000:
                written = ctx.put("k00", "after").version

        with pytest.raises(BackendUnavailable, match=r"cache\.db-wal"):
            other.submit(write_on).result()
    with sharedctx.open(path) as store:
        head = store.session("s").get_entry("k00")
        assert head is not None
        assert head.version == written


def test_a_log_that_sqlite_itself_removed_and_made_anew_is_no_fault(path: Path) -> None:
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        for n in range(3):
            with ThreadPoolExecutor(1) as ending:  # whose connection ends with it
                ending.submit(ctx.put, "k00", f"{n}").result()
        with sharedctx.open(path, clock=ManualClock()) as another:
            another.session("s").put("k00", "another")
        assert ctx.put("k00", "last").version == 6
