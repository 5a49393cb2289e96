"""ContextEdit: what a model is given at each call while the agent's own state keeps everything."""

from __future__ import annotations

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ClearToolUsesEdit, ContextEditingMiddleware
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tools import tool

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx_langchain import ContextEdit, ContextToolkit

MARKER = re.compile(r'expand\("([^"]+)", "([^"]+)"\)')


def edited(edit: ContextEdit, messages: list[AnyMessage]) -> list[AnyMessage]:
    """The messages after the edit, as the framework's middleware calls it."""
    made = list(messages)
    edit.apply(made, count_tokens=count_tokens_approximately)
    return made


def history(log: str, *turns: int) -> list[AnyMessage]:
    """A conversation of turns with so many calls each, all with large results."""
    made: list[AnyMessage] = [HumanMessage("go")]
    for at, count in enumerate(turns):
        ids = [f"c{at}.{number}" for number in range(count)]
        calls = [{"name": "fetch", "args": {}, "id": each, "type": "tool_call"} for each in ids]
        made.append(AIMessage("", tool_calls=calls))
        made += [ToolMessage(log.replace("worker", each), tool_call_id=each, name="fetch") for each in ids]
    return made


@pytest.mark.parametrize("own", [True, False], ids=["own", "theirs"])
@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_the_state_keeps_what_the_model_is_given_views_of(
    play: SimpleNamespace, context: SharedContext, log: str, sync: bool, own: bool
) -> None:
    @tool
    def fetch(name: str) -> str:
        """Fetch."""
        return log

    model = play.Model(
        play.fetched("log"),
        lambda given: play.redeem(given, "regex:ERROR"),
        lambda given: AIMessage(given[-1].content.rpartition("ERROR ")[2]),
    )
    tools = [fetch, *ContextToolkit(context, "agent-a").get_tools()]
    edit = ContextEdit(context)
    middleware = edit.middleware() if own else ContextEditingMiddleware(edits=[edit])
    agent = create_agent(model, tools, middleware=[middleware])
    given: Any = {"messages": [("user", "what is wrong?")]}
    state = agent.invoke(given) if sync else await agent.ainvoke(given)
    assert state["messages"][-1].content == "worker-1 disk /dev/sdb1 is full: job 7807 lost"
    assert state["messages"][2].content == log
    assert len(model.results()["log"].content) < 600


async def test_the_loop_runs_on_while_views_are_made(play: SimpleNamespace, log: str, turning_count: Any) -> None:
    model = play.Model(AIMessage("done"))
    with SharedContext("team", url="memory://", count_tokens=turning_count) as context:
        agent = create_agent(model, [], middleware=[ContextEdit(context).middleware()])
        turning_count.watch()
        await agent.ainvoke({"messages": history(log, 1)})
    (result,) = model.results().values()
    assert len(result.content) < len(log) / 4


def test_the_results_of_one_message_share_a_budget(context: SharedContext, log: str) -> None:
    given = history(log, 3, 1)
    given[2] = given[2].model_copy(update={"content": "small"})
    made = edited(ContextEdit(context, max_tokens=240), given)
    cost = [context.settings.count_tokens(str(message.content)) for message in made]
    assert sum(cost[2:5]) <= 240
    assert cost[6] <= 240
    assert made[2] is given[2]
    for message in (*made[3:5], made[6]):
        assert "/dev/sdb1 is full" in str(message.content)
    assert [message.content for message in given[3:5]] == [log.replace("worker", f"c0.{number}") for number in (1, 2)]


def test_the_same_history_becomes_the_same_bytes(context: SharedContext, log: str) -> None:
    given = history(log, 1, 2)
    made = edited(ContextEdit(context), given)
    longer = edited(ContextEdit(context), [*given, *history(log, 1)[1:]])
    assert [message.content for message in longer[: len(made)]] == [message.content for message in made]


def test_a_budget_for_everything_makes_the_oldest_give_way(context: SharedContext, log: str) -> None:
    given = history(log, 1, 1, 1, 1, 1, 1)
    made = edited(ContextEdit(context, max_tokens=200, max_input_tokens=600), given)
    count = context.settings.count_tokens
    assert sum(count(str(message.content)) for message in made) <= 600
    assert len(str(made[2].content)) < len(str(made[-1].content))
    for old, new in zip(given, made, strict=True):
        if isinstance(new, ToolMessage):
            found = MARKER.search(str(new.content))
            assert found is not None
            assert context.get(found[1], full=True) == old.content


def test_what_was_read_gives_way_to_the_call_that_reads_it_again(context: SharedContext, log: str) -> None:
    context.put("logs/today", log, agent="a")
    calls = [
        {
            "name": "context_expand",
            "args": {"key": "logs/today", "ref": "v1:lines:1-40"},
            "id": "e",
            "type": "tool_call",
        },
        {"name": "context_read", "args": {"key": "logs/today", "version": 1}, "id": "r", "type": "tool_call"},
    ]
    page = "\n".join(log.split("\n")[:40])
    given: list[AnyMessage] = [
        AIMessage("", tool_calls=calls),
        ToolMessage(page, tool_call_id="e", name="context_expand"),
        ToolMessage(f"logs/today v1 by a\n{page}", tool_call_id="r", name="context_read"),
    ]
    assert edited(ContextEdit(context), given) == given
    made = edited(ContextEdit(context, max_input_tokens=300), given)
    assert 'expand("logs/today", "v1:lines:1-40")' in str(made[1].content)
    assert 'expand("logs/today", "v1:all")' in str(made[2].content)
    assert context.keys("output/") == []


def test_the_latest_results_and_excluded_tools_stay_whole(context: SharedContext, log: str) -> None:
    given = history(log, 1, 1, 1)
    made = edited(ContextEdit(context, keep=2), given)
    assert [new is old for new, old in zip(made, given, strict=True)] == [True, True, False, True, True, True, True]
    assert edited(ContextEdit(context, exclude_tools=["fetch"]), given) == given
    assert edited(ContextEdit(context, keep=9), given) == given


def test_nothing_is_done_below_the_trigger(context: SharedContext, log: str) -> None:
    given = history(log, 1)
    size = count_tokens_approximately(given)
    assert edited(ContextEdit(context, trigger=size), given) == given
    assert edited(ContextEdit(context, trigger=size - 1), given) != given


def test_it_works_beside_the_frameworks_own_edit(context: SharedContext, log: str) -> None:
    made = edited(ContextEdit(context), history(log, 1, 1, 1))
    ClearToolUsesEdit(trigger=1, keep=1).apply(made, count_tokens=count_tokens_approximately)
    assert [message.content for message in made[2:5:2]] == ["[cleared]", "[cleared]"]
    assert edited(ContextEdit(context), made) == made


def test_a_failure_leaves_the_messages_as_they_are(
    context: SharedContext, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = history(log, 1)
    edit = ContextEdit(context)
    context.store.close()
    with caplog.at_level(logging.WARNING):
        assert edited(edit, given) == given
    assert "closed" in caplog.text


def test_odd_numbers_are_refused(context: SharedContext) -> None:
    for options in ({"max_tokens": 20}, {"max_input_tokens": 0}, {"keep": -1}, {"trigger": "x"}):
        with pytest.raises((ConfigError, InvalidValue)):
            ContextEdit(context, **options)
