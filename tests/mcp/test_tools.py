"""The tools: what is offered, by whom they act, and what a model is told."""

from __future__ import annotations

from typing import Any

import pytest

from sharedctx import SharedContext, Store
from sharedctx.tools import TOOLS
from sharedctx_mcp import McpSettings, server


async def test_the_table_of_tools_is_offered_but_for_what_destroys(client: Any) -> None:
    async with client() as model:
        tools = await model.tools()
        removal = await model.call("context_delete", key="plan")
    assert list(tools) == [f"context_{name}" for name in TOOLS if name != "delete"]
    assert tools["context_read"]["description"] == TOOLS["read"].description
    assert tools["context_read"]["inputSchema"] == TOOLS["read"].schema()
    assert removal.failed
    assert removal.text.startswith("INVALID_ACTION: there is no tool 'context_delete': use context_list")


async def test_hints_say_what_a_tool_may_do(client: Any) -> None:
    async with client(allow_delete=True) as model:
        hints = {name: tool["annotations"] for name, tool in (await model.tools()).items()}
    assert {name for name, hint in hints.items() if not hint["readOnlyHint"]} == {"context_write", "context_delete"}
    assert {name for name, hint in hints.items() if hint["destructiveHint"]} == {"context_delete"}
    assert not any(hint["openWorldHint"] for hint in hints.values())


async def test_what_is_written_is_read_listed_found_and_expanded(client: Any, context: SharedContext) -> None:
    log = "\n".join(f"12:{n // 60:02}:{n % 60:02} INFO job {n} done" for n in range(2000)) + "\nERROR disk is full"
    async with client() as model:
        wrote = await model.call("context_write", key="logs/today", value=log)
        listed = await model.call("context_list")
        read = await model.call("context_read", key="logs/today")
        found = await model.call("context_search", query="disk full")
        lines = await model.call("context_expand", key="logs/today", ref="lines:2-3")
        history = await model.call("context_history", key="logs/today")
    assert wrote.text == f"wrote logs/today v1, {len(log)} bytes"
    assert listed.text.startswith("logs/today  v1  ")
    assert read.text.startswith("logs/today v1  by tester\n")
    assert len(read.text) < len(log) / 10
    assert "disk is full" in read.text
    assert "logs/today v1: ERROR disk is full" in found.text
    assert lines.text == "12:00:01 INFO job 1 done\n12:00:02 INFO job 2 done"
    assert history.text.endswith("by tester")
    assert context.get("logs/today", full=True) == log


async def test_what_is_removed_keeps_its_history(client: Any, context: SharedContext) -> None:
    context.put("plan", "first")
    async with client(allow_delete=True) as model:
        removed = await model.call("context_delete", key="plan")
    assert removed.text == "deleted plan v1; its history stays"
    assert context.get("plan") is None
    assert context.get("plan", version=1) == "first"


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("context_read", {"key": "plam"}, "KEY_NOT_FOUND: there is no live value under 'plam': the nearest are 'plan'"),
        ("context_read", {}, "INVALID_VALUE: read needs 'key'"),
        ("context_read", {"key": 7}, "INVALID_VALUE: key 7 is no valid string"),
        ("context_read", {"key": "plan", "colour": "red"}, "INVALID_VALUE: read takes no 'colour'"),
        ("context_read", {"key": "plan", "version": 9}, "KEY_NOT_FOUND: 'plan' has no version 9"),
        ("context_read", {"key": "plan", "max_tokens": 1}, "INVALID_VALUE: max_tokens 1"),
        ("context_write", {"key": "../x", "value": "v"}, "INVALID_KEY: the key '../x' has a '..' segment"),
        ("context_write", {"key": "a\x00b", "value": "v"}, "INVALID_KEY: the key 'a\\x00b'"),
        ("context_write", {"key": "plan", "value": "v", "expected_version": 4}, "VERSION_CONFLICT: "),
        ("context_expand", {"key": "plan", "ref": "verse:1"}, "INVALID_VALUE: "),
        ("context_expand", {"key": "plan", "ref": "regex:("}, "INVALID_VALUE: "),
        ("context_search", {"query": "  "}, "INVALID_VALUE: "),
        ("context_nothing", {}, "INVALID_ACTION: there is no tool 'context_nothing'"),
        ("read", {"key": "plan"}, "INVALID_ACTION: there is no tool 'read'"),
    ],
)
async def test_a_model_is_told_what_was_wrong(
    client: Any, context: SharedContext, name: str, arguments: dict[str, Any], told: str
) -> None:
    context.put("plan", "first")
    async with client() as model:
        answer = await model.call(name, **arguments)
        assert answer.failed
        assert answer.text.startswith(told)
        assert not (await model.call("context_read", key="plan")).failed
    assert context.get("plan", full=True) == "first"


