"""packet_handoff: agents of a graph hand their work over by a packet, and the next one reads on where it needs to."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, Forbidden, InvalidValue
from sharedctx_langchain import ContextToolkit, packet_handoff

LOGS: list[str] = []


@tool
def fetch(name: str) -> str:
    """Fetch a log."""
    return LOGS[0]


@pytest.fixture(autouse=True)
def logs(log: str) -> None:
    LOGS[:] = [log]


def graph(play: SimpleNamespace, context: SharedContext, research: Any, code: Any, **options: Any) -> Any:
    """A researcher, who is asked first and may hand over, and a coder."""
    handing = packet_handoff(context, "coder", participant="researcher", **options)
    tools = ContextToolkit(context, "coder").get_tools()
    built = StateGraph(MessagesState)
    built.add_node("researcher", create_agent(research, [fetch, handing]), destinations=("coder",))
    built.add_node("coder", create_agent(code, tools))
    built.add_edge(START, "researcher")
    return built.compile(checkpointer=InMemorySaver())


def ask(app: Any, sync: bool = True) -> list[Any]:
    given = {"messages": [("user", "why did the job fail?")]}
    config = {"configurable": {"thread_id": "t"}}
    made = app.invoke(given, config) if sync else asyncio.run(app.ainvoke(given, config))
    return list(made["messages"])


def transfer(play: SimpleNamespace, task: Any) -> AIMessage:
    made: AIMessage = play.calls(play.call("transfer_to_coder", "t1", task=task))
    return made


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_the_next_agent_gets_a_packet_and_its_task_and_reads_on(
    play: SimpleNamespace, context: SharedContext, log: str, sync: bool
) -> None:
    context.put("plan", "free disks of workers, never delete jobs", agent="lead")
    research = play.Model(play.fetched("log"), transfer(play, "free the disk of worker-1"))
    code = play.Model(
        lambda given: play.calls(
            play.call("context_search", "s1", query="disk full ERROR", prefix="output/researcher/")
        ),
        lambda given: AIMessage("done: " + str(given[-1].content)),
    )
    messages = ask(graph(play, context, research, code, max_tokens=600), sync)
    packet, task = code.inputs[0]
    assert isinstance(packet, HumanMessage)
    assert str(packet.content).startswith("# Shared context for coder\nTask: free the disk of worker-1")
    assert "never delete jobs" in packet.content
    assert "output/researcher/conversation-" in packet.content
    assert context.settings.count_tokens(str(packet.content)) <= 600
    assert task.content == "free the disk of worker-1"
    assert "worker-1 disk /dev/sdb1 is full" in messages[-1].content
    (key,) = context.keys("output/researcher/")
    kept = context.get(key, full=True)
    assert [each["type"] for each in kept] == ["human", "ai", "tool", "ai"]
    assert kept[2]["content"] == log
    assert messages[0].content == "why did the job fail?"
    (saving,) = [each for each in context.savings() if each.kind == "packet"]
    assert (saving.participant, saving.giver, saving.face) == ("coder", "researcher", "langchain")
    assert saving.served_tokens <= 600 < saving.replay_tokens


def test_a_hand_over_onwards_keeps_no_packet_in_a_packet(play: SimpleNamespace, context: SharedContext) -> None:
    handing = packet_handoff(context, "coder", participant="researcher")
    state = {"messages": [HumanMessage("# Shared context for researcher\n\nold"), HumanMessage("go on")], "own": 1}
    command = handing.func(task="write", state=state)  # type: ignore[attr-defined]
    (send,) = command.goto
    assert (send.node, send.arg["own"]) == ("coder", 1)
    (key,) = context.keys()
    assert context.get(key, full=True) == [{"type": "human", "content": "go on"}]
    handing.func(task="write", state=state)  # type: ignore[attr-defined]
    assert [entry.version for entry in context.history(key)] == [1]


def test_what_goes_wrong_is_told_to_the_model_which_goes_on(play: SimpleNamespace, context: SharedContext) -> None:
    research = play.Model(
        transfer(play, "do it " * 500), transfer(play, "\ud800"), lambda given: AIMessage(given[-1].content)
    )
    messages = ask(graph(play, context, research, play.Model(), max_tokens=300))
    told = [each.content for each in research.inputs[-1] if each.type == "tool"]
    assert "shorten the task" in told[0]
    assert "lone surrogate" in told[1]
    assert messages[-1].content == told[1]


def test_other_calls_beside_a_hand_over_are_answered_first(play: SimpleNamespace, context: SharedContext) -> None:
    call = play.call
    research = play.Model(
        play.calls(call("fetch", "f1", name="log"), call("transfer_to_coder", "t1", task="one")),
        play.calls(call("transfer_to_coder", "t2", task="one"), call("transfer_to_coder", "t3", task="two")),
        transfer(play, "one and two"),
    )
    code = play.Model(AIMessage("done"))
    ask(graph(play, context, research, code))
    assert research.results(1)["f1"].content == LOGS[0]
    assert all("a call of its own" in research.results(2)[each].content for each in ("t1", "t2", "t3"))
    assert [each.content for each in code.inputs[0]][1:] == ["one and two"]


def test_the_receiver_is_shown_what_it_may_read(play: SimpleNamespace, context: SharedContext) -> None:
    context.put("secret", "the key of the safe")
    context.put("plan", "the plan")
    context.grant("intern", read=["plan"])
    code = play.Model(AIMessage("done"))
    research = play.Model(transfer(play, "go on"))
    ask(graph(play, context, research, code, receiver="intern"))
    assert "the plan" in code.inputs[0][0].content
    assert "safe" not in code.inputs[0][0].content
    assert "secret" not in code.inputs[0][0].content


def test_odd_wishes_are_refused_when_it_is_made(context: SharedContext) -> None:
    for wrong in ({"to": ""}, {"to": "a", "max_tokens": 10}, {"to": "a", "participant": "\n"}):
        with pytest.raises((ConfigError, InvalidValue)):
            packet_handoff(context, **wrong)  # type: ignore[arg-type]
    with pytest.raises((ConfigError, InvalidValue)):
        packet_handoff("context", "coder")  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        packet_handoff(context.bind("me"), "coder", participant="other")
