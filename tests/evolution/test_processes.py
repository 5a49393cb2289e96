"""Many processes on one evolution: parallel phases lose nothing, and a killed engine goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sharedctx.evolution import EvolutionContext, EvolutionStore

AGENTS = Path(__file__).with_name("agents.py")
ROUNDS = 12
PRELUDE = "import asyncio, sharedctx.evolution"


def test_eight_processes_store_sections_and_lose_nothing(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    async def main() -> None:
        async with EvolutionStore(path=tmp_path / "store") as store:
            own = await store.create_context("src", [])
            server = fork_server(PRELUDE)
            for process in [server.start(AGENTS, "store", tmp_path / "store", own, number) for number in range(8)]:
                process.finish()
            context = await store.get_context()
            assert context is not None
            last = ROUNDS - 1
            assert context.original_analysis["files_analyzed"] == [last]
            assert context.external_research["best_practices"] == [last]
            assert context.improvement_plan["tasks"] == [{"id": f"t{last}"}]
            assert context.implementation_log["changes"] == context.changes_made == [last]
            assert context.metrics_before == context.metrics_after == {"n": last}
            assert context.success_rate == context.evaluation_results["success_rate"] == last / 100
            assert (context.status, context.objectives) == (f"running_phase{last}", [last])
            every = {f"{number}/{n}" for number in range(8) for n in range(ROUNDS)}
            assert set(context.improvements) == every
            assert {line.split(": ")[1] for line in context.error_log} == every
            assert len(context.error_log) == len(every)
            history = await store.history("improvements")
            assert [update.version for update in history] == [*range(1, len(every) + 1)]
            assert {update.agent for update in history} == {f"agent:{number}" for number in range(8)}
            assert (await store.metrics())["comparisons"] == 8 * ROUNDS
            (line,) = await store.get_all_contexts()
            assert (line["status"], line["has_errors"]) == (context.status, True)
            (found,) = await store.find_contexts(metric="success_rate")
            assert found["metrics"] == {"n": last, "success_rate": last / 100}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("dies_in", "again"),
    [
        ("research", ["research", "plan", "implement", "evaluate"]),
        ("analysis", ["analysis", "plan", "implement", "evaluate"]),
        ("plan", ["plan", "implement", "evaluate"]),
        ("implement", ["implement", "evaluate"]),
        ("evaluate", ["evaluate"]),
    ],
)
def test_a_killed_engine_goes_on_at_its_phase(
    tmp_path: Path, dies_in: str, again: list[str], fork_server: Callable[[str], Any]
) -> None:
    path = str(tmp_path / "store")
    other = {"research": "analysis", "analysis": "research"}.get(dies_in)

    async def answered() -> bool:
        async with EvolutionStore(path=path) as store:
            section = {"analysis": "original_analysis", "research": "external_research"}[other or "analysis"]
            contexts = [await store.get_context(line["evolution_id"]) for line in await store.get_all_contexts()]
            return any(isinstance(each, EvolutionContext) and getattr(each, section) for each in contexts)

    server = fork_server(PRELUDE)
    first = server.start(AGENTS, "run", path, dies_in)
    for line in first.stdout:
        if line.decode().strip() == dies_in:
            break
    while not asyncio.run(answered()):
        assert first.running
    first.kill()
    first.end()
    *ran, last = server.start(AGENTS, "run", path, "nowhere").finish().split("\n")[:-1]
    assert ran == again
    status, own = last.split()
    assert status == "completed"

    async def main() -> None:
        async with EvolutionStore(path=path) as store:
            assert [line["evolution_id"] for line in await store.get_all_contexts()] == [own]
            context = await store.get_context(own)
            assert context is not None
            assert (context.metrics_before, context.metrics_after) == ({"n": 1}, {"n": 2})

    asyncio.run(main())