async def test_a_conflict_says_whose_version_is_there(client: Any, context: SharedContext) -> None:
    context.put("plan", "first", agent="planner")
    async with client() as model:
        answer = await model.call("context_write", key="plan", value="mine", expected_version=0)
    assert answer.failed
    assert "planner" in answer.text
    assert "expected_version=1" in answer.text


async def test_a_failure_of_the_server_is_told_without_its_insides(
    client: Any, context: SharedContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr(SharedContext, "keys", fail)
    async with client() as model:
        answer = await model.call("context_list")
    assert answer.failed
    assert answer.text == "INTERNAL: context_list failed (RuntimeError): see the server's log"


async def test_a_reading_is_cut_to_a_page_whatever_is_asked_for(client: Any, context: SharedContext) -> None:
    context.put("line", "word " * 50_000)
    async with client(max_tokens=200) as model:
        for asked in ({}, {"max_tokens": 10**6}, {"max_tokens": "1000000"}):
            read = await model.call("context_read", key="line", **asked)
            page = await model.call("context_expand", key="line", ref="all", **asked)
            assert not read.failed
            assert context.settings.count_tokens(read.text) < 250
            assert context.settings.count_tokens(page.text) < 250


async def test_a_value_may_be_json_and_text_of_any_kind(client: Any, context: SharedContext) -> None:
    async with client() as model:
        assert not (await model.call("context_write", key="rows", value=[{"a": 1}, {"a": 2}])).failed
        assert not (await model.call("context_write", key="näme/日本", value="Grüße \u2028 🙂")).failed
        read = await model.call("context_read", key="näme/日本")
    assert context.get("rows", full=True) == [{"a": 1}, {"a": 2}]
    assert "Grüße \u2028 🙂" in read.text


async def test_who_acts_is_what_the_client_calls_itself_or_the_bound_participant(
    client: Any, context: SharedContext
) -> None:
    async with client(name="claude-code") as model:
        await model.call("context_write", key="a", value="1")
    async with client(context.bind("subagent:research"), name="claude-code") as model:
        await model.call("context_write", key="b", value="2")
    async with client(name="bad\x07\u202ename") as model:
        await model.call("context_write", key="c", value="3")
    writers = {key: entry.agent for key in "abc" if (entry := context.get_entry(key)) is not None}
    assert writers == {"a": "claude-code", "b": "subagent:research", "c": "badname"}


async def test_grants_bind_tools_and_a_denied_key_does_not_exist(client: Any, context: SharedContext) -> None:
    context.put("secret/plan", "hidden", agent="boss")
    context.put("open/plan", "seen", agent="boss")
    context.grant("intern", read=["open/*"], write=["open/notes"])
    async with client(context.bind("intern"), allow_delete=True) as model:
        listed = await model.call("context_list")
        hidden = await model.call("context_read", key="secret/plan")
        found = await model.call("context_search", query="hidden seen")
        written = await model.call("context_write", key="open/plan", value="mine")
        removed = await model.call("context_delete", key="open/plan")
        allowed = await model.call("context_write", key="open/notes", value="mine")
    assert "secret" not in listed.text
    assert hidden.text == "KEY_NOT_FOUND: there is no live value under 'secret/plan': the nearest are 'open/plan'"
    assert "secret" not in found.text
    assert written.text.startswith("FORBIDDEN")
    assert removed.text.startswith("FORBIDDEN")
    assert not allowed.failed
    assert context.get("open/plan", full=True) == "seen"


async def test_two_clients_on_one_store_see_and_do_not_overwrite_each_other(client: Any, store: Store) -> None:
    first, second = store.session("team").bind("first"), store.session("team").bind("second")
    async with client(first) as one, client(second) as two:
        await one.call("context_write", key="plan", value="by one", expected_version=0)
        lost = await two.call("context_write", key="plan", value="by two", expected_version=0)
        read = await two.call("context_read", key="plan")
        await one.call("context_write", key="plan", value="by one again", expected_version=1)
        noted = await two.call("context_search", query="nothing")
        once = await two.call("context_search", query="nothing")
    assert lost.failed
    assert "by one" in read.text
    assert noted.text.endswith("[a key that you read has changed: plan v1 -> v2 by first]")
    assert "changed" not in once.text


async def test_a_server_that_is_read_only_offers_no_tool_that_writes(client: Any, context: SharedContext) -> None:
    context.put("plan", "first")
    async with client(read_only=True) as model:
        tools = await model.tools()
        refused = await model.call("context_write", key="plan", value="x")
    assert all(tool["annotations"]["readOnlyHint"] for tool in tools.values())
    assert refused.failed
    assert context.get_entry("plan").version == 1


async def test_instructions_name_the_tools_that_there_are(client: Any, context: SharedContext) -> None:
    async with client(read_only=True, prefix="team-") as model:
        tools = await model.tools()
    assert "team-read" in tools
    told = server(context, McpSettings(read_only=True, prefix="team-")).instructions
    assert "team-expand" in told
    assert "team-write" not in told
    assert "team-write" in server(context, McpSettings(prefix="team-")).instructions
