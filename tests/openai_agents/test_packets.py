"""A hand-off by packet: what the next agent's model receives, and that all else can be had."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, function_tool, handoff

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx_openai_agents import ContextSession, PacketHandoffFilter


def team(models: list[Any], log: str) -> Agent[Any]:
    """Agents A, B, C ... of these models; each hands over to the next and can read the log."""

    async def logs() -> str:
        return log

    last: Agent[Any] | None = None
    for name, model in reversed(list(zip("ABC", models, strict=False))):
        following = [] if last is None else [handoff(last)]
        last = Agent(name=name, model=model, tools=[function_tool(logs)], handoffs=following)
    assert last is not None
    return last


def test_the_next_agents_receive_a_packet_and_the_task(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    async def main() -> None:
        context.put("decision", "we keep the old pump")
        context.put("secret/pay", "never for B")
        context.grant("agent:b", read=["decision", "output/*"])
        models = [
            play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")]),
            play.Model([play.call("logs", "c2")], [play.call("transfer_to_c", "h2")]),
            play.Model([play.say("done")]),
        ]
        session = ContextSession(context)
        by_packet = PacketHandoffFilter(context, max_tokens=800, participants={"B": "agent:b"})
        config = RunConfig(handoff_input_filter=by_packet)
        result = await Runner.run(team(models, log), "why does the pump stop?", session=session, run_config=config)
        assert result.final_output == "done"

        for model, name in ((models[1], "agent:b"), (models[2], "C")):
            packet, task = model.inputs[0]
            assert packet["content"].startswith(f"# Shared context for {name}\n")
            assert context.settings.count_tokens(packet["content"]) <= 800
            assert "we keep the old pump" in packet["content"]
            assert task == {"role": "user", "content": "why does the pump stop?"}
        assert "never for B" not in models[1].inputs[0][0]["content"]
        kept = context.keys("output/handoff/conversation-")
        assert len(kept) == 2, "each stretch once"
        received = models[2].inputs[0][0]["content"]
        for key in kept:
            assert key in received
            outputs = [item["output"] for item in context.get(key, full=True) if "output" in item]
            assert outputs[0] == log
            assert not any("# Shared context" in str(item.get("content")) for item in context.get(key, full=True))
        stored = [item.get("output") for item in await session.get_items()]
        assert stored.count(log) == 2, "the session keeps the conversation"
        given = {(each.participant, each.giver): each for each in context.savings() if each.kind == "packet"}
        assert {face.face for face in given.values()} == {"openai_agents"}
        assert given["agent:b", "handoff"].served_tokens < given["agent:b", "handoff"].replay_tokens

    asyncio.run(main())


def test_what_cannot_be_stored_is_handed_over_as_it_is(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    models = [play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")]), play.Model([play.say("done")])]
    context.grant("handoff", read=["*"])
    config = RunConfig(handoff_input_filter=PacketHandoffFilter(context))
    result = asyncio.run(Runner.run(team(models, log), "go", run_config=config))
    assert result.final_output == "done"
    assert log in json.dumps(models[1].inputs[0]) or models[1].outputs["c1"] == log


def test_whatever_was_said_is_kept_whoever_hands_over(play: SimpleNamespace, context: SharedContext) -> None:
    said = "half \ud800 of a pair: " + "jobs went on " * 900
    models = [play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")]), play.Model([play.say("done")])]
    config = RunConfig(handoff_input_filter=PacketHandoffFilter(context, participant="team/lead of A"))
    result = asyncio.run(Runner.run(team(models, said), "go", run_config=config))
    assert result.final_output == "done"
    packet, task = models[1].inputs[0]
    [key] = context.keys("output/team_lead_of_A/conversation-")
    assert key in packet["content"]
    assert task["content"] == "go"
    assert any("of a pair: jobs" in str(item.get("output")) for item in context.get(key, full=True))


@pytest.mark.parametrize("odd", [0, 49, -1, "many", 1.5, None])
def test_odd_budgets_are_refused(context: SharedContext, odd: Any) -> None:
    with pytest.raises(ConfigError):
        PacketHandoffFilter(context, max_tokens=odd)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"priorities": 5}, "map no patterns to numbers"),
        ({"priorities": {"plan/*": "high"}}, "'plan/[*]' is no number"),
        ({"prefix": 5}, "prefix 5 is int, not text"),
        ({"participants": [("B", "b")]}, "no mapping from names of agents"),
        ({"participants": {"B": 5}}, "a participant is text"),
        ({"participant": ""}, "participant ''"),
    ],
)
def test_odd_arguments_are_refused_when_it_is_made(context: SharedContext, options: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, InvalidValue), match=said):
        PacketHandoffFilter(context, **options)
