"""The disk backend keeps the contract of backends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
