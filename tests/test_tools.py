"""The table of tools: what a model asks is done, and every answer is text that it can act on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharedctx
from sharedctx import AsyncSharedContext
from sharedctx.testing import ManualClock
from sharedctx.tools import TOOLS, Answer, call


@pytest.fixture
def ctx() -> sharedctx.SharedContext:
    return sharedctx.open("memory://", clock=ManualClock(1_700_000_000.0)).session().bind("subagent:research")


def say(ctx: sharedctx.SharedContext, name: str, **arguments: Any) -> str:
    answer = call(ctx, name, arguments)
    assert answer.error is None, answer
    return answer.text


def test_the_table_is_the_tools_of_the_project() -> None:
    assert list(TOOLS) == ["list", "read", "write", "delete", "expand", "search", "history"]
    for name, tool in TOOLS.items():
        assert tool.name == name
        assert tool.description.endswith(".")


def test_an_entry_goes_through_its_life(ctx: sharedctx.SharedContext) -> None:
    assert say(ctx, "list") == "there are no keys yet"
    assert say(ctx, "write", key="plan", value="step one") == "wrote plan v1, 8 bytes"
    assert say(ctx, "read", key="plan") == "plan v1  by subagent:research\nstep one"
    assert say(ctx, "list") == "plan  v1  text  8 bytes  2023-11-14 22:13:20  by subagent:research"
    say(ctx, "write", key="plan", value="step two", expected_version="1")
    assert say(ctx, "read", key="plan", version=1).endswith("step one")
    assert say(ctx, "delete", key="plan") == "deleted plan v2; its history stays"
    assert [line.split()[0] for line in say(ctx, "history", key="plan").splitlines()] == ["v3", "v2", "v1"]
    assert len(say(ctx, "history", key="plan", limit=1).splitlines()) == 1


def test_what_a_view_leaves_out_is_given_by_the_call_that_it_names(ctx: sharedctx.SharedContext) -> None:
    lines = [f"2026-01-01 event {n} of the day, nothing special about it at all" for n in range(2000)]
    lines[777] = "2026-01-01 the pump stopped"
    ctx.put("log", "\n".join(lines))
    view = say(ctx, "read", key="log", max_tokens=300)
    assert "expand(" in view
    assert "the pump stopped" in say(ctx, "read", key="log", max_tokens=300, query="pump")
    assert say(ctx, "expand", key="log", ref="lines:778") == lines[777]
    page = say(ctx, "expand", key="log", ref="all", max_tokens=100)
    assert "more characters: expand(" in page
    found = say(ctx, "search", query="pump stopped", limit=1)
    key, ref = json.loads("[" + found.partition("expand(")[2].rstrip(")") + "]")
    assert lines[777] in say(ctx, "expand", key=key, ref=ref)
    assert say(ctx, "search", query="zebra") == "nothing has any word of 'zebra'"


def test_a_long_list_goes_on_where_it_stopped(ctx: sharedctx.SharedContext) -> None:
    for n in range(7):
        ctx.put(f"k{n}", "v")
    page = say(ctx, "list", limit=3).splitlines()
    assert [line.split()[0] for line in page[:3]] == ["k0", "k1", "k2"]
    assert page[3] == "4 more: list them with after='k2'"
    rest = say(ctx, "list", after="k2").splitlines()
    assert [line.split()[0] for line in rest] == ["k3", "k4", "k5", "k6"]
    assert say(ctx, "list", prefix="x") == "no keys start with 'x'"


@pytest.mark.parametrize(
    ("name", "arguments", "code", "part"),
    [
        ("fetch", {}, "INVALID_ACTION", "list, read"),
        ("read", {"key": "plna"}, "KEY_NOT_FOUND", "'plan'"),
        ("read", {}, "INVALID_VALUE", "needs 'key'"),
        ("read", {"key": "plan", "agent": "root"}, "INVALID_VALUE", "takes no 'agent'"),
        ("read", {"key": "plan", "version": 9}, "KEY_NOT_FOUND", "version 9, or no longer: the live one is v1"),
        ("read", {"key": "plan", "version": "two"}, "INVALID_VALUE", "version 'two'"),
        ("read", {"key": "plan", "max_tokens": 3}, "INVALID_VALUE", "50"),
        ("read", {"key": 3}, "INVALID_VALUE", "key 3"),
        ("read", "{", "INVALID_VALUE", "JSON"),
        ("read", "[1]", "INVALID_VALUE", "object"),
        ("write", {"key": "../x", "value": "v"}, "INVALID_KEY", ".."),
        ("write", {"key": "plan", "value": "v", "expected_version": 7}, "VERSION_CONFLICT", "'plan'"),
        ("delete", {"key": "plna"}, "KEY_NOT_FOUND", "'plan'"),
        ("expand", {"key": "plna", "ref": "all"}, "KEY_NOT_FOUND", "'plan'"),
        ("expand", {"key": "plan", "ref": "v9:all"}, "KEY_NOT_FOUND", "version 9, or no longer: the live one is v1"),
        ("write", {"key": "plan", "value": "v", "expected_version": -1}, "INVALID_VALUE", "expected_version -1"),
        ("delete", {"key": "plan", "expected_version": -1}, "INVALID_VALUE", "expected_version -1"),
        ("expand", {"key": "plan", "ref": "pages:1"}, "INVALID_VALUE", "lines:12-40"),
        ("search", {"query": "..."}, "INVALID_VALUE", "no words"),
        ("search", {"query": "x", "limit": 0}, "INVALID_VALUE", "limit 0"),
        ("history", {"key": "plna"}, "KEY_NOT_FOUND", "'plan'"),
        ("history", {"key": "plan", "limit": 0}, "INVALID_VALUE", "limit 0"),
        ("list", {"limit": 0}, "INVALID_VALUE", "limit 0"),
    ],
)
def test_a_bad_call_is_answered_with_code_and_cure(
    ctx: sharedctx.SharedContext, name: str, arguments: Any, code: str, part: str
) -> None:
    ctx.put("plan", "v")
    answer = call(ctx, name, arguments)
    assert answer.error == code
    assert answer.text.startswith(f"{code}: ")
    assert part in answer.text
    assert ctx.get("plan") == "v"


@pytest.mark.parametrize("number", [-(10**30), -1, 2**63, 10**30])
@pytest.mark.parametrize("address", ["memory://", "disk"])
def test_a_number_of_any_size_is_taken_or_refused(tmp_path: Path, address: str, number: int) -> None:
    with sharedctx.open(tmp_path if address == "disk" else address) as store:
        ctx = store.session()
        ctx.put("k", "v")
        for name, tool in TOOLS.items():
            given = {"key": "k", "value": "w", "ref": "all", "query": "v"}
            known = {argument.name: argument for argument in tool.arguments}
            for argument in (each for each in tool.arguments if each.type == "integer"):
                arguments = {name: value for name, value in given.items() if name in known}
                assert call(ctx, name, {**arguments, argument.name: number}).text


def test_a_participant_does_what_its_grants_allow() -> None:
    ctx = sharedctx.open("memory://").session()
    ctx.put("secret", "v")
    ctx.grant("subagent:*", read=["open/*"], write=["open/*"])
    agent = ctx.bind("subagent:x")
    assert say(agent, "list") == "there are no keys yet"
    assert call(agent, "read", {"key": "secret"}).error == "KEY_NOT_FOUND"
    assert call(agent, "write", {"key": "secret", "value": "w"}).error == "FORBIDDEN"
    assert say(agent, "write", key="open/a", value="w").startswith("wrote open/a v1")


def test_null_is_absent_and_a_value_may_be_json(ctx: sharedctx.SharedContext) -> None:
    assert call(ctx, "write", '{"key": "k", "value": {"a": [1]}, "expected_version": null}').error is None
    assert ctx.get("k", full=True) == {"a": [1]}


def test_strict_schemas_require_all_and_allow_null() -> None:
    plain, strict = TOOLS["read"].schema(), TOOLS["read"].schema(strict=True)
    assert plain["required"] == ["key"]
    assert strict["required"] == ["key", "version", "max_tokens", "query"]
    assert strict["properties"]["key"]["type"] == "string"
    assert strict["properties"]["version"]["type"] == ["integer", "null"]
    assert plain["additionalProperties"] is strict["additionalProperties"] is False


def test_coroutines_call_the_same_tools() -> None:
    async def main() -> list[Answer]:
        async with AsyncSharedContext(url="memory://") as ctx:
            me = ctx.bind("a")
            await TOOLS["write"].acall(me, {"key": "k", "value": "v"})
            return [await TOOLS["read"].acall(me, {"key": "k"}), await TOOLS["read"].acall(me, {"key": "x"})]

    read, missing = asyncio.run(main())
    assert read == Answer("k v1  by a\nv")
    assert missing.error == "KEY_NOT_FOUND"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_CONTEXT = sharedctx.open("memory://").session()


@settings(max_examples=150)
@given(
    st.sampled_from(list(TOOLS)),
    st.dictionaries(st.sampled_from(["value", "ref", "query", "limit", "version", "max_tokens", "prefix"]), _JSON),
)
def test_no_call_raises(name: str, arguments: dict[str, Any]) -> None:
    known = {argument.name for argument in TOOLS[name].arguments}
    given = {name: value for name, value in {"key": "k", **arguments}.items() if name in known}
    assert isinstance(call(_CONTEXT, name, given).text, str)
