"""Processes of the tests: one that stores sections of an evolution, and one that runs an engine until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from sharedctx.evolution import EvolutionConfig, EvolutionContext, EvolutionEngine, EvolutionStore

ROUNDS = 12


async def store_sections(path: str, own: str, number: int) -> None:
    """Store a section of one's own kind, and add to what all share, again and again."""
    async with EvolutionStore(path=path) as opened:
        store = opened.bind(f"agent:{number}")
        verbs = [
            lambda n: store.store_original_analysis([n], {"n": n}, [], [], own),
            lambda n: store.store_external_research([n], [], [], own),
            lambda n: store.store_improvement_plan([{"id": f"t{n}"}], {}, {}, evolution_id=own),
            lambda n: store.store_implementation_log([], [n], [n], own),
            lambda n: store.store_current_state([n], {"n": n}, [], [], own),
            lambda n: store.store_evaluation_results([], {}, n / 100, own),
            lambda n: store.update_phase(f"phase{n}", own),
            lambda n: store.update_context("objectives", [n], own),
        ]
        for n in range(ROUNDS):
            assert await verbs[number](n)
            assert await store.update_context("improvements", {f"{number}/{n}": "x" * 300}, own)
            assert await store.add_error(f"{number}/{n}", own)
            assert await store.get_comparison_data(own)


async def run_engine(path: str, dies_in: str) -> None:
    """Run the phases, saying on standard output which agent runs; the one named never answers."""

    def agent(name: str, answer: dict[str, Any]) -> Any:
        async def act(_: EvolutionContext) -> dict[str, Any]:
            os.write(1, f"{name}\n".encode())
            if name == dies_in:
                await asyncio.Event().wait()
            return answer

        return act

    after = {"files_analyzed": [], "metrics": {"n": 2}, "issues": [], "improvements": []}
    agents = {
        "research": agent("research", {"best_practices": [], "references": [], "patterns": []}),
        "analysis": agent("analysis", {**after, "metrics": {"n": 1}}),
        "plan": agent("plan", {"tasks": [{"id": "t1"}], "priorities": {}, "dependencies": {}}),
        "implement": agent("implement", {"modified_files": [], "changes": ["t1"], "rollback_points": []}),
        "evaluate": agent(
            "evaluate",
            {"goals_achieved": [], "metrics_comparison": {}, "success_rate": 1, "current_state": after},
        ),
    }
    async with EvolutionStore(path=path) as store:
        context = await EvolutionEngine(EvolutionConfig("src", ["a"]), agents, store).run_evolution()
        os.write(1, f"{context.status} {context.evolution_id}\n".encode())


if __name__ == "__main__":
    if sys.argv[1] == "store":
        asyncio.run(store_sections(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        asyncio.run(run_engine(sys.argv[2], sys.argv[3]))
