"""Memory on a shared store keeps what crewai's default loses, mixes up or leaks."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crewai.memory.storage.backend import EmbeddingDimensionMismatchError, StorageBackend
from crewai.memory.types import MemoryRecord

import sharedctx
from crewai import Memory
from sharedctx.errors import BackendUnavailable, InvalidValue, KeyNotFound
from sharedctx.testing import ManualClock
from sharedctx_crewai import ContextMemory


def record(own: str, scope: str = "/", vector: tuple[float, ...] = (1.0, 0.0), **fields: Any) -> MemoryRecord:
    return MemoryRecord(id=own, content=f"text of {own}", scope=scope, embedding=list(vector), **fields)


def ids(found: list[tuple[MemoryRecord, float]]) -> list[str]:
    return [each.id for each, _ in found]


def test_it_is_a_storage_backend_of_crewai(memory: ContextMemory) -> None:
    assert isinstance(memory, StorageBackend)


def test_a_scope_does_not_leak_into_its_siblings(memory: ContextMemory) -> None:
    memory.save([record("a", "/crew/a"), record("ab", "/crew/ab"), record("below", "/crew/a/x")])
    assert ids(memory.search([1.0, 0.0], scope_prefix="/crew/a")) == ["a", "below"]
    assert memory.count("/crew/a") == 2
    assert [each.id for each in memory.list_records("/crew/ab")] == ["ab"]
    assert memory.delete(scope_prefix="/crew/a") == 2
    assert memory.count("/crew/ab") == 1


def test_deleting_a_scope_spares_the_root(memory: ContextMemory) -> None:
    memory.save([record("root", "/"), record("a", "/a")])
    assert memory.delete(scope_prefix="/a") == 1
    assert memory.get_record("root") is not None


def test_deleting_by_age_is_by_age(memory: ContextMemory) -> None:
    long_ago = datetime.utcnow() - timedelta(days=9)
    memory.save(
        [record("old", "/a", created_at=long_ago), record("new", "/a"), record("far", "/b", created_at=long_ago)]
    )
    since = datetime.utcnow() - timedelta(days=1)
    assert memory.delete(scope_prefix="/a", older_than=since, record_ids=["old", "new", "far"]) == 1
    assert {each.id for each in memory.list_records()} == {"new", "far"}


def test_a_reset_of_a_scope_spares_names_that_start_alike(memory: ContextMemory) -> None:
    memory.save([record("a", "/crew/a"), record("dash", "/crew/a-b"), record("below", "/crew/a/c")])
    memory.reset("/crew/a")
    assert [each.id for each in memory.list_records()] == ["dash"]
    assert memory.history("a") == []


def test_deleting_by_ids_stays_within_the_scope(memory: ContextMemory) -> None:
    memory.save([record("a", "/a"), record("b", "/b")])
    assert memory.delete(scope_prefix="/a", record_ids=["a", "b"]) == 1
    assert memory.delete(record_ids=[]) == 0
    assert memory.get_record("b") is not None


def test_filters_apply_before_the_limit(memory: ContextMemory) -> None:
    memory.save([record(f"near{n}", "/a", (1.0, n / 100), categories=["x"]) for n in range(40)])
    memory.save([record("far", "/a", (0.1, 1.0), categories=["y", "z"], metadata={"k": [1], "l": 2})])
    for filters in ({"categories": ["z", "none"]}, {"metadata_filter": {"k": [1]}}):
        assert ids(memory.search([1.0, 0.0], limit=2, **filters)) == ["far"]
    assert memory.search([1.0, 0.0], metadata_filter={"k": [1], "l": 3}) == []


def test_the_score_is_the_cosine_of_vectors_of_any_length(memory: ContextMemory) -> None:
    memory.save([record("close", vector=(20.0, 11.34)), record("against", vector=(-5.0, 0.0))])
    (close, against) = memory.search([0.5, 0.0])
    assert close[1] == pytest.approx(0.87, abs=0.001)
    assert against[1] == 0.0
    assert ids(memory.search([0.5, 0.0], min_score=0.85)) == ["close"]


def test_an_id_that_is_saved_twice_is_one_record(memory: ContextMemory) -> None:
    memory.save([record("a", "/x")])
    memory.save([record("a", "/x", (0.0, 1.0)), record("b"), record("b", "/z")])
    memory.save([record("a", "/y", (0.0, 1.0))])
    assert memory.count() == 2
    assert (memory.count("/x"), memory.count("/y"), memory.count("/z")) == (0, 1, 1)
    assert ids(memory.search([1.0, 0.0])) == ["b", "a"]


def test_an_id_that_is_saved_in_several_scopes_at_the_same_time_is_one_record(memory: ContextMemory) -> None:
    together = threading.Barrier(3)

    def save(scope: str) -> None:
        for n in range(40):
            together.wait()
            memory.save([record(f"r{n}", scope)])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(save, ("/x", "/y", "/z")))
    assert sorted(each.id for each in memory.list_records()) == sorted(f"r{n}" for n in range(40))
    assert len(memory.search([1.0, 0.0], limit=200)) == memory.delete(record_ids=[f"r{n}" for n in range(40)]) == 40


def test_a_session_with_limits_keeps_records_that_move(store: sharedctx.Store) -> None:
    memory = ContextMemory(store.session("small", max_store_tokens=10_000))
    memory.save([record(own, "/x") for own in "abc"])
    memory.update(record("b", "/y"))
    assert {each.id: each.scope for each in memory.list_records()} == {"a": "/x", "b": "/y", "c": "/x"}


def test_an_update_keeps_what_crewai_drops(memory: ContextMemory) -> None:
    made = record("a", "/a", source="ann", private=True, created_at=datetime(2024, 1, 2))
    memory.save([made])
    merged = MemoryRecord(id="a", content="merged", scope="/a", embedding=[0.0, 1.0])
    memory.update(merged)
    found = memory.get_record("a")
    assert found is not None
    assert (found.content, found.source, found.private) == ("merged", "ann", True)
    assert found.created_at == datetime(2024, 1, 2)
    memory.update(found.model_copy(update={"private": False, "source": None}))
    found = memory.get_record("a")
    assert found is not None
    assert (found.source, found.private) == (None, False)


def test_history_and_rollback_over_updates_moves_and_deletion(memory: ContextMemory) -> None:
    memory.save([record("a", "/old")])
    memory.update(record("a", "/old", (0.0, 1.0)).model_copy(update={"content": "second"}))
    memory.update(record("a", "/new", (0.5, 0.5)).model_copy(update={"content": "third"}))
    memory.delete(record_ids=["a"])
    history = memory.history("a")
    assert [each.record and each.record.content for each in history] == [None, "third", "second", "text of a"]
    assert [each.version for each in history] == [4, 3, 2, 1]
    assert memory.get_record("a") is None
    back = memory.rollback("a", 2)
    assert (back.content, back.scope, back.embedding) == ("second", "/old", [0.0, 1.0])
    assert ids(memory.search([0.0, 1.0])) == ["a"]
    with pytest.raises(KeyNotFound, match="no state 9"):
        memory.rollback("a", 9)


def test_other_dimensions_are_refused_until_a_reset(memory: ContextMemory) -> None:
    memory.save([record("a")])
    for refused in (
        lambda: memory.save([record("b", vector=(1.0, 2.0, 3.0))]),
        lambda: memory.update(record("a", vector=(1.0,))),
        lambda: memory.search([1.0]),
    ):
        with pytest.raises(EmbeddingDimensionMismatchError):
            refused()
    assert memory.count() == 1
    memory.reset()
    memory.save([record("b", vector=(1.0, 2.0, 3.0))])
    assert ids(memory.search([1.0, 2.0, 3.0])) == ["b"]


def test_other_dimensions_after_a_reset_are_those_of_later_processes_too(tmp_path: Path) -> None:
    with ContextMemory.from_path(tmp_path / "store") as memory:
        memory.save([record("a", vector=(1.0, 2.0, 3.0))])
        memory.reset()
        memory.save([record("b")])
    with ContextMemory.from_path(tmp_path / "store") as memory:
        assert ids(memory.search([1.0, 0.0])) == ["b"]


def test_time_to_live_by_record_and_by_scope() -> None:
    clock = ManualClock()
    with sharedctx.open("memory://", clock=clock) as store:
        memory = ContextMemory(store, ttl={"/tmp": 60, "/tmp/long": 600})
        memory.save(
            [record("own", "/tmp", metadata={"ttl": 5}), record("short", "/tmp/x"), record("long", "/tmp/long/y")]
        )
        memory.save([record("kept", "/a")])
        for seconds, left in ((5, {"short", "long", "kept"}), (55, {"long", "kept"}), (540, {"kept"})):
            clock.advance(seconds)
            assert set(ids(memory.search([1.0, 0.0]))) == {each.id for each in memory.list_records()} == left
            assert memory.count() == len(left)
        for bad in ("soon", math.nan, 10**400):
            with pytest.raises(InvalidValue, match="'bad'"):
                memory.save([record("bad", metadata={"ttl": bad})])


def test_scopes_and_categories_are_told(memory: ContextMemory) -> None:
    memory.save([record("a", "/crew/a", categories=["x", "y"]), record("b", "crew/b/", categories=["x"]), record("c")])
    assert memory.list_scopes() == ["/crew"]
    assert memory.list_scopes("/crew") == ["/crew/a", "/crew/b"]
    assert memory.list_categories("/crew") == {"x": 2, "y": 1}
    info = memory.get_scope_info("/crew/")
    assert (info.path, info.record_count, info.categories) == ("/crew", 2, ["x", "y"])
    assert info.child_scopes == ["/crew/a", "/crew/b"]
    assert memory.get_scope_info("/none").record_count == 0


def test_touching_makes_no_version(memory: ContextMemory) -> None:
    memory.save([record("a", last_accessed=datetime(2020, 1, 1))])
    memory.touch_records(["a"])
    found = memory.get_record("a")
    assert found is not None
    assert found.last_accessed > datetime(2020, 1, 1)
    assert len(memory.history("a")) == 1


def test_the_last_access_is_the_later_of_a_touch_and_of_what_was_written(memory: ContextMemory) -> None:
    later = datetime(2099, 1, 1)
    memory.save([record("a")])
    memory.touch_records(["a"])
    for write in (memory.update, lambda one: memory.save([one])):
        write(record("a", last_accessed=later))
        found = memory.get_record("a")
        assert found is not None
        assert found.last_accessed == later


def test_a_reset_forgets_when_records_were_touched(memory: ContextMemory) -> None:
    early = datetime(2020, 1, 1)
    memory.save([record("a")])
    memory.touch_records(["a"])
    memory.reset()
    memory.save([record("a", last_accessed=early)])
    found = memory.get_record("a")
    assert found is not None
    assert found.last_accessed == early


@pytest.mark.parametrize("odd", ["a/b", "..", "x" * 900, "é\u0301", "with space", "line\nbreak", "~", "%", "ü"])
def test_any_id_and_scope_can_be_kept(memory: ContextMemory, odd: str) -> None:
    memory.save([record(odd, f"/{odd}/x"), record("plain", "/plain")])
    found = memory.get_record(odd)
    assert found is not None
    assert (found.id, found.scope) == (odd, f"/{odd}/x")
    assert memory.count(f"/{odd}") == 1
    assert len(memory.history(odd)) == 1
    assert memory.delete(record_ids=[odd]) == 1


def test_records_are_entries_of_the_session(memory: ContextMemory, store: sharedctx.Store) -> None:
    memory.save([record("a", "/crew/a", categories=["x"])])
    assert store.session().keys("memory/") == ["memory/crew/a/a"]
    assert "text of a" in (store.session().get("memory/crew/a/a") or "")
    store.session().delete("memory/crew/a/a")
    assert memory.get_record("a") is None
    assert memory.search([1.0, 0.0]) == []


def test_many_records_at_once_and_asynchronously(memory: ContextMemory) -> None:
    async def main() -> None:
        await memory.asave([record(f"r{n}", "/many", (1.0, n / 10)) for n in range(205)])
        assert ids(await memory.asearch([1.0, 0.0], limit=3)) == ["r0", "r1", "r2"]
        assert await memory.adelete(scope_prefix="/many", record_ids=["r0"]) == 1

    asyncio.run(main())
    assert memory.count() == 204


def test_what_was_opened_here_alone_is_closed(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        given = ContextMemory(store)
        given.save([record("a")])
        given.close()
        assert store.session().keys() == ["memory/a"]
    with ContextMemory.from_path(tmp_path / "store") as own:
        assert own.count() == 1
        own.close()
        assert own.count() == 1


def test_a_save_that_fails_is_told_by_crewai_and_never_taken_for_the_end_of_the_process() -> None:
    store = sharedctx.open("memory://")
    crews = Memory(storage=ContextMemory(store), embedder=lambda texts: [[1.0, 0.0] for _ in texts], llm="none")
    store.close()
    with pytest.raises(BackendUnavailable, match="closed") as failed:
        crews.remember("a fact", scope="/x", categories=["c"], importance=0.5)
    assert not isinstance(failed.value, RuntimeError)  # of which crewai drops some without a word


@pytest.mark.parametrize("dimensions", [3, 7])
def test_search_is_exact(memory: ContextMemory, dimensions: int) -> None:
    chance = random.Random(dimensions)
    vectors = {f"r{n}": [chance.gauss(0, 1) for _ in range(dimensions)] for n in range(300)}
    memory.save([record(own, "/odd" if n % 3 else "/even", tuple(v)) for n, (own, v) in enumerate(vectors.items())])
    query = [chance.gauss(0, 1) for _ in range(dimensions)]

    def cosine(vector: list[float]) -> float:
        return sum(a * b for a, b in zip(vector, query, strict=True)) / math.hypot(*vector) / math.hypot(*query)

    best = sorted(vectors, key=lambda own: -cosine(vectors[own]))
    assert ids(memory.search(query, limit=20)) == best[:20]
    odd = [own for own in best if int(own[1:]) % 3][:20]
    assert ids(memory.search(query, limit=20, scope_prefix="/odd")) == odd
