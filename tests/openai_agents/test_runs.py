"""A run that waits for approval goes on in another process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sharedctx import SharedContext
from sharedctx.errors import KeyNotFound
from sharedctx.testing.clock import ManualClock
from sharedctx_openai_agents import load_state

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


def step(name: str, path: Path) -> str:
    command = [sys.executable, "-c", SCRIPT, name, str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_approval_is_given_in_another_process(tmp_path: Path) -> None:
    assert step("begin", tmp_path / "store") == "job-1"
    assert step("finish", tmp_path / "store") == "done dropped orders"


def test_a_state_that_is_not_there_is_told(context: SharedContext, clock: ManualClock) -> None:
    from agents import Agent

    with pytest.raises(KeyNotFound, match="no run was saved as 'job-2'"):
        asyncio.run(load_state(context, Agent(name="A"), "job-2"))
