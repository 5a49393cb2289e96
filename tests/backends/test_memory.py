"""The memory backend keeps the contract of backends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings

from sharedctx.backends.base import Backend, Put
from sharedctx.backends.memory import MemoryBackend
from sharedctx.errors import BackendUnavailable
from sharedctx.testing import BackendContract, backend_machine


def make(_: Path, clock: Callable[[], float]) -> Backend:
    return MemoryBackend(clock=clock)


class TestMemory(BackendContract):
    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return make(place, clock)


TestMemoryMachine = backend_machine(make).TestCase
TestMemoryMachine.settings = settings(max_examples=60, stateful_step_count=40)


def test_two_stores_of_one_name_share_nothing() -> None:
    one, other = MemoryBackend("shared"), MemoryBackend("shared")
    one.commit("s", [Put("p", b"x")])
    assert other.spaces() == []
    assert one.id != other.id


@pytest.mark.parametrize(("name", "address"), [(None, "memory://"), ("notes", "memory://notes")])
def test_the_store_tells_its_address_and_what_it_holds(name: str | None, address: str) -> None:
    backend = MemoryBackend(name)
    backend.commit("s", [Put("p", b"12345"), Put("p", b"123", sk="r")])
    backend.commit("s", [Put("p", b"1", sk="r")])
    facts = backend.describe()
    assert (facts["kind"], facts["address"], facts["bytes"]) == ("memory", address, 6)
    backend.reclaim("s")
    assert backend.describe()["bytes"] == 0


def test_closing_ends_a_wait() -> None:
    backend = MemoryBackend()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(backend.wait, "s", 0, 20.0)
        backend.close()
        with pytest.raises(BackendUnavailable):
            waiting.result(5.0)
