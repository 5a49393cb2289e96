"""The Redis backend keeps the contract of backends, on Valkey and on Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from sharedctx.backends.base import Backend, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.testing import BackendContract, backend_machine


def prefix(place: Path) -> str:
    return f"{place.parent.name}-{place.name}".replace("{", "").replace("}", "")


class OnRedis(BackendContract):
    durable = True
    program = ""

    @pytest.fixture(autouse=True)
    def _server(self, redis_servers: Callable[[str], str]) -> None:
        self.server = redis_servers(self.program)

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return RedisBackend(f"{self.server}?prefix={prefix(place)}", clock=clock)


class TestValkey(OnRedis):
    program = "valkey-server"


class TestRedis(OnRedis):
    program = "redis-server"


def test_more_spaces_are_waited_for_than_a_pool_of_connections_has_by_default(redis_url: str) -> None:
    backend = RedisBackend(redis_url)
    woken: list[bool] = []
    waiting = [threading.Thread(target=lambda n=n: woken.append(backend.wait(f"s{n}", 0, 20))) for n in range(120)]
    for thread in waiting:
        thread.start()
    for n in range(120):
        backend.commit(f"s{n}", [Put("p", b"x")])
    for thread in waiting:
        thread.join()
    backend.close()
    assert woken == [True] * 120


@pytest.mark.parametrize("program", ["valkey-server", "redis-server"])
def test_any_course_of_commits_is_as_in_the_model(redis_servers: Callable[[str], str], program: str) -> None:
    server = redis_servers(program)

    def make(place: Path, clock: Callable[[], float]) -> Backend:
        return RedisBackend(f"{server}?prefix={prefix(place)}", clock=clock)

    machine: Any = backend_machine(make, durable=True)
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30))
