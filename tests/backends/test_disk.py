"""The disk backend keeps the contract of backends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from hypothesis import settings

from sharedctx.backends.base import Backend
from sharedctx.backends.disk import DiskBackend
from sharedctx.testing import BackendContract, backend_machine


def make(place: Path, clock: Callable[[], float]) -> Backend:
    return DiskBackend(place / "store", clock=clock)


class TestDisk(BackendContract):
    durable = True

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return make(place, clock)


TestDiskMachine = backend_machine(make, durable=True).TestCase
TestDiskMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


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
