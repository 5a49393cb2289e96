"""A run that waits for approval goes on in another process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, InvalidKey, InvalidValue, KeyNotFound
from sharedctx.testing.clock import ManualClock
from sharedctx_openai_agents import ContextHandoffFilter, load_state, save_state

SCRIPT = """
import asyncio, sys
from agents import Agent, Runner, function_tool, set_tracing_disabled
from sharedctx import SharedContext
from sharedctx_openai_agents import load_state, save_state
sys.path.insert(0, sys.argv[3])
from conftest import Scripted, call, say
set_tracing_disabled(True)

@function_tool(needs_approval=True)
async def drop(table: str) -> str:
    return f"dropped {table}"

async def main(step, path):
    with SharedContext("team", path=path) as context:
        if step == "begin":
            agent = Agent(name="A", model=Scripted([call("drop", "c1", table="orders")]), tools=[drop])
            result = await Runner.run(agent, "clean up")
            assert len(result.interruptions) == 1
            print(await save_state(context, result.to_state(), state_id="job-1"))
        else:
            model = Scripted([say("done")])
            agent = Agent(name="A", model=model, tools=[drop])
            state = await load_state(context, agent, "job-1")
            [waiting] = state.get_interruptions()
            state.approve(waiting)
            result = await Runner.run(agent, state)
            print(result.final_output, model.outputs["c1"])

asyncio.run(main(*sys.argv[1:3]))
"""


def test_an_approval_is_given_in_another_process(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    def step(name: str) -> str:
        server = fork_server("import agents, sharedctx_openai_agents")
        done = server.start(SCRIPT, name, tmp_path / "store", Path(__file__).parent)
        return str(done.finish()).strip()

    assert step("begin") == "job-1"
    assert step("finish") == "done dropped orders"


def test_a_state_that_is_not_there_is_told(context: SharedContext, clock: ManualClock) -> None:
    from agents import Agent

    with pytest.raises(KeyNotFound, match="no run was saved as 'job-2'"):
        asyncio.run(load_state(context, Agent(name="A"), "job-2"))


def test_odd_ids_and_states_are_told(context: SharedContext) -> None:
    from agents import Agent

    for odd in ("", 5, None):
        with pytest.raises(InvalidKey, match="no text that names a run"):
            asyncio.run(load_state(context, Agent(name="A"), odd))  # type: ignore[arg-type]
    for odd in ({}, "state"):
        with pytest.raises(InvalidValue, match=r"pass what result.to_state\(\) returns"):
            asyncio.run(save_state(context, odd))  # type: ignore[arg-type]
    context.put("run/rows", [1, 2])
    with pytest.raises(InvalidValue, match="'run/rows' holds list"):
        asyncio.run(load_state(context, Agent(name="A"), "rows"))
    with pytest.raises(ConfigError, match="is no SharedContext"):
        asyncio.run(load_state(context.store, Agent(name="A"), "rows"))  # type: ignore[arg-type]


@pytest.mark.parametrize("max_tokens", [300, None])
def test_what_an_interrupted_run_had_been_handed_stays_as_it_was(
    play: SimpleNamespace, context: SharedContext, log: str, max_tokens: int | None
) -> None:
    from agents import Agent, RunConfig, Runner, function_tool, handoff

    @function_tool
    async def look() -> str:
        """Look."""
        return log

    @function_tool(needs_approval=True)
    async def drop() -> str:
        """Drop."""
        return "dropped"

    def team(*models: Any) -> Agent[Any]:
        first, second, third = models
        c = Agent(name="C", model=third)
        b = Agent(name="B", model=second, tools=[drop], handoffs=[handoff(c)])
        return Agent(name="A", model=first, tools=[look], handoffs=[handoff(b)])

    async def main() -> None:
        begun = play.Model([play.call("drop", "c2")])
        start = team(play.Model([play.call("look", "c1")], [play.call("transfer_to_b", "h1")]), begun, play.Model())
        config = RunConfig(handoff_input_filter=ContextHandoffFilter(context, max_tokens=max_tokens))
        result = await Runner.run(start, "clean up", run_config=config)
        name = await save_state(context, result.to_state())

        second, third = play.Model([play.call("transfer_to_c", "h2")]), play.Model([play.say("done")])
        start = team(play.Model(), second, third)
        state = await load_state(context, start, name)
        [waiting] = state.get_interruptions()
        state.approve(waiting)
        config = RunConfig(handoff_input_filter=ContextHandoffFilter(context, max_tokens=max_tokens))
        await Runner.run(start, state, run_config=config)
        handed = begun.inputs[0]
        for model in (second, third):
            assert model.inputs[0][: len(handed)] == handed
        assert len(json.dumps(handed)) < len(log) / 5
        assert len(context.keys("output/")) == 1

    asyncio.run(main())
