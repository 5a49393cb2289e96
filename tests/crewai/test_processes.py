"""Processes share one memory: an open reader sees what others save, and a killed one loses nothing it acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from crewai.memory.storage.backend import EmbeddingDimensionMismatchError
from crewai.memory.types import MemoryRecord

import sharedctx
from sharedctx_crewai import ContextMemory

SAVER = Path(__file__).with_name("saver.py")
COUNT = 60


@pytest.fixture(params=["disk", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store that processes can share."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else f"disk://{tmp_path}/store"


@pytest.fixture
def save(fork_server: Callable[[str], Any], place: str) -> Callable[[str, int], Any]:
    """Start a process that saves memories."""
    server = fork_server("import redis, crewai.memory.types, sharedctx_crewai")
    return lambda name, count: server.start(SAVER, place, name, count)


def test_an_open_reader_sees_all_that_three_processes_save(place: str, save: Callable[[str, int], Any]) -> None:
    with ContextMemory.from_url(place) as reader:
        assert reader.count() == 0
        for saver in [save(name, COUNT) for name in "abc"]:
            for line in saver.stdout:
                assert reader.get_record(line.decode().strip()) is not None
            saver.finish()
        assert reader.count() == 3 * COUNT
        assert {name: reader.count(f"/{name}") for name in "abc"} == dict.fromkeys("abc", COUNT)
        found = reader.search([1.0, 0.0, 1.0], limit=3 * COUNT)
        assert {each.id for each, _ in found} == {f"{name}-{n}" for name in "abc" for n in range(COUNT)}


def test_a_saver_that_is_killed_loses_nothing_it_acknowledged(place: str, save: Callable[[str, int], Any]) -> None:
    acknowledged: list[str] = []
    for number, saver in enumerate([save(f"s{n}", 0) for n in range(2)]):
        for line in saver.stdout:
            acknowledged.append(line.decode().strip())
            if acknowledged[-1] == f"s{number}-{70 + 31 * number}":
                break
        saver.kill()
        code, rest, _ = saver.end()
        assert code == -9
        acknowledged += [line.decode().strip() for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    with sharedctx.open(place) as store:
        memory = ContextMemory(store)
        assert {each.id for each in memory.list_records(limit=10**6)} >= set(acknowledged)
        assert (
            len(memory.search([1.0, 1.0, 1.0], limit=10**6)) == memory.count() == len(store.session().keys("memory/"))
        )
        assert store.doctor() == []


def test_who_saves_other_dimensions_at_the_same_time_is_told_as_if_it_came_later(
    place: str, save: Callable[[str, int], Any]
) -> None:
    with ContextMemory.from_url(place) as memory:

        def while_another_saves() -> Iterator[MemoryRecord]:
            save("first", 1).finish()
            yield MemoryRecord(id="second", content="text", embedding=[1.0, 0.0])

        with pytest.raises(EmbeddingDimensionMismatchError):
            memory.save(while_another_saves())  # type: ignore[arg-type]
        assert [record.id for record in memory.list_records()] == ["first-0"]


def test_what_others_touch_is_seen_by_who_had_read_it_untouched(place: str) -> None:
    with ContextMemory.from_url(place) as memory, ContextMemory.from_url(place) as other:
        memory.save([MemoryRecord(id=name, content=name, last_accessed=datetime(2020, 1, 1)) for name in "ab"])
        for name in "ab":
            found = memory.get_record(name)
            assert found is not None
            assert found.last_accessed == datetime(2020, 1, 1)
        other.touch_records(["a"])
        first, second = memory.get_record("a"), memory.get_record("b")
        assert first is not None
        assert second is not None
        assert first.last_accessed > datetime(2020, 1, 1) == second.last_accessed
