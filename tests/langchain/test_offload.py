"""ContextOffloadMiddleware: what agents and their checkpoints keep of large results, and how models read the rest."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, Forbidden
from sharedctx_langchain import ContextOffloadMiddleware, ContextToolkit

TEXTS: dict[str, Any] = {}


@tool
def fetch(name: str) -> Any:
    """Fetch something by its name."""
    return TEXTS[name]


@pytest.fixture(autouse=True)
def texts(log: str) -> dict[str, Any]:
    TEXTS.clear()
    TEXTS.update(log=log, small="nothing to see", line="abcdefghi " * 10_000)
    return TEXTS


def run(agent: Any, sync: bool = True, thread: str = "t") -> dict[str, Any]:
    """What the agent's state is after it answered."""
    given = {"messages": [("user", "what is wrong?")]}
    config = {"configurable": {"thread_id": thread}}
    made: dict[str, Any] = agent.invoke(given, config) if sync else asyncio.run(agent.ainvoke(given, config))
    return made


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_an_agent_offloads_reads_on_and_answers(
    play: SimpleNamespace, context: SharedContext, log: str, sync: bool
) -> None:
    model = play.Model(
        play.fetched("log"),
        lambda given: play.redeem(given, "regex:ERROR"),
        lambda given: AIMessage(str(given[-1].content).rpartition("ERROR ")[2]),
    )
    saver = InMemorySaver()
    agent = create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context)], checkpointer=saver)
    state = run(agent, sync)
    assert state["messages"][-1].content == "worker-1 disk /dev/sdb1 is full: job 7807 lost"
    assert len(log) > 30_000
    assert max(sum(len(str(each.content)) for each in given) for given in model.inputs) < 1000
    [key] = context.keys("output/handoff/fetch-")
    assert context.get(key, full=True) == log
    stored = [value for written in saver.blobs.values() for value in written if isinstance(value, bytes)]
    assert sum(map(len, stored)) < 8000
    writes = [value[-2][1] for of in saver.writes.values() for value in of.values()]
    assert sum(map(len, writes)) < 8000


def test_three_large_results_cost_two_thousand_characters(
    play: SimpleNamespace, context: SharedContext, log: str, texts: Any
) -> None:
    for number in range(3):
        texts[f"log{number}"] = log.replace("worker", f"host{number}-worker")
    model = play.Model(play.fetched("log0"), play.fetched("log1"), play.fetched("log2"), AIMessage("done"))
    run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context)]))
    assert sum(len(str(each.content)) for each in model.inputs[3]) <= 2000
    for result in model.results().values():
        assert "/dev/sdb1 is full" in str(result.content)


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_parallel_results_share_one_budget(
    play: SimpleNamespace, context: SharedContext, log: str, texts: Any, sync: bool
) -> None:
    names = [f"log{number}" for number in range(3)]
    texts.update({name: log.replace("worker", name) for name in names})
    model = play.Model(play.fetched(*names, "small"), AIMessage("done"))
    run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context, max_tokens=240)]), sync)
    results = model.results()
    count = context.settings.count_tokens
    assert sum(count(str(result.content)) for result in results.values()) <= 240
    assert results["small"].content == "nothing to see"
    for name in names:
        assert "expand(" in str(results[name].content)


def test_one_large_result_among_small_ones_has_what_they_leave(play: SimpleNamespace, context: SharedContext) -> None:
    middleware = ContextOffloadMiddleware(context, max_tokens=240)
    together = ("small", "small", "small", "log")
    request = play.calls(*(play.call("fetch", f"c{at}", name=name) for at, name in enumerate(together)))
    model = play.Model(request, AIMessage("done"))
    agent = create_agent(model, [fetch], middleware=[middleware])
    agent.invoke({"messages": [("user", "go")]}, {"max_concurrency": 1})
    alone = play.Model(play.fetched("log"), AIMessage("done"))
    run(create_agent(alone, [fetch], middleware=[ContextOffloadMiddleware(context, max_tokens=200)]))
    assert "/dev/sdb1 is full" in str(model.results()["c3"].content)
    assert model.results()["c3"].content == alone.results()["log"].content


