"""What memory keeps of records in the process is never another's, and never older than the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crewai.memory.types import MemoryRecord

import sharedctx
from sharedctx import Store, tracing
from sharedctx.search.kept import Kept
from sharedctx.testing import ManualClock
from sharedctx_crewai import ContextMemory

QUERY = [1.0, 0.0]


def record(own: str, text: str = "first") -> MemoryRecord:
    return MemoryRecord(id=own, content=text, embedding=QUERY, categories=["c"], metadata={"deep": {"list": [1]}})


def read(memory: ContextMemory, own: str) -> str | None:
    """A record's text by both ways to it, after which it is kept."""
    found = memory.get_record(own)
    searched = {each.id: each for each, _ in memory.search(QUERY)}
    assert (found.content if found else None) == (searched[own].content if own in searched else None)
    return found.content if found else None


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two openings that share nothing, as two processes do."""
    with sharedctx.open(tmp_path / "store") as one, sharedctx.open(tmp_path / "store", clock=ManualClock()) as other:
        assert one.backend is not other.backend
        yield one, other


def test_what_is_returned_is_the_callers_own(memory: ContextMemory) -> None:
    saved = record("a")
    memory.save([saved])
    saved.metadata["deep"]["list"].append(0)
    for _ in range(3):
        found = memory.get_record("a")
        ((searched, _),) = memory.search(QUERY)
        for each in (found, searched):
            assert each is not None
            assert (each.categories, each.metadata, each.embedding) == (["c"], {"deep": {"list": [1]}}, QUERY)
            each.categories.append("d")
            each.metadata["deep"]["list"].append(2)
            assert each.embedding is not None
            each.embedding.append(3.0)


def test_what_any_other_face_or_opening_does_is_seen_by_who_had_read_it(two: tuple[Store, Store]) -> None:
    ours, theirs = (ContextMemory(store) for store in two)
    ours.save([record(own) for own in "abcd"])
    assert [read(ours, own) for own in "abcd"] == ["first"] * 4
    assert [read(theirs, own) for own in "abcd"] == ["first"] * 4
    theirs.update(record("a", "second"))
    theirs.delete(record_ids=["b"])
    theirs.reset("/none")
    value = two[1].session().get("memory/c", full=True)
    two[1].session().put("memory/c", {**value, "content": "by hand"})
    assert [read(ours, own) for own in "abcd"] == ["second", None, "by hand", "first"]
    assert [read(theirs, own) for own in "abcd"] == ["second", None, "by hand", "first"]
    two[1].session().erase("memory/c")
    theirs.reset()
    assert [read(ours, own) for own in "abcd"] == [None] * 4
    theirs.save([record("d", "anew")])
    assert read(ours, "d") == read(theirs, "d") == "anew"


def test_what_ends_is_returned_no_more_though_nobody_wrote(tmp_path: Path) -> None:
    clock = ManualClock()
    with sharedctx.open(tmp_path / "store", clock=clock) as store:
        memory = ContextMemory(store.session(ttl=60))
        memory.save([record("a")])
        assert read(memory, "a") == "first"
        clock.advance(61)
        assert memory.get_record("a") is None
        assert memory.search(QUERY) == []


def test_a_participant_that_loses_its_right_reads_no_more(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        owner, bound = store.session(), ContextMemory(store.session().bind("crew"))
        ContextMemory(owner).save([record("a")])
        assert read(ContextMemory(owner), "a") == read(bound, "a") == "first"
        owner.grant("crew", read=[])
        assert bound.get_record("a") is None


def test_reads_are_traced_also_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    exporting = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    spans, provider = exporting.InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with ContextMemory.from_path(tmp_path / "store") as memory:
        memory.save([record("a")])
        assert read(memory, "a") == "first"
        tracing.begin(provider=provider)
        try:
            memory.get_record("a")
        finally:
            tracing.end()
    assert [span.name for span in spans.get_finished_spans()] == ["search_memory"]


def test_what_is_kept_is_bounded_and_the_least_recently_used_goes_first() -> None:
    kept = Kept(most=1000)
    for own in "abcd":
        kept.keep(own, own, 240, rev=1)
    assert kept.get("a") == "a"
    kept.keep("e", "e", 240, rev=1)
    kept.keep("large", "large", 251, rev=1)
    assert [kept.get(own) for own in ("a", "b", "c", "d", "e", "large")] == ["a", None, "c", "d", "e", None]


def test_what_was_read_before_a_later_change_is_not_kept() -> None:
    kept = Kept()
    kept.forget(5, "a")
    kept.keep("a", "old", 10, rev=4)
    assert kept.get("a") is None
    kept.keep("a", "new", 10, rev=5)
    assert kept.get("a") == "new"
    kept.forget(6)
    assert kept.get("a") is None


@pytest.mark.parametrize("between", [0, 1, 2])
def test_a_save_takes_in_what_others_save_before_its_commit(
    two: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch, between: int
) -> None:
    store, another = two
    memory, other = map(ContextMemory, two)
    memory.save([record("first")])
    commit = store.backend.commit

    def late(*arguments: Any) -> Any:
        monkeypatch.undo()
        other.save([record(f"between {number}") for number in range(between)])
        return commit(*arguments)

    monkeypatch.setattr(store.backend, "commit", late)
    memory.save([record("second")])
    names = [*(f"between {number}" for number in range(between)), "first", "second"]
    for each in (memory, other, ContextMemory(another)):
        assert sorted(found.id for found, _ in each.search(QUERY)) == names
