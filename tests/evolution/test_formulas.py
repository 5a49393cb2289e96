"""Every formula and shape of an evolution context."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx import Store
from sharedctx.errors import InvalidValue
from sharedctx.evolution import EvolutionContext, EvolutionStore
from sharedctx.evolution.assessment import estimated_impact, metric_deltas, task_deltas, verdict
from sharedctx.testing.clock import ManualClock

NOW = "2023-11-14T22:13:20+00:00"
DEFAULTS: dict[str, Any] = {
    "phase": "initialization",
    "cycle": 0,
    "original_analysis": {},
    "external_research": {},
    "improvement_plan": {},
    "objectives": [],
    "implementation_log": {},
    "changes_made": [],
    "current_state": {},
    "evaluation_results": {},
    "patterns_learned": [],
    "improvements": {},
    "metrics_before": {},
    "metrics_after": {},
    "success_rate": 0.0,
    "status": "initialized",
    "current_phase": "initialization",
    "error_log": [],
    "rollback_points": [],
}


def test_a_new_context_has_these_fields_and_values(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        own = await store.create_context("src", ["speed", "types"])
        assert uuid.UUID(own).version == 4
        context = await store.get_context()
        assert context is not None
        expected = {"evolution_id": own, "created_at": NOW, "target_path": "src", "focus_areas": ["speed", "types"]}
        assert context.to_dict() == {**expected, **DEFAULTS}
        assert list(context.to_dict()) == [each.name for each in fields(EvolutionContext)]
        assert EvolutionContext.from_dict(context.to_dict()) == context
        assert await store.get_context("nobody") is None

    asyncio.run(main())


@pytest.mark.parametrize(
    ("tasks", "impact"),
    [
        ([], 0.0),
        ([{"type": "add_docstrings"}], 0.3),
        ([{"type": "add_type_hints"}], 0.2),
        ([{"type": "reduce_complexity"}], 0.5),
        ([{"type": "fix_bug"}], 0.8),
        ([{"type": "optimize"}], 0.4),
        ([{"type": "refactor"}], 0.6),
        ([{"type": "paint"}], 0.1),
        ([{}], 0.1),
        ([{"type": ["odd"], "priority": {}}], 0.1),
        ([{"type": "refactor", "priority": "high"}], 0.9),
        ([{"type": "refactor", "priority": "low"}], 0.42),
        ([{"type": "refactor", "priority": "medium"}], 0.6),
        ([{"type": "refactor", "priority": "whatever"}], 0.6),
        ([{"type": "fix_bug", "priority": "high"}], 1.0),
        ([{"type": "fix_bug", "priority": "high"}, {"type": "optimize", "priority": "low"}], 0.74),
    ],
)
def test_the_impact_of_tasks(tasks: list[dict[str, Any]], impact: float) -> None:
    assert estimated_impact(tasks) == pytest.approx(impact)


@given(
    st.lists(st.fixed_dictionaries({"type": st.text(max_size=9), "priority": st.sampled_from(["high", "low", "x"])}))
)
def test_the_impact_is_from_0_to_1(tasks: list[dict[str, Any]]) -> None:
    assert 0 <= estimated_impact(tasks) <= 1


@pytest.mark.parametrize(("rate", "word"), [(0, "partial"), (0.69999, "partial"), (0.7, "success"), (1, "success")])
def test_the_verdict_of_a_rate(rate: float, word: str) -> None:
    assert verdict(rate) == word


def test_what_each_phase_stores(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        await store.create_context("src", [])
        tasks = [{"id": "t1", "type": "refactor", "priority": "high"}]
        assert await store.store_original_analysis(["a.py"], {"lines": 9}, ["long"], ["split"])
        assert await store.store_external_research(["short"], ["a book"], ["extract"])
        assert await store.store_improvement_plan(tasks, ["t1"], {})
        assert await store.store_implementation_log(["a.py"], [{"task": "t1"}, "tidied"], ["v1"])
        assert await store.store_current_state(["a.py"], {"lines": 7}, [], [])
        assert await store.store_evaluation_results({"short": True}, {"lines": -2}, 0.7)
        context = await store.get_context()
        assert context is not None
        whole = context.to_dict()
        analysis = {"files_analyzed": ["a.py"], "metrics": {"lines": 9}, "issues": ["long"], "improvements": ["split"]}
        assert whole["original_analysis"] == {**analysis, "timestamp": NOW}
        research = {"best_practices": ["short"], "references": ["a book"], "patterns": ["extract"]}
        assert whole["external_research"] == {**research, "timestamp": NOW}
        plan = {"tasks": tasks, "priorities": ["t1"], "dependencies": {}, "estimated_impact": pytest.approx(0.9)}
        assert whole["improvement_plan"] == {**plan, "timestamp": NOW}
        log = {"modified_files": ["a.py"], "changes": [{"task": "t1"}, "tidied"], "rollback_points": ["v1"]}
        assert whole["implementation_log"] == {**log, "total_changes": 2, "timestamp": NOW}
        after = {"files_analyzed": ["a.py"], "metrics": {"lines": 7}, "issues": [], "improvements": []}
        assert whole["current_state"] == {**after, "timestamp": NOW}
        results = {"goals_achieved": {"short": True}, "metrics_comparison": {"lines": -2}, "success_rate": 0.7}
        assert whole["evaluation_results"] == {**results, "verdict": "success", "timestamp": NOW}
        assert (whole["metrics_before"], whole["metrics_after"]) == ({"lines": 9}, {"lines": 7})
        assert (whole["success_rate"], whole["rollback_points"]) == (0.7, ["v1"])
        assert whole["changes_made"] == [{"task": "t1"}, "tidied"]
        assert await store.get_comparison_data() == {
            "before": whole["original_analysis"],
            "plan": whole["improvement_plan"],
            "after": whole["current_state"],
            "implementation": whole["implementation_log"],
            "delta": {
                "metrics": {"lines": {"before": 9, "after": 7, "delta": -2}},
                "tasks": {"t1": {"done": True, "changes": [{"task": "t1"}]}},
            },
        }
        assert await store.store_improvement_plan(tasks, [], [], 0.25)
        again = await store.get_context()
        assert again is not None
        assert again.improvement_plan["estimated_impact"] == 0.25

    asyncio.run(main())


def test_phase_errors_and_sections(opened: Store, clock: ManualClock) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        own = await store.create_context("src", ["a"])
        assert await store.update_phase("research")
        assert await store.add_error("no network")
        clock.advance(1.5)
        assert await store.add_error("again")
        assert await store.update_context("improvements", {"a": 1, "b": {"x": 1}})
        assert await store.update_context("improvements", {"b": {"y": 2}})
        assert await store.update_context("objectives", ["one"])
        assert await store.update_context("objectives", ["two"])
        assert await store.update_context("cycle", 3)
        assert not await store.update_context("nonsense", {})
        assert not await store.update_context("evolution_id", "x")
        assert not await store.update_context("objectives", [], evolution_id="nobody")
        context = await store.get_context(own)
        assert context is not None
        assert (context.current_phase, context.status, context.phase) == (
            "research",
            "running_research",
            "initialization",
        )
        assert context.error_log == [f"{NOW}: no network", "2023-11-14T22:13:21.500000+00:00: again"]
        assert context.improvements == {"a": 1, "b": {"y": 2}}
        assert (context.objectives, context.cycle) == (["two"], 3)
        line = {"evolution_id": own, "created_at": NOW, "target_path": "src", "status": "running_research"}
        line |= {"current_phase": "research", "focus_areas": ["a"], "has_errors": True}
        assert await store.get_all_contexts() == [line]

    asyncio.run(main())


def test_nothing_without_a_context(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        assert await store.get_context() is None
        assert await store.get_comparison_data() == {}
        assert await store.get_all_contexts() == []
        assert await store.history("status") == []
        for done in (
            store.update_phase("x"),
            store.add_error("x"),
            store.update_context("objectives", []),
            store.store_original_analysis([], {}, [], []),
            store.store_evaluation_results([], {}, 0.5, evolution_id="nobody"),
        ):
            assert not await done

    asyncio.run(main())


def test_deltas() -> None:
    assert metric_deltas({"a": 1, "b": "x", "d": True}, {"a": 1.5, "c": 2, "d": False}) == {
        "a": {"before": 1, "after": 1.5, "delta": 0.5},
        "b": {"before": "x", "after": None, "delta": None},
        "d": {"before": True, "after": False, "delta": None},
        "c": {"before": None, "after": 2, "delta": None},
    }
    far = metric_deltas({"a": 10**400}, {"a": 1.5})
    assert far == {"a": {"before": 10**400, "after": 1.5, "delta": None}}, "past what can be reckoned with"
    changes = [{"task": "t1"}, "did t10, t2-b", {"deep": [{"for": 7}]}]
    tasks = [{"id": "t1"}, {"id": "t2"}, {"id": "t10"}, {"id": 7}, {"type": "x"}, {"id": "t."}]
    done = {name: found["changes"] for name, found in task_deltas(tasks, changes).items()}
    assert done == {"t1": changes[:1], "t2": [], "t10": changes[1:2], "7": changes[2:], "#5": [], "t.": []}
    assert task_deltas("no list", changes) == {}


def test_the_names_of_exports(opened: Store, tmp_path: Any) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, export_path=tmp_path)
        own = await store.create_context("src", [])
        path = await store.export_context()
        assert path == str(tmp_path.resolve() / f"evolution_{own}_20231114_221320.json")
        assert re.match(r'\{\n  "evolution_id": "', (tmp_path / path).read_text())

    asyncio.run(main())


@pytest.mark.parametrize("rate", [-0.1, 1.1, True, "1", None, float("nan"), 10**400])
def test_a_rate_is_from_0_to_1(opened: Store, rate: Any) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        await store.create_context("src", [])
        with pytest.raises(InvalidValue, match="success_rate"):
            await store.store_evaluation_results([], {}, rate)

    asyncio.run(main())