def test_many_results_become_a_line_each(play: SimpleNamespace, context: SharedContext, log: str, texts: Any) -> None:
    names = [f"log{number}" for number in range(10)]
    texts.update({name: log.replace("worker", name) for name in names})
    model = play.Model(play.fetched(*names), AIMessage("done"))
    run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context)]))
    assert list(model.results()) == names
    for name, result in model.results().items():
        assert str(result.content).count("\n") == 0
        found = re.search(r'expand\("([^"]+)", "([^"]+)"\)', str(result.content))
        assert found is not None
        assert context.expand(found[1], found[2]) == texts[name]


def test_one_line_of_100_kb_is_read_page_by_page(play: SimpleNamespace, context: SharedContext, texts: Any) -> None:
    read = []

    def next_page(given: list[BaseMessage]) -> AIMessage:
        text = str(given[-1].content)
        read.append(text)
        return play.redeem(given) if "more characters" in text or len(read) == 1 else AIMessage("done")

    model = play.Model(play.fetched("line"), *[next_page] * 400)
    agent = create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context, page_tokens=1500)])
    agent.invoke({"messages": [("user", "go")]}, {"recursion_limit": 1000})
    count = context.settings.count_tokens
    assert len(texts["line"]) == 100_000
    assert count(read[0]) <= 150
    assert max(map(count, read[1:])) <= 1500
    pages = "".join(re.sub(r"\n\[\[.*\]\]$", "", page) for page in read[1:])
    assert pages in texts["line"]
    assert len(pages) > 90_000


def test_what_was_read_is_never_offloaded_whatever_the_model_asks_for(
    play: SimpleNamespace, context: SharedContext, texts: Any
) -> None:
    context.put("notes/long", "one note after another, each a little different\n" * 3000, agent="a")
    model = play.Model(
        play.fetched("line"),
        lambda given: play.redeem(given, "all"),
        play.calls(play.call("context_expand", "large", key="notes/long", ref="all", max_tokens=1_000_000)),
        play.calls(
            play.call("context_read", "read", key="notes/long"),
            play.call("context_list", "list"),
            play.call("fetch", "f", name="small"),
        ),
        AIMessage("done"),
    )
    middleware = ContextOffloadMiddleware(context, participant="agent-a")
    run(create_agent(model, [fetch, *ContextToolkit(context, "agent-a").get_tools()], middleware=[middleware]))
    assert len(context.keys("output/")) == 1
    results = model.results()
    count = context.settings.count_tokens
    assert 1000 < count(str(results["large"].content)) <= 2000
    assert str(results["read"].content).startswith("notes/long v1")
    assert "notes/long" in str(results["list"].content)
    assert model.tools.count("context_expand") == 1


def test_artifacts_status_and_ids_are_kept(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    table = {"rows": [1, 2, 3]}

    @tool(response_format="content_and_artifact")
    def query() -> tuple[str, Any]:
        """Query."""
        return log, table

    model = play.Model(play.calls(play.call("query", "q")), AIMessage("done"))
    state = run(create_agent(model, [query], middleware=[ContextOffloadMiddleware(context)]))
    message = next(each for each in state["messages"] if isinstance(each, ToolMessage))
    assert message.artifact is table or message.artifact == table
    assert (message.name, message.tool_call_id, message.status) == ("query", "q", "success")
    assert len(str(message.content)) < 1000


def test_text_among_other_blocks_becomes_one_view(play: SimpleNamespace, context: SharedContext, texts: Any) -> None:
    image = {"type": "image", "base64": base64.b64encode(b"png").decode(), "mime_type": "image/png"}
    pieces = [f"row {at}: " + "value " * 30 for at in range(100)]
    blocks: list[Any] = [{"type": "text", "text": piece} for piece in pieces]
    texts["blocks"] = [*blocks[:50], image, *blocks[50:]]
    model = play.Model(play.fetched("blocks"), AIMessage("done"))
    run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context)]))
    content = model.results()["blocks"].content
    assert isinstance(content, list)
    assert [block["type"] for block in content if isinstance(block, dict)] == ["text", "image"]
    [key] = context.keys("output/")
    assert context.get(key, full=True) == "\n".join(pieces)


