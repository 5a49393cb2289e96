"""What the second agent's model really receives after a hand-off, and what stays as it was."""

from __future__ import annotations

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, HandoffInputData, RunConfig, Runner, ToolOutputImage, ToolOutputText, function_tool, handoff
from agents.exceptions import UserError
from agents.handoffs import nest_handoff_history

from sharedctx import SharedContext
from sharedctx_openai_agents import ContextHandoffFilter, ContextSession, context_tools


def tool(name: str, result: Any) -> Any:
    async def give() -> Any:
        return result

    return function_tool(give, name_override=name, description_override=name)


def team(play: SimpleNamespace, models: list[Any], tools: list[Any]) -> Agent[Any]:
    """Agents A, B, C ... of these models; each hands over to the next and has the tools."""
    last: Agent[Any] | None = None
    for name, model in reversed(list(zip("ABCDEF", models, strict=False))):
        last = Agent(name=name, model=model, tools=tools, handoffs=[] if last is None else [handoff(last)])
    assert last is not None
    return last


def run(agent: Agent[Any], given: Any, handoff_filter: Any, **options: Any) -> Any:
    return asyncio.run(Runner.run(agent, given, run_config=RunConfig(handoff_input_filter=handoff_filter), **options))


def test_the_second_agent_receives_a_tenth_and_can_have_all(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    rows = json.dumps([{"id": n, "city": f"city {n}", "price": n * 3} for n in range(500)])
    first = play.Model(
        [play.call("logs", "c1"), play.call("rows", "c2")],
        [play.call("transfer_to_b", "h1")],
    )
    second = play.Model([play.say("done")])
    start = team(play, [first, second], [tool("logs", log), tool("rows", rows)])
    result = run(start, "what is wrong?", ContextHandoffFilter(context))

    assert result.final_output == "done"
    assert first.outputs == {"c1": log, "c2": rows}
    received = json.dumps(second.inputs[-1])
    assert len(received) <= 0.1 * len(json.dumps(first.inputs[-1]))
    assert "disk /dev/sdb1 is full" in received
    for key in context.keys("output/"):
        assert context.expand(key, "all") in (log, rows)
    assert [key.rsplit("-", 1)[0] for key in context.keys("")] == ["output/handoff/logs", "output/handoff/rows"]


def test_pairs_ids_reasoning_hand_off_and_caller_stay(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    first = play.Model([play.think("rs_1"), play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    run(team(play, [first, second], [tool("logs", log)]), "go", ContextHandoffFilter(context))

    kinds = [(item.get("type", "message"), item.get("call_id") or item.get("id")) for item in second.inputs[-1]]
    assert kinds == [
        ("message", None),
        ("reasoning", "rs_1"),
        ("function_call", "c1"),
        ("function_call_output", "c1"),
        ("function_call", "h1"),
        ("function_call_output", "h1"),
    ]
    assert json.loads(second.outputs["h1"]) == {"assistant": "B"}


def test_the_same_history_is_the_same_bytes_at_every_hop(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    models = [
        play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")]),
        play.Model([play.call("logs", "c2")], [play.call("transfer_to_c", "h2")]),
        play.Model([play.say("done")]),
    ]
    run(team(play, models, [tool("logs", log)]), "go", ContextHandoffFilter(context))

    to_b, to_c = models[1].inputs[0], models[2].inputs[0]
    assert json.dumps(to_c[: len(to_b)]) == json.dumps(to_b)
    assert models[2].outputs["c1"] == models[2].outputs["c2"]
    assert context.history(context.keys("output/")[0])[0].version == 1


def test_a_session_and_the_result_keep_the_full_text(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    async def main() -> None:
        models = [
            play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")]),
            play.Model([play.call("logs", "c2")], [play.call("transfer_to_c", "h2")]),
            play.Model([play.say("done")], [play.say("again")]),
        ]
        start = team(play, models, [tool("logs", log)])
        session = ContextSession(context)
        config = RunConfig(handoff_input_filter=ContextHandoffFilter(context))
        result = await Runner.run(start, "go", session=session, run_config=config)
        assert [item.output for item in result.new_items if item.type == "tool_call_output_item"] == [log, log]
        stored = {item["call_id"]: item["output"] for item in await session.get_items() if "output" in item}
        assert stored["c1"] == stored["c2"] == log
        view = models[2].outputs["c1"]

        models[0].turns = [[play.call("transfer_to_b", "h3")]]
        models[1].turns = [[play.say("fine")]]
        await Runner.run(start, "and now?", session=session, run_config=config)
        assert models[0].outputs["c1"] == log
        assert models[1].outputs["c1"] == view

    asyncio.run(main())


def test_what_is_filtered_can_be_nested(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    compressed = ContextHandoffFilter(context)

    async def nested(data: HandoffInputData) -> HandoffInputData:
        return nest_handoff_history(await compressed(data))

    first = play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    run(team(play, [first, second], [tool("logs", log)]), "go", nested)
    received = json.dumps(second.inputs[-1])
    assert len(received) <= 0.1 * len(json.dumps(first.inputs[-1]))
    assert "CONVERSATION HISTORY" in received
    assert context.keys("output/")[0] in received


def test_streamed_runs_are_filtered_alike(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    async def main() -> None:
        first = play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
        second = play.Model([play.say("done")])
        config = RunConfig(handoff_input_filter=ContextHandoffFilter(context))
        result = Runner.run_streamed(team(play, [first, second], [tool("logs", log)]), "go", run_config=config)
        async for _ in result.stream_events():
            pass
        assert result.final_output == "done"
        assert len(second.outputs["c1"]) < len(log) / 10

    asyncio.run(main())


def test_structured_outputs_keep_their_images(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    image = "data:image/png;base64," + "A" * 5000
    parts = [ToolOutputText(text=log), ToolOutputImage(image_url=image)]
    first = play.Model([play.call("look", "c1")], [play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    run(team(play, [first, second], [tool("look", parts)]), "go", ContextHandoffFilter(context))

    text, picture = second.outputs["c1"]
    assert len(text["text"]) < len(log) / 10
    assert picture["image_url"] == image


def test_the_second_agent_expands_and_that_is_never_shortened_again(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    def ask(given: Any) -> list[Any]:
        return [play.call("expand", "e1", key=context.keys("output/")[0], ref="lines:1-150", max_tokens=None)]

    first = play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
    second = play.Model(ask, [play.call("transfer_to_c", "h2")])
    third = play.Model([play.say("done")])
    start = team(play, [first, second, third], [tool("logs", log), *context_tools(context, "agent")])
    run(start, "go", ContextHandoffFilter(context))

    expanded = third.outputs["e1"]
    assert expanded == second.inputs[-1][-1]["output"]
    assert log.split("\n")[20] in expanded
    assert len(expanded) > 3000


def test_the_latest_outputs_stay_whole_where_that_is_wanted(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    first = play.Model([play.call("logs", "c1")], [play.call("logs", "c2"), play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    run(team(play, [first, second], [tool("logs", log)]), "go", ContextHandoffFilter(context, keep_last=1))
    assert second.outputs["c2"] == log
    assert len(second.outputs["c1"]) < len(log) / 10


def test_long_messages_are_shortened_where_that_is_wanted(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    first = play.Model([play.say(log), play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    run(team(play, [first, second], []), log, ContextHandoffFilter(context, max_message_tokens=400))
    asked, said = second.inputs[-1][:2]
    assert len(asked["content"]) < len(log) / 5
    assert len(said["content"][0]["text"]) < len(log) / 5
    assert said["id"] == "msg_1"


def test_a_store_that_fails_lets_the_history_pass(
    play: SimpleNamespace, context: SharedContext, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
    second = play.Model([play.say("done")])
    handoff_filter = ContextHandoffFilter(context)
    context.store.close()
    with caplog.at_level(logging.WARNING):
        run(team(play, [first, second], [tool("logs", log)]), "go", handoff_filter)
    assert second.outputs["c1"] == log
    assert "closed" in caplog.text


def test_server_managed_conversations_are_refused_by_the_sdk(play: SimpleNamespace, context: SharedContext) -> None:
    first = play.Model([play.call("transfer_to_b", "h1")])
    start = team(play, [first, play.Model([play.say("done")])], [])
    with pytest.raises(UserError, match="Server-managed conversations do not support handoff input filters"):
        run(start, "go", ContextHandoffFilter(context), conversation_id="conv_1")


def test_views_made_ahead_are_found_by_the_filter(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    stored: list[list[str]] = []

    def look(given: Any) -> list[Any]:
        stored.append(context.keys("output/"))
        return [play.call("transfer_to_b", "h1")]

    first = play.Model([play.call("logs", "c1")], look)
    second = play.Model([play.say("done")])
    handoff_filter = ContextHandoffFilter(context)
    run(team(play, [first, second], [tool("logs", log)]), "go", handoff_filter, hooks=handoff_filter.hooks())
    assert len(stored[0]) == 1
    assert len(second.outputs["c1"]) < len(log) / 10


def test_savings_name_the_face(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    first = play.Model([play.call("logs", "c1")], [play.call("transfer_to_b", "h1")])
    run(team(play, [first, play.Model([play.say("done")])], [tool("logs", log)]), "go", ContextHandoffFilter(context))
    [saving] = context.savings()
    assert (saving.face, saving.kind, saving.calls) == ("openai_agents", "handoff", 1)
    assert saving.served_tokens < 300 < saving.replay_tokens


@pytest.mark.parametrize("kind", ["function_call", "custom_tool_call", "local_shell_call", "apply_patch_call"])
def test_text_outputs_of_every_kind_of_call_are_shortened(context: SharedContext, log: str, kind: str) -> None:
    named = {"name": "look"} if kind.startswith(("function", "custom")) else {}
    call = {"type": kind, "call_id": "c1", **named}
    history: Any = (call, {"type": f"{kind}_output", "call_id": "c1", "output": log})
    made: Any = asyncio.run(ContextHandoffFilter(context)(HandoffInputData(history, (), ()))).input_history
    assert len(made[1]["output"]) < len(log) / 10
    assert context.keys("output/")[0].startswith(f"output/handoff/{named.get('name', kind.removesuffix('_call'))}-")


def test_what_servers_answered_themselves_stays(context: SharedContext, log: str) -> None:
    history: Any = (
        {"type": "mcp_call", "id": "m1", "name": "fetch", "arguments": "{}", "server_label": "web", "output": log},
        {"type": "file_search_call", "id": "f1", "queries": ["x"], "status": "completed", "results": [{"text": log}]},
    )
    given = HandoffInputData(history, (), ())
    assert asyncio.run(ContextHandoffFilter(context)(given)) is given


def test_views_of_results_of_any_form_are_made_ahead(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    rows = [{"id": number, "host": f"web-{number % 7}", "up": number != 411} for number in range(900)]
    handoff_filter = ContextHandoffFilter(context)
    stored: list[int] = []

    def look(given: Any) -> list[Any]:
        stored.append(len(context.keys("output/")))
        return [play.call("transfer_to_b", "h1")]

    first = play.Model([play.call("parts", "c1"), play.call("rows", "c2")], look)
    second = play.Model([play.say("done")])
    start = team(play, [first, second], [tool("parts", [ToolOutputText(text=log)]), tool("rows", rows)])
    run(start, "go", handoff_filter, hooks=handoff_filter.hooks())
    assert stored == [2]
    assert len(context.keys("output/")) == 2
    assert len(second.outputs["c1"][0]["text"]) < len(log) / 10
    assert len(second.outputs["c2"]) < len(str(rows)) / 10
    assert "411: 411,web-5,false" in second.outputs["c2"]


def test_what_was_read_is_not_stored_again_by_the_hooks(
    play: SimpleNamespace, context: SharedContext, log: str
) -> None:
    context.put("log", log)
    first = play.Model(
        [
            play.call("expand", "e1", key="log", ref="lines:1-150", max_tokens=None),
            play.call("read", "r1", key="log", version=None, max_tokens=2000, query="job"),
        ],
        [play.call("transfer_to_b", "h1")],
    )
    second = play.Model([play.say("done")])
    start = team(play, [first, second], context_tools(context, "agent"))
    handoff_filter = ContextHandoffFilter(context)
    run(start, "go", handoff_filter, hooks=handoff_filter.hooks())
    assert second.outputs["e1"] == first.outputs["e1"]
    assert len(second.outputs["e1"]) > 3000
    assert context.keys() == ["log"]
