"""What memory cannot keep or look for is refused by name, and nothing is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from crewai.memory.types import MemoryRecord

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.errors import DecodeError, InvalidValue
from sharedctx_crewai import ContextMemory


def record(own: str, **fields: Any) -> MemoryRecord:
    return MemoryRecord(id=own, content=f"text of {own}", embedding=[1.0, 0.0], **fields)


def ids(found: list[tuple[MemoryRecord, float]]) -> list[str]:
    return [each.id for each, _ in found]


@pytest.mark.parametrize("bad", [object(), b"\xff", math.nan, {"deep": [1, math.inf]}, {"\ud800": 1}])
def test_metadata_that_is_no_json_is_refused_by_the_name_of_its_record(memory: ContextMemory, bad: object) -> None:
    with pytest.raises(InvalidValue, match="'odd'"):
        memory.save([record("fine"), record("odd", metadata={"k": bad})])
    with pytest.raises(InvalidValue, match="MemoryRecord"):
        memory.save([{"id": "a", "content": "text", "embedding": None}])  # type: ignore[list-item]
    assert memory.count() == 0


def test_a_vector_that_is_refused_keeps_out_all_that_was_to_be_saved_with_it(memory: ContextMemory) -> None:
    many = [record(f"r{n}") for n in range(200)]
    many[150].embedding = [math.nan, 1.0]
    with pytest.raises(InvalidValue, match="r150"):
        memory.save(many)
    assert memory.count() == 0


def test_a_text_in_the_place_of_a_list_deletes_nothing(memory: ContextMemory) -> None:
    memory.save([record("a", categories=["x"]), record("b", categories=["y"])])
    for given in ({"record_ids": "ab"}, {"categories": "xy"}, {"metadata_filter": ["k"]}):
        with pytest.raises(InvalidValue, match=next(iter(given))):
            memory.delete(**given)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="categories"):
        memory.search([1.0, 0.0], categories="xy")  # type: ignore[arg-type]
    assert memory.count() == 2


def test_arguments_that_make_no_sense_are_refused_by_name(memory: ContextMemory) -> None:
    memory.save([record("a")])
    calls: list[tuple[str, Callable[[Any], object], Any]] = [
        ("limit", lambda bad: memory.search([1.0, 0.0], limit=bad), "3"),
        ("limit", lambda bad: memory.list_records(limit=bad), None),
        ("offset", lambda bad: memory.list_records(offset=bad), 1.5),
        ("min_score", lambda bad: memory.search([1.0, 0.0], min_score=bad), math.nan),
        ("the query", lambda bad: memory.search(bad), 3),
        ("scope", lambda bad: memory.search([1.0, 0.0], scope_prefix=bad), 3),
        ("scope", lambda bad: memory.count(bad), b"/a"),
        ("scope", lambda bad: memory.reset(bad), 3),
        ("categories", lambda bad: memory.search([1.0, 0.0], categories=bad), 3),
        ("record_ids", lambda bad: memory.delete(record_ids=bad), 3),
        ("record_ids", lambda bad: memory.touch_records(bad), "a"),
        ("metadata_filter", lambda bad: memory.search([1.0, 0.0], metadata_filter=bad), {("a", 1): 2}),
        ("older_than", lambda bad: memory.delete(older_than=bad), "2020-01-01"),
        ("the id", lambda bad: memory.get_record(bad), ["a"]),
        ("the id", lambda bad: memory.history(bad), 3),
        ("version", lambda bad: memory.rollback("a", bad), "1"),
        ("list", lambda bad: memory.save(bad), 3),
        ("the id", lambda bad: memory.save([bad]), MemoryRecord.model_construct(id=3, content="c", scope="/")),
        ("content", lambda bad: memory.save([bad]), MemoryRecord.model_construct(id="b", content=3, scope="/")),
        ("scope", lambda bad: ContextMemory(memory.context, ttl=bad), {3: 4}),
    ]
    for named, call, bad in calls:
        with pytest.raises(InvalidValue, match=named):
            call(bad)
    assert memory.count() == 1


def test_what_another_face_writes_in_the_place_of_a_record_is_none(memory: ContextMemory) -> None:
    memory.save([record("a"), record("b")])
    whole = memory.context.get("memory/a", full=True)
    for other in ("text", {"content": 5}, [1], {**whole, "content": 5}, {**whole, "importance": "much"}):
        memory.context.put("memory/a", other)
        assert memory.get_record("a") is None
        assert ids(memory.search([1.0, 0.0])) == ["b"]
        assert [each.id for each in memory.list_records()] == ["b"]
    memory.context.put("memory/a", {**whole, "content": "another text"})
    assert ids(memory.search([1.0, 0.0])) == ["a", "b"]
    memory.context.put("memory/a", "text")
    memory.update(record("a"))
    assert [each.record is None for each in memory.history("a")] == [
        False,
        True,
        False,
        True,
        True,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("ttl", ["soon", -1, math.nan, math.inf, True])
def test_a_ttl_that_is_none_is_refused_at_once(store: sharedctx.Store, ttl: Any) -> None:
    for given in (ttl, {"/tmp": ttl}):
        with pytest.raises(InvalidValue, match="ttl"):
            ContextMemory(store, ttl=given)


def test_a_damaged_row_of_the_index_costs_the_records_in_it_until_they_are_saved_anew(
    memory: ContextMemory, caplog: pytest.LogCaptureFixture
) -> None:
    memory.save([record("a")])
    memory.save([record("b")])
    backend, space = memory.context.store.backend, "session:default"
    index = "\x01vectors/crewai"
    (row,) = (row for row in backend.scan(space, index, "") if b"memory/a" in row.value)
    backend.commit(space, [Put(index, row.value[:-1] + bytes([row.value[-1] ^ 1]), row.sk)])
    memory.context.verbs.session.vectors("crewai", lambda item: []).after_fork()  # as a process that opens it now
    assert ids(memory.search([1.0, 0.0])) == ["b"]
    assert "damaged" in caplog.text
    memory.save([record("c"), record("a")])
    assert ids(memory.search([1.0, 0.0])) == ["a", "b", "c"]
    assert [state.version for state in memory.history("a")] == [2, 1]
    memory.reset()
    assert memory.count() == 0


def test_a_damaged_record_is_an_error_of_its_own(memory: ContextMemory, caplog: pytest.LogCaptureFixture) -> None:
    memory.save([record("a"), record("b"), record("c")])
    memory.touch_records(["b"])
    memory.context.store.backend.commit(
        "session:default", [Put("memory/a", b"x"), Put("\x01crewai/touched", b"x", "b")]
    )
    assert ids(memory.search([1.0, 0.0])) == ["b", "c"]
    assert sorted(each.id for each in memory.list_records()) == ["b", "c"]
    assert "memory/a" in caplog.text
    with pytest.raises(DecodeError, match="memory/a"):
        memory.get_record("a")
    memory.save([record("a")])
    assert ids(memory.search([1.0, 0.0])) == ["a", "b", "c"]
