"""The toolkit: what agents do with the context, what models are told, and what they cannot do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseToolkit
from langchain_core.utils.function_calling import convert_to_openai_tool

from sharedctx import AsyncSharedContext, SharedContext, Store
from sharedctx.errors import ConfigError, Forbidden
from sharedctx_langchain import ContextEdit, ContextOffloadMiddleware, ContextToolkit


def told(play: SimpleNamespace, toolkit: ContextToolkit, *calls: Any, sync: bool = True) -> dict[str, ToolMessage]:
    """What the model is told when it makes these calls one after the other."""
    model = play.Model(*(play.calls(each) for each in calls), AIMessage("done"))
    agent = create_agent(model, toolkit.get_tools())
    given: Any = {"messages": [("user", "go")]}
    if sync:
        agent.invoke(given)
    else:
        asyncio.run(agent.ainvoke(given))
    return dict(model.results())


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_an_agent_works_with_the_context(play: SimpleNamespace, context: SharedContext, log: str, sync: bool) -> None:
    context.put("logs/today", log, agent="collector")
    results = told(
        play,
        ContextToolkit(context, "agent-a"),
        play.call("context_list", "l"),
        play.call("context_write", "w", key="plan", value="mend the disk"),
        play.call("context_read", "r", key="logs/today", max_tokens=150),
        play.call("context_expand", "e", key="logs/today", ref="v1:lines:212"),
        play.call("context_search", "s", query="full disk", limit=1),
        play.call("context_delete", "d", key="plan", expected_version=1),
        sync=sync,
    )
    assert {message.status for message in results.values()} == {"success"}
    assert "logs/today  v1" in results["l"].content
    assert results["w"].content.startswith("wrote plan v1")
    assert "expand(" in results["r"].content
    assert "/dev/sdb1 is full" in results["e"].content
    assert "logs/today" in results["s"].content
    assert results["d"].content.startswith("deleted plan v1")
    assert [entry.agent for entry in context.history("plan")] == ["agent-a", "agent-a"]
    assert [saving.face for saving in context.savings()] == ["langchain"] * len(context.savings()) != []


def test_artifacts_refer_and_never_hold_the_text(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    context.put("logs/today", log, agent="collector")
    results = told(
        play,
        ContextToolkit(context, "agent-a"),
        play.call("context_read", "r", key="logs/today", version=1),
        play.call("context_expand", "e", key="logs/today", ref="v1:lines:1-9"),
        play.call("context_list", "l"),
    )
    assert results["r"].artifact == {"sharedctx": {"session": "team", "key": "logs/today", "version": 1}}
    assert results["e"].artifact == {"sharedctx": {"session": "team", "key": "logs/today", "version": 1}}
    assert results["l"].artifact == {"sharedctx": {"session": "team"}}


def test_no_read_is_larger_than_a_page_whatever_the_model_asks_for(
    play: SimpleNamespace, context: SharedContext
) -> None:
    context.put("line", "words of all sorts, and more " * 3500, agent="collector")
    context.put("log", "\n".join(f"{n} {n * n % 977} some words" for n in range(5000)), agent="collector")
    results = told(
        play,
        ContextToolkit(context, "agent-a", max_tokens=800),
        play.call("context_read", "r1", key="line"),
        play.call("context_read", "r2", key="log", max_tokens=10**9),
        play.call("context_expand", "e1", key="line", ref="all"),
        play.call("context_expand", "e2", key="log", ref="all", max_tokens=10**9),
    )
    for message in results.values():
        assert 20 < context.settings.count_tokens(message.content) <= 850
        assert "expand(" in message.content


def test_two_writers_do_not_overwrite_each_other(play: SimpleNamespace, context: SharedContext) -> None:
    first = told(play, ContextToolkit(context, "a"), play.call("context_write", "w", key="plan", value="A"))
    second = told(
        play,
        ContextToolkit(context, "b"),
        play.call("context_write", "w", key="plan", value="B", expected_version=0),
        play.call("context_write", "again", key="plan", value="B", expected_version=1),
    )
    assert first["w"].status == "success"
    assert second["w"].status == "error"
    assert "VERSION_CONFLICT" in second["w"].content
    assert "expected_version" in second["w"].content
    assert second["again"].content.startswith("wrote plan v2")


def test_mistakes_are_explained_to_the_model(play: SimpleNamespace, context: SharedContext) -> None:
    context.put("findings", "some text\n" * 300)
    results = told(
        play,
        ContextToolkit(context, "agent-a"),
        play.call("context_read", "near", key="finding"),
        play.call("context_read", "nothing"),
        play.call("context_read", "kind", key="findings", version="third"),
        play.call("context_read", "unknown", key="findings", page=2),
        play.call("context_expand", "ref", key="findings", ref="paragraph 3"),
        play.call("context_write", "key", key="a\x00b", value="x"),
        play.call("context_list", "limit", limit=0),
        play.call("context_write", "object", key="table", value={"rows": [1, 2]}),
    )
    assert results.pop("object").content.startswith("wrote table v1")
    assert context.get("table", full=True) == {"rows": [1, 2]}
    assert {message.status for message in results.values()} == {"error"}
    assert {message.artifact for message in results.values()} == {None}
    assert "KEY_NOT_FOUND" in results["near"].content
    assert "'findings'" in results["near"].content
    assert "key: field required (the entry's key" in results["nothing"].content
    assert "version: " in results["kind"].content
    assert "takes no 'page': it takes key, version" in results["unknown"].content
    assert "lines:" in results["ref"].content
    assert "INVALID_KEY" in results["key"].content
    assert "INVALID_VALUE" in results["limit"].content


def test_schemas_describe_every_argument(context: SharedContext) -> None:
    for tool in ContextToolkit(context, "a").get_tools():
        function = convert_to_openai_tool(tool)["function"]
        assert len(function["description"]) > 30
        properties = function["parameters"]["properties"]
        assert all(each["description"] for each in properties.values())
    write = convert_to_openai_tool(ContextToolkit(context, "a", names=["write"]).get_tools()[0])
    assert write["function"]["parameters"]["properties"]["value"]["type"] == "string"
    assert write["function"]["parameters"]["required"] == ["key", "value"]


def test_who_acts_is_fixed(context: SharedContext) -> None:
    with pytest.raises(ConfigError, match="pass a participant"):
        ContextToolkit(context)
    with pytest.raises(Forbidden):
        ContextToolkit(context.bind("a"), "b")
    with pytest.raises(ConfigError, match="no tool 'erase'"):
        ContextToolkit(context, "a", names=["erase"])
    with pytest.raises(ConfigError, match="below 50"):
        ContextToolkit(context, "a", max_tokens=10)
    toolkit = ContextToolkit(context.bind("a"), names=["read", "history"], prefix="shared_")
    assert [tool.name for tool in toolkit.get_tools()] == ["shared_read", "shared_history"]
    assert isinstance(toolkit, BaseToolkit)


@pytest.mark.parametrize("made", [ContextToolkit, ContextOffloadMiddleware, ContextEdit])
def test_what_is_no_context_is_told_with_what_would_be_one(store: Store, context: SharedContext, made: Any) -> None:
    for given in (store, AsyncSharedContext.over(context), "./store", None):
        with pytest.raises(ConfigError, match="is no SharedContext: pass SharedContext") as raised:
            made(given)
        assert type(given).__name__ in str(raised.value)


def test_a_name_alone_is_no_list_of_names(context: SharedContext) -> None:
    for made in (ContextOffloadMiddleware, ContextEdit):
        with pytest.raises(ConfigError, match=r"exclude_tools 'fetch' is no list of names"):
            made(context, exclude_tools="fetch")


def test_grants_bind_each_agent(play: SimpleNamespace, context: SharedContext) -> None:
    context.put("plan", "mend the disk")
    context.put("secret", "a password")
    context.grant("reader", read=["plan"])
    results = told(
        play,
        ContextToolkit(context, "reader"),
        play.call("context_list", "l"),
        play.call("context_read", "r", key="plan"),
        play.call("context_read", "s", key="secret"),
        play.call("context_write", "w", key="plan", value="x"),
    )
    assert "secret" not in results["l"].content
    assert "mend the disk" in results["r"].content
    assert "KEY_NOT_FOUND" in results["s"].content
    assert "FORBIDDEN" in results["w"].content


def test_without_the_framework_the_package_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['langchain_core'] = sys.modules['langchain'] = None\n"
        "import sharedctx_langchain\n"
        "from sharedctx.errors import PackageNotInstalled\n"
        "for name in sharedctx_langchain.__all__:\n"
        "    try: getattr(sharedctx_langchain, name)\n"
        "    except PackageNotInstalled as error: assert \"pip install 'sharedctx[langchain]'\" in str(error)\n"
        "    else: raise SystemExit(name)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_names_that_models_would_be_refused_are_refused_at_once(context: SharedContext) -> None:
    for prefix in ("my tools: ", "x" * 61, None):
        with pytest.raises(ConfigError, match=r"is not 1 to 64|is not text"):
            ContextToolkit(context, "a", prefix=prefix)  # type: ignore[arg-type]
    for names in ("list", None, ["list", "list"], [5]):
        with pytest.raises(ConfigError, match=r"no list of tools|named twice|no tool"):
            ContextToolkit(context, "a", names=names)  # type: ignore[arg-type]
