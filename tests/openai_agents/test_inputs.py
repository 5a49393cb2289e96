"""Inputs that grow within one run: bounded at each call, unchanged at their beginning for as long as there is room."""

from __future__ import annotations

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, function_tool

from sharedctx import SharedContext
from sharedctx.errors import ConfigError
from sharedctx_openai_agents import ContextInputFilter, ContextSession


@function_tool
async def logs(day: int) -> str:
    """Give the log of a day."""
    return "\n".join(f"2026-01-{day:02} 00:{n // 60:02}:{n % 60:02} INFO job {n * day} done" for n in range(200))


def run(play: SimpleNamespace, turns: list[Any], input_filter: Any, **options: Any) -> Any:
    model = play.Model(*turns, [play.say("done")])
    agent = Agent(name="A", instructions="Look at logs.", model=model, tools=[logs])
    config = RunConfig(call_model_input_filter=input_filter)
    result = asyncio.run(Runner.run(agent, "go", run_config=config, max_turns=50, **options))
    assert result.final_output == "done"
    return model


def tokens(context: SharedContext, given: list[Any]) -> int:
    texts = [str(item.get(name, "")) for item in given for name in ("name", "arguments", "output", "content")]
    return sum(map(context.settings.count_tokens, texts))


def test_every_call_is_given_views(play: SimpleNamespace, context: SharedContext) -> None:
    model = run(play, [[play.call("logs", f"c{n}", day=n)] for n in range(1, 4)], ContextInputFilter(context))
    assert len(model.outputs) == 3
    assert all("expand" in output and len(output) < 1500 for output in model.outputs.values())
    for shorter, longer in zip(model.inputs, model.inputs[1:], strict=False):
        assert json.dumps(longer[: len(shorter)]) == json.dumps(shorter)


def test_the_whole_input_stays_within_the_budget(play: SimpleNamespace, context: SharedContext) -> None:
    turns = [[play.call("logs", f"c{n}", day=n)] for n in range(1, 25)]
    model = run(play, turns, ContextInputFilter(context, max_input_tokens=1600))
    assert all(tokens(context, given) <= 1600 for given in model.inputs)
    changed = sum(
        json.dumps(longer[: len(shorter)]) != json.dumps(shorter)
        for shorter, longer in zip(model.inputs, model.inputs[1:], strict=False)
    )
    assert 0 < changed <= len(model.inputs) / 2
    gone = next(output for output in model.outputs.values() if "output of" in output)
    key = gone.split('"')[1]
    assert context.expand(key, "all").startswith("2026-01-01")


def test_a_parallel_batch_counts_as_a_whole(play: SimpleNamespace, context: SharedContext) -> None:
    batch = [play.call("logs", f"c{n}", day=n) for n in range(1, 25)]
    model = run(play, [batch], ContextInputFilter(context, max_input_tokens=3000))
    assert tokens(context, model.inputs[-1]) <= 3000
    assert list(model.outputs) == [f"c{n}" for n in range(1, 25)]
    assert "INFO" in model.outputs["c24"]


def test_sessions_keep_what_the_model_was_not_given(play: SimpleNamespace, context: SharedContext) -> None:
    async def main() -> None:
        model = play.Model([play.call("logs", "c1", day=1)], [play.say("done")])
        agent = Agent(name="A", model=model, tools=[logs])
        session = ContextSession(context)
        config = RunConfig(call_model_input_filter=ContextInputFilter(context))
        await Runner.run(agent, "go", session=session, run_config=config)
        [stored] = [item["output"] for item in await session.get_items() if "output" in item]
        assert len(stored) > 5000 > len(model.outputs["c1"])

    asyncio.run(main())


def test_the_latest_outputs_stay_whole_where_that_is_wanted(play: SimpleNamespace, context: SharedContext) -> None:
    turns = [[play.call("logs", f"c{n}", day=n)] for n in range(1, 4)]
    model = run(play, turns, ContextInputFilter(context, keep_last=1))
    assert [len(output) > 5000 for output in model.outputs.values()] == [False, False, True]


def test_a_failure_gives_the_model_its_input(
    play: SimpleNamespace, context: SharedContext, caplog: pytest.LogCaptureFixture
) -> None:
    input_filter = ContextInputFilter(context, max_input_tokens=500)
    context.store.close()
    with caplog.at_level(logging.WARNING):
        model = run(play, [[play.call("logs", "c1", day=1)]], input_filter)
    assert len(model.outputs["c1"]) > 5000
    assert "closed" in caplog.text


def test_a_conversation_kept_by_the_server_is_sent_each_output_once(
    play: SimpleNamespace, context: SharedContext
) -> None:
    turns = [[play.call("logs", f"c{n}", day=n)] for n in range(1, 4)]
    model = run(play, turns, ContextInputFilter(context), conversation_id="conv_1")
    sent = [item.get("call_id") for given in model.inputs for item in given if "output" in item]
    assert sent == ["c1", "c2", "c3"]
    assert all(len(item["output"]) < 1500 for given in model.inputs for item in given if "output" in item)


def test_views_made_ahead_are_found_by_the_filter(play: SimpleNamespace, context: SharedContext) -> None:
    input_filter = ContextInputFilter(context)
    hooks = input_filter.hooks()
    stored: list[int] = []
    inner = hooks.on_tool_end

    async def look(*given: Any) -> None:
        await inner(*given)
        stored.append(len(context.keys("output/")))

    hooks.on_tool_end = look  # type: ignore[method-assign]
    model = run(play, [[play.call("logs", "c1", day=1)]], input_filter, hooks=hooks)
    assert stored == [1]
    assert "expand" in model.outputs["c1"]
    assert len(context.keys("output/")) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"max_tokens": 49},
        {"max_tokens": "300"},
        {"max_message_tokens": 0},
        {"keep_last": -1},
        {"keep_last": True},
        {"max_input_tokens": 0},
    ],
)
def test_odd_numbers_are_refused_by_name_when_a_filter_is_made(context: SharedContext, odd: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(odd))):
        ContextInputFilter(context, **odd)