@pytest.mark.parametrize("form", ["command", "list"])
def test_commands_of_tools_are_shortened(play: SimpleNamespace, context: SharedContext, log: str, form: str) -> None:
    @tool
    def hand_in(tool_call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Hand in a log."""
        message = ToolMessage(log, tool_call_id=tool_call_id, name="hand_in")
        return [Command(update={}), message] if form == "list" else Command(update={"messages": [message]})

    model = play.Model(play.calls(play.call("hand_in", "h")), AIMessage("done"))
    run(create_agent(model, [hand_in], middleware=[ContextOffloadMiddleware(context)]))
    assert "expand(" in str(model.results()["h"].content)
    [key] = context.keys("output/handoff/hand_in-")
    assert context.get(key, full=True) == log


def test_two_agents_have_their_own_names_and_grants(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    context.grant("reader", read=["output/*", "output/**"])
    context.grant("stranger", read=["plan"])
    context.grant("collector", read=["**"], write=["output/collector/**"])
    collector = play.Model(play.fetched("log"), AIMessage("done"))
    middleware = ContextOffloadMiddleware(context, participant="collector")
    run(create_agent(collector, [fetch], middleware=[middleware]))
    [key] = context.keys("output/collector/")
    assert context.get_entry(key).agent == "collector"
    answers = {}
    for who in ("reader", "stranger"):
        model = play.Model(play.calls(play.call("context_expand", "e", key=key, ref="regex:ERROR")), AIMessage("done"))
        run(create_agent(model, middleware=[ContextOffloadMiddleware(context, participant=who)]))
        answers[who] = model.results()["e"]
    assert "/dev/sdb1 is full" in str(answers["reader"].content)
    assert "KEY_NOT_FOUND" in str(answers["stranger"].content)
    assert answers["stranger"].status == "error"
    with pytest.raises(Forbidden):
        ContextOffloadMiddleware(context.bind("reader"), participant="stranger")


def test_a_result_that_cannot_be_stored_stays_whole(
    play: SimpleNamespace, context: SharedContext, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    context.grant("reader", read=["**"])
    model = play.Model(play.fetched("log"), AIMessage("done"))
    with caplog.at_level(logging.WARNING):
        run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context, participant="reader")]))
    assert model.results()["log"].content == log
    assert "stays whole" in caplog.text


def test_results_of_excluded_tools_stay_whole(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    model = play.Model(play.fetched("log"), AIMessage("done"))
    run(create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context, exclude_tools=["fetch"])]))
    assert model.results()["log"].content == log


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_what_a_tool_answers_to_the_user_stays_whole(
    play: SimpleNamespace, context: SharedContext, log: str, sync: bool
) -> None:
    @tool(return_direct=True)
    def report() -> str:
        """Answer with the whole log."""
        return log

    agent = create_agent(
        play.Model(play.calls(play.call("report", "r"))), [report], middleware=[ContextOffloadMiddleware(context)]
    )
    assert run(agent, sync)["messages"][-1].content == log


def test_ids_that_a_model_uses_again_leave_each_message_its_budget(
    play: SimpleNamespace, context: SharedContext, log: str, texts: Any
) -> None:
    texts["other"] = log.replace("worker", "host")
    turns = [
        play.calls(play.call("fetch", "0", name=first), play.call("fetch", "1", name=second))
        for first, second in (("small", "log"), ("other", "small"))
    ]
    model = play.Model(*turns, AIMessage("done"))
    agent = create_agent(model, [fetch], middleware=[ContextOffloadMiddleware(context)])
    agent.invoke({"messages": [("user", "go")]}, {"max_concurrency": 1})  # the small one first, which leaves its share
    seen = [str(each.content) for each in model.inputs[-1] if isinstance(each, ToolMessage)]
    assert "/dev/sdb1 is full" in seen[1]
    assert "/dev/sdb1 is full" in seen[2]


def test_a_failing_tool_fails_as_before(play: SimpleNamespace, context: SharedContext) -> None:
    @tool
    def broken() -> str:
        """Break."""
        raise ValueError("no disk")

    model = play.Model(play.calls(play.call("broken", "b")), AIMessage("done"))
    with pytest.raises(ValueError, match="no disk"):
        run(create_agent(model, [broken], middleware=[ContextOffloadMiddleware(context)]))


def test_odd_numbers_are_refused(play: SimpleNamespace, context: SharedContext) -> None:
    for options in ({"max_tokens": 20}, {"max_tokens": 0}, {"max_tokens": True}, {"page_tokens": 10}):
        with pytest.raises(ConfigError):
            ContextOffloadMiddleware(context, **options)
