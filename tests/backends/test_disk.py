"""The disk backend keeps the contract of backends."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import settings

from sharedctx.backends.base import ABSENT, PRESENT, Backend, Check, Head, Op, Put
from sharedctx.backends.disk import DiskBackend
from sharedctx.testing import BackendContract, backend_machine


def make(place: Path, clock: Callable[[], float]) -> Backend:
    return DiskBackend(place / "store", clock=clock)


class TestDisk(BackendContract):
    durable = True

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return make(place, clock)


TestDiskMachine = backend_machine(make, durable=True).TestCase
TestDiskMachine.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_small_store_keeps_a_small_log(tmp_path: Path) -> None:
    backend = DiskBackend(tmp_path)
    for count in range(500):
        backend.commit("s", [Put("p", b"v" * 500, f"row {count}")])
    assert (tmp_path / "cache.db-wal").stat().st_size < 512 << 10
    backend.close()


def test_many_rows_in_one_commit_replace_those_that_are_there(tmp_path: Path) -> None:
    backend = DiskBackend(tmp_path)
    names = [f"row {count:02d}" for count in range(20)]
    for held in ([names[0]], [names[-1]], names[5:9], names):
        backend.commit("s", [Put("p", held[0].encode(), name) for name in held])
        backend.commit("s", [Put("p", b"new", name) for name in names])
        assert [(row.sk, row.value) for row in backend.scan("s", "p", "")] == [(name, b"new") for name in names]
        backend.reclaim("s")
    backend.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are listed by Linux alone")
def test_a_commit_of_puts_raises_the_revision_by_their_number(tmp_path: Path) -> None:
    backend = DiskBackend(tmp_path)
    assert backend.counts_puts
    commits: list[tuple[str, list[Op]]] = [
        ("s", [Put("p", b"one")]),
        ("s", [Put("p", b"two"), Put("q", b"one"), Put("r", b"row", "a"), Check("r", ABSENT, "b")]),
        ("other", [Put("r", b"row", "a"), Put("r", b"row", "b")]),
        ("s", [Put("r", b"row", name) for name in "abcdefghij"]),
        ("s", [Put("p", b"three", expires=5.0, when=Head(2)), Put("r", b"new", "a", when=PRESENT)]),
    ]
    for space, ops in commits:
        before = backend.rev(space)
        rev, _ = backend.commit(space, ops)
        assert rev == backend.rev(space) == before + sum(isinstance(op, Put) for op in ops)
        changed = backend.changes(space, before)
        assert sorted((each.pk, each.op) for each in changed) == sorted(
            (op.pk, "put") for op in ops if isinstance(op, Put)
        )
    backend.close()


def test_threads_that_come_and_go_open_no_files(tmp_path: Path) -> None:
    backend = DiskBackend(tmp_path)
    done, leave = Barrier(21), Barrier(21)

    def visit(name: int) -> None:
        for count in range(4):
            backend.commit("s", [Put("p", b"v", f"{name:02d} {count}")])
        done.wait(30)
        leave.wait(30)

    def files() -> list[str]:
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        held = [os.readlink(link) for link in links if os.path.islink(link)]
        return sorted(name for name in held if name.startswith(str(tmp_path)))

    backend.commit("s", [Put("p", b"v", "first")])
    before = files()
    threads = [Thread(target=visit, args=(name,)) for name in range(20)]
    for thread in threads:
        thread.start()
    done.wait(30)
    during = files()
    leave.wait(30)
    for thread in threads:
        thread.join()
    assert during == before
    assert len(backend.scan("s", "p", "")) == 81
    backend.close()
    assert files() == []


def test_a_new_store_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    def open_together(path: Path) -> set[str]:
        ready = Barrier(8)

        def opened(_: int) -> str:
            ready.wait(30)
            backend = DiskBackend(path)
            try:
                return backend.id
            finally:
                backend.close()

        with ThreadPoolExecutor(8) as threads:
            return set(threads.map(opened, range(8)))

    for turn in range(15):
        assert len(open_together(tmp_path / f"store{turn}")) == 1


def test_groups_build_on_what_they_wrote_until_somebody_else_writes(tmp_path: Path) -> None:
    here, there = DiskBackend(tmp_path), DiskBackend(tmp_path)

    def append(backend: DiskBackend, *heads: int) -> list[int | None]:
        found = backend.commit_many([("s", [Put("p", b"%d" % n, when=Head(n, n))], None) for n in heads])
        return [None if isinstance(each, Exception) else int(each[1][0]) for each in found]

    assert append(here, 0, 1, 2) == [1, 2, 3]
    assert append(here, 3, 3, 4) == [4, None, 5]
    assert append(there, 5) == [6]
    assert append(here, 5, 6) == [None, 7]
    here.commit("s", [Put("p", b"alone")])
    assert append(here, 7, 8) == [None, 9]
    assert [row.value for row in there.scan("s", "p")][-2:] == [b"alone", b"8"]
    here.reclaim("s")
    assert append(here, 9, 0, 1) == [None, 1, 2]
    here.close()
    there.close()


def test_threads_that_end_do_not_hinder_those_that_begin_to_write(tmp_path: Path) -> None:
    """SQLite has the file alone for a moment where a connection is closed, as that of a thread that ends."""
    backend = DiskBackend(tmp_path)

    def work(name: int) -> None:
        for number in range(12):  # from the ninth on by a connection of its own
            backend.commit("s", [Put("p", b"", f"{name}-{number}")])

    def short(name: int) -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(work, name).result()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(short, range(80)))
    assert len(backend.scan("s", "p", "")) == 80 * 12
    backend.close()
