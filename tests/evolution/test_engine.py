"""The engine: which agents run when, what they return, and what becomes of errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sharedctx import Store
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.evolution import EvolutionConfig, EvolutionContext, EvolutionEngine, EvolutionStore

MEASURED: dict[str, Any] = {"files_analyzed": [], "metrics": {"n": 1}, "issues": [], "improvements": []}
ANSWERS: dict[str, Any] = {
    "research": {"best_practices": ["b"], "references": [], "patterns": []},
    "analysis": MEASURED,
    "plan": {"tasks": [{"id": "t1", "type": "refactor"}], "priorities": {}, "dependencies": {}},
    "implement": {"modified_files": [], "changes": ["t1"], "rollback_points": []},
    "evaluate": {
        "goals_achieved": [],
        "metrics_comparison": {},
        "success_rate": 0.9,
        "current_state": {**MEASURED, "metrics": {"n": 3}},
    },
}


def agents(ran: list[str], **other: Any) -> dict[str, Any]:
    def agent(name: str) -> Any:
        async def act(context: EvolutionContext) -> Any:
            ran.append(name)
            answer = other.get(name, ANSWERS[name])
            if isinstance(answer, Exception):
                raise answer
            return await answer(context) if callable(answer) else answer

        return act

    return {name: agent(name) for name in ANSWERS}


def test_a_run_goes_through_all_phases(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        ran: list[str] = []
        both = asyncio.Barrier(2)

        async def meet(name: str, context: EvolutionContext) -> Any:
            assert (context.status, context.target_path) == ("running_research_and_analysis", "src")
            await asyncio.wait_for(both.wait(), 10)
            return ANSWERS[name]

        parallel = {
            "research": lambda context: meet("research", context),
            "analysis": lambda context: meet("analysis", context),
        }
        context = await EvolutionEngine(EvolutionConfig("src", ["a"]), agents(ran, **parallel), store).run_evolution()
        assert ran[2:] == ["plan", "implement", "evaluate"]
        assert set(ran[:2]) == {"research", "analysis"}
        assert (context.status, context.current_phase, context.success_rate) == ("completed", "evaluation", 0.9)
        assert (await store.get_comparison_data())["delta"] == {
            "metrics": {"n": {"before": 1, "after": 3, "delta": 2}},
            "tasks": {"t1": {"done": True, "changes": ["t1"]}},
        }
        (plan,) = await store.history("improvement_plan")
        assert plan.agent == "agent:plan"
        assert [update.data for update in await store.history("status")] == [
            "initialized",
            "running_research_and_analysis",
            "running_planning",
            "running_implementation",
            "running_evaluation",
            "completed",
        ]
        again = await EvolutionEngine(EvolutionConfig("src", ["a"]), agents(ran), store).run_evolution()
        assert again.evolution_id != context.evolution_id, "a finished one is not taken up"

    asyncio.run(main())


def test_an_agent_may_store_its_section_itself(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)

        async def own(context: EvolutionContext) -> None:
            await store.store_improvement_plan([], {}, {}, evolution_id=context.evolution_id)

        async def nothing(_: EvolutionContext) -> None:
            return None

        done = await EvolutionEngine(EvolutionConfig("src"), agents([], plan=own), store).run_evolution()
        assert done.improvement_plan["estimated_impact"] == 0
        with pytest.raises(InvalidValue, match="stored no improvement_plan"):
            await EvolutionEngine(EvolutionConfig("x"), agents([], plan=nothing), store).run_evolution()

    asyncio.run(main())


def test_an_error_is_logged_what_others_found_is_kept_and_the_id_goes_on(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        config = EvolutionConfig("src", ["a"], evolution_id="mine")
        ran: list[str] = []
        oh = ZeroDivisionError("oh \ud800")
        with pytest.raises(ZeroDivisionError):
            await EvolutionEngine(config, agents(ran, research=oh), store).run_evolution()
        context = await store.get_context("mine")
        assert context is not None
        assert context.status == "failed"
        assert context.error_log[0].endswith(": research_and_analysis: ZeroDivisionError: oh \\ud800")
        assert context.metrics_before == {"n": 1}
        other = await EvolutionEngine(EvolutionConfig("src", ["a"]), agents([]), store).run_evolution()
        assert other.evolution_id != "mine"
        ran.clear()
        done = await EvolutionEngine(config, agents(ran), store).run_evolution()
        assert (done.evolution_id, done.status) == ("mine", "completed")
        assert ran == ["research", "plan", "implement", "evaluate"]

    asyncio.run(main())


def test_a_cancelled_run_stays_unfinished_and_is_taken_up(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        reached = asyncio.Event()

        async def hang(_: EvolutionContext) -> None:
            reached.set()
            await asyncio.Event().wait()

        config = EvolutionConfig("src", ["a"])
        running = asyncio.create_task(EvolutionEngine(config, agents([], implement=hang), store).run_evolution())
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        (line,) = await store.get_all_contexts()
        assert line["status"] == "running_implementation"
        ran: list[str] = []
        fresh = await EvolutionEngine(EvolutionConfig("src", ["a"], resume=False), agents([]), store).run_evolution()
        assert fresh.evolution_id != line["evolution_id"]
        done = await EvolutionEngine(config, agents(ran), store).run_evolution()
        assert (done.evolution_id, ran) == (line["evolution_id"], ["implement", "evaluate"])

    asyncio.run(main())


@pytest.mark.parametrize("answer", [7, {"tasks": []}, {"nonsense": 1}, {**ANSWERS["plan"], "more": 1}])
def test_answers_that_do_not_fit(opened: Store, answer: Any) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        with pytest.raises(InvalidValue, match="plan"):
            await EvolutionEngine(EvolutionConfig("src"), agents([], plan=answer), store).run_evolution()
        assert (await store.get_all_contexts())[0]["has_errors"]

    asyncio.run(main())


def test_what_an_engine_needs(opened: Store) -> None:
    store = EvolutionStore(store=opened)
    some = agents([])
    del some["plan"]
    with pytest.raises(ConfigError, match="'plan' is missing"):
        EvolutionEngine(EvolutionConfig("src"), some, store)
    with pytest.raises(ConfigError, match="'dance' is not one"):
        EvolutionEngine(EvolutionConfig("src"), {**agents([]), "dance": some["research"]}, store)
    wrong: Any
    for wrong in (("", []), ("src", "a"), ("src", [], "a/b")):
        with pytest.raises(InvalidValue):
            EvolutionConfig(*wrong)
