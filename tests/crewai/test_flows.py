"""Flow states are versions of entries: persisted, restored, paused; and ``install`` makes all this the default."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from crewai.flow.async_feedback.types import PendingFeedbackContext
from crewai.flow.flow import Flow, start
from crewai.flow.persistence import FlowPersistence, persist
from crewai.knowledge.knowledge import Knowledge
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource
from pydantic import BaseModel, field_serializer

import sharedctx
from crewai import Memory
from sharedctx import SharedContext
from sharedctx.errors import InvalidValue
from sharedctx_crewai import ContextFlowPersistence, ContextKnowledge, ContextMemory, install

_spec = importlib.util.spec_from_file_location("scripted", Path(__file__).with_name("scripted.py"))
assert _spec is not None
assert _spec.loader is not None
scripted = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scripted)


class State(BaseModel):
    id: str = ""
    count: int = 0
    when: datetime | None = None


class Odd(BaseModel):
    """A state of types that JSON does not know."""

    thing: Path
    other: Any


class Failing(BaseModel):
    """A state that fails to say what it is."""

    n: int = 1

    @field_serializer("n")
    def fail(self, n: int) -> int:
        raise RuntimeError("not today")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sharedctx.Store]:
    with sharedctx.open(tmp_path / "store") as opened:
        yield opened


def counting(persistence: FlowPersistence) -> type[Flow[Any]]:
    @persist(persistence)
    class Counting(Flow[State]):
        @start()
        def step(self) -> int:
            self.state.count += 1
            return self.state.count

    return Counting


def test_a_flow_goes_on_from_its_persisted_state(store: sharedctx.Store) -> None:
    persistence = ContextFlowPersistence(store)
    kind = counting(persistence)
    first = kind()
    assert first.kickoff() == 1
    own = first.state.id
    assert kind().kickoff(inputs={"id": own}) == 2
    state = persistence.load_state(own)
    assert state is not None
    assert state["count"] == 2
    assert len(persistence.history(own)) >= 2
    assert persistence.load_state("unknown") is None


def test_a_paused_flow_waits_with_its_state(store: sharedctx.Store) -> None:
    persistence = ContextFlowPersistence(store)
    waiting = PendingFeedbackContext("f", "m.Flow", "review", {"title": "Draft"}, "Please review", emit=["yes", "no"])
    persistence.save_pending_feedback("f", waiting, State(id="f", count=3, when=datetime(2026, 1, 2)))
    loaded = persistence.load_pending_feedback("f")
    assert loaded is not None
    assert loaded[0] == {"id": "f", "count": 3, "when": "2026-01-02T00:00:00"} == persistence.load_state("f")
    assert (loaded[1].message, loaded[1].emit, loaded[1].method_output) == (
        "Please review",
        ["yes", "no"],
        {"title": "Draft"},
    )
    persistence.clear_pending_feedback("f")
    persistence.clear_pending_feedback("f")
    assert persistence.load_pending_feedback("f") is None
    assert persistence.load_state("f") is not None


@pytest.mark.parametrize("limit", ["max_entries", "max_value_tokens"])
def test_a_session_with_limits_keeps_knowledge_and_paused_flows(store: sharedctx.Store, limit: str) -> None:
    ctx = SharedContext("small", store=store, **{limit: 1000})  # type: ignore[arg-type]
    docs = ContextKnowledge(ctx, embedder=scripted.embed)
    docs.save(["red apples", "green pears", "blue plums"])
    assert len(docs.search(["red apples"], score_threshold=-1.0)) == 3
    flows = ContextFlowPersistence(ctx)
    flows.save_pending_feedback("f", PendingFeedbackContext("f", "m.Flow", "review", "text", "Please review"), {"n": 1})
    loaded = flows.load_pending_feedback("f")
    assert loaded is not None
    assert loaded[0] == {"n": 1} == flows.load_state("f")


def test_a_state_is_a_dict_or_a_model(store: sharedctx.Store) -> None:
    persistence = ContextFlowPersistence(store)
    persistence.save_state("f", "m", {"a": {1, 2}, "b": (3,), "c": datetime(2026, 1, 2)})
    assert persistence.load_state("f") == {"a": [1, 2], "b": [3], "c": "2026-01-02T00:00:00"}
    persistence.save_state("f", "m", Odd(thing=Path("x"), other=Odd))
    assert persistence.load_state("f") == {"thing": "x", "other": str(Odd)}
    for refused, told in (([1], "list"), (Failing(), "'m' is not JSON"), ({"deep": [Failing()]}, "'m' is not JSON")):
        with pytest.raises(InvalidValue, match=told):
            persistence.save_state("f", "m", refused)  # type: ignore[arg-type]
    assert persistence.load_state("f") == {"thing": "x", "other": str(Odd)}


def test_install_is_the_default_for_memory_knowledge_and_flows(tmp_path: Path) -> None:
    with install(tmp_path / "store", session="team"):
        memory = Memory(
            embedder=scripted.embed, llm=scripted.Scripted(lambda prompt: "{}"), consolidation_threshold=1.0
        )
        assert isinstance(memory._storage, ContextMemory)
        memory.remember("a fact", scope="/x", categories=["c"], importance=0.5)
        knowledge = Knowledge("docs", [StringKnowledgeSource(content="the sky is blue")], embedder=scripted.embed)
        assert isinstance(knowledge.storage, ContextKnowledge)
        knowledge.add_sources()
        (hit,) = knowledge.query(["sky blue"], score_threshold=0.3)
        assert hit["content"] == "the sky is blue"

        @persist()
        class Plain(Flow[State]):
            @start()
            def step(self) -> str:
                return self.state.id

        own = Plain().kickoff()
        with sharedctx.open(tmp_path / "store") as store:
            keys = store.session("team").keys()
            assert f"flow/{own}/state" in keys
            assert [key.split("/")[0] for key in keys] == ["flow", "knowledge", "memory"]
        memory.close()
    from crewai.memory.storage.factory import resolve_memory_storage

    assert resolve_memory_storage("lancedb") is None


@pytest.mark.parametrize("first", [0, 1])
def test_installs_are_undone_in_any_order(tmp_path: Path, first: int) -> None:
    from crewai.memory.storage.factory import resolve_memory_storage

    installed = [install(tmp_path / name) for name in ("a", "b")]
    installed[first].undo()
    left = resolve_memory_storage("lancedb")
    assert isinstance(left, ContextMemory)
    assert left.count() == 0
    assert str(tmp_path / "ba"[first]) in str(left.context.store.address)
    installed[1 - first].undo()
    assert resolve_memory_storage("lancedb") is None


def test_knowledge_and_states_that_do_not_fit_are_refused_by_name(store: sharedctx.Store) -> None:
    docs = ContextKnowledge(store, embedder=lambda texts: [])
    for refused, told in (
        (lambda: docs.save("a text"), "documents"),  # type: ignore[arg-type]
        (lambda: docs.search("a text"), "query"),  # type: ignore[arg-type]
        (lambda: docs.save(["a text"]), "0 vectors of 1 texts"),
        (lambda: docs.search(["a text"]), "0 vectors of 1 texts"),
        (lambda: docs.search(["a text"], limit="3"), "limit"),  # type: ignore[arg-type]
        (lambda: docs.search(["a text"], score_threshold="x"), "score_threshold"),  # type: ignore[arg-type]
        (lambda: ContextKnowledge(store, embedder=lambda texts: None).save(["a"]), "no vectors"),  # type: ignore[arg-type, return-value]
        (lambda: ContextKnowledge(store, embedder="openai").save(["a"]), "str is no embedder"),  # type: ignore[arg-type]
        (lambda: ContextKnowledge(store, collection=3), "collection"),  # type: ignore[arg-type]
        (lambda: install(store, ttl={"/x": -1}), "ttl"),
        (lambda: ContextFlowPersistence(store).save_state(None, "m", {}), "the id of the flow"),  # type: ignore[arg-type]
        (lambda: ContextFlowPersistence(store).save_state("f", "m", {(1, 2): 3}), "not JSON"),  # type: ignore[dict-item]
    ):
        with pytest.raises(InvalidValue, match=told):
            refused()
    store.session().put("flow/w/state", "of another face")
    with pytest.raises(InvalidValue, match="flow/w/state"):
        ContextFlowPersistence(store).load_state("w")
    assert store.session().keys() == ["flow/w/state"]
    store.session().put("flow/w/pending", {"state": {}})
    with pytest.raises(InvalidValue, match="flow/w/pending"):
        ContextFlowPersistence(store).load_pending_feedback("w")


def test_knowledge_keeps_a_text_once_and_resets_its_collection_alone(store: sharedctx.Store) -> None:
    docs = ContextKnowledge(store, collection="docs", embedder=scripted.embed)
    other = ContextKnowledge(store, collection="other", embedder=scripted.embed)
    docs.save(["red apples", "green pears", "red apples"])
    other.save(["red wine"])
    assert [hit["content"] for hit in docs.search(["red apples"], score_threshold=0.0)] == ["red apples", "green pears"]
    assert [hit["content"] for hit in docs.search(["red apples"], score_threshold=0.9)] == ["red apples"]
    assert docs.search([]) == docs.search(["red"], metadata_filter={"a": 1}) == []
    large = [f"{n} {random.Random(n).randbytes(100_000).hex()}" for n in range(40)]
    docs.save(large)
    assert len(docs.search(["0"], limit=50, score_threshold=-1.0)) == 42
    docs.reset()
    assert docs.search(["red apples"], score_threshold=0.0) == []
    assert len(other.search(["red wine"])) == 1
    docs.save(["green pears"])
    assert len(docs.search(["green pears"])) == 1
