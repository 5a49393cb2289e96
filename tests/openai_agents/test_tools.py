"""The context's tools in the SDK's form, and other tools whose results are kept in the context."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, Runner, ToolOutputImage, ToolOutputText, function_tool

from sharedctx import SharedContext
from sharedctx.errors import ConfigError, Forbidden
from sharedctx_openai_agents import ContextHandoffFilter, PacketHandoffFilter, context_tools, offload_tool


def outputs(play: SimpleNamespace, tools: list[Any], *calls: Any) -> dict[str, Any]:
    """What the model is told when it makes these calls in one turn."""
    model = play.Model(list(calls), [play.say("done")])
    asyncio.run(Runner.run(Agent(name="A", model=model, tools=tools), "go"))
    return model.outputs


def test_an_agent_works_with_the_context(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    context.put("logs/today", log, agent="collector")
    tools = context_tools(context, "agent-a")
    assert [tool.name for tool in tools] == ["list", "read", "write", "delete", "expand", "search"]
    told = outputs(
        play,
        tools,
        play.call("write", "w", key="plan", value="mend the disk", expected_version=None),
        play.call("read", "r", key="logs/today", version=None, max_tokens=100, query=None),
        play.call("expand", "e", key="logs/today", ref="lines:212", max_tokens=None),
        play.call("search", "s", query="full", prefix=None, limit=None),
    )
    assert told["w"].startswith("wrote plan v1")
    assert "expand" in told["r"]
    assert "/dev/sdb1 is full" in told["e"]
    assert "logs/today" in told["s"]
    assert context.get_entry("plan").agent == "agent-a"


def test_schemas_are_strict(context: SharedContext) -> None:
    tools = context_tools(context, "a", names=["read", "history"], prefix="context_")
    assert [tool.name for tool in tools] == ["context_read", "context_history"]
    for tool in tools:
        assert tool.strict_json_schema
        schema = tool.params_json_schema
        assert schema["required"] == list(schema["properties"])
        assert schema["additionalProperties"] is False


def test_mistakes_are_explained_to_the_model(play: SimpleNamespace, context: SharedContext) -> None:
    context.put("findings", "some text\n" * 300)
    told = outputs(
        play,
        context_tools(context, "agent-a"),
        play.call("read", "r", key="finding", version=None, max_tokens=None, query=None),
        play.call("expand", "e", key="findings", ref="paragraph 3", max_tokens=None),
        play.call("write", "w", key="a\x00b", value="x", expected_version=None),
        play.call("list", "l", prefix=None, after=None, limit=0),
    )
    assert "KEY_NOT_FOUND" in told["r"]
    assert "findings" in told["r"]
    assert "INVALID_VALUE" in told["e"]
    assert "lines:" in told["e"]
    assert "INVALID_KEY" in told["w"]
    assert "INVALID_VALUE" in told["l"]


def test_who_acts_is_fixed(context: SharedContext) -> None:
    with pytest.raises(ConfigError, match="pass a participant"):
        context_tools(context)
    with pytest.raises(Forbidden):
        context_tools(context.bind("a"), "b")
    with pytest.raises(ConfigError, match="no tool 'erase'"):
        context_tools(context, "a", names=["erase"])
    assert len(context_tools(context.bind("a"))) == 6


def test_an_agent_as_a_tool_returns_a_view(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    inner = Agent(name="inner", model=play.Model([play.say(log)]))
    tool = inner.as_tool("research", "Research.")
    told = outputs(play, [offload_tool(tool, context)], play.call("research", "c1", input="go"))
    assert len(told["c1"]) < len(log) / 10
    [key] = context.keys("output/handoff/research-")
    assert context.get(key, full=True) == log
    assert tool.on_invoke_tool is not offload_tool(tool, context).on_invoke_tool


def test_results_of_any_form_are_offloaded(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    results: list[Any] = [
        log,
        {"rows": log.split("\n")},
        [ToolOutputText(text=log), ToolOutputImage(image_url="data:image/png;base64,AAAA")],
        17,
        "small",
        {"type": "text", "text": log},
        [{"id": number, "type": "job", "host": f"web-{number % 7}"} for number in range(900)],
        {"type": "image", "image_url": "data:image/png;base64," + "A" * 9000},
    ]

    @function_tool
    async def give(number: int) -> Any:
        """Give something."""
        return results[number]

    tool = offload_tool(give, context, participant="agent-a")
    told = outputs(play, [tool], *(play.call("give", f"c{n}", number=n) for n in range(len(results))))
    assert len(told["c0"]) < len(log) / 10
    assert len(told["c2"][0]["text"]) < len(log) / 10
    assert told["c2"][1]["image_url"] == "data:image/png;base64,AAAA"
    assert told["c3"] == "17"
    assert told["c4"] == "small"
    assert len(told["c1"]) < len(log) / 10
    assert len(told["c5"][0]["text"]) < len(log) / 10
    assert "web-" in told["c6"]
    assert len(told["c6"]) < 2000
    assert len(told["c7"][0]["image_url"]) > 9000
    kept = [context.get(key, full=True) for key in context.keys("output/")]
    assert json.dumps(results[1], ensure_ascii=False) in kept
    assert json.dumps(results[6]) in kept
    assert all(key.startswith("output/agent-a/give-") for key in context.keys(""))


def test_a_failing_tool_fails_as_before(play: SimpleNamespace, context: SharedContext) -> None:
    @function_tool
    async def broken() -> str:
        """Break."""
        raise ValueError("no disk")

    before = outputs(play, [broken], play.call("broken", "c1"))
    assert outputs(play, [offload_tool(broken, context)], play.call("broken", "c1")) == before


def test_odd_tools_are_refused(context: SharedContext) -> None:
    @function_tool
    async def give() -> str:
        """Give something."""
        return "x"

    with pytest.raises(ConfigError, match="no function tool"):
        offload_tool(json, context)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="below 50"):
        offload_tool(give, context, max_tokens=20)


def test_without_the_sdk_the_package_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['agents'] = None\n"
        "import sharedctx_openai_agents\n"
        "from sharedctx.errors import PackageNotInstalled\n"
        "for name in sharedctx_openai_agents.__all__:\n"
        "    try: getattr(sharedctx_openai_agents, name)\n"
        "    except PackageNotInstalled as error: assert \"pip install 'sharedctx[openai-agents]'\" in str(error)\n"
        "    else: raise SystemExit(name)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_what_expand_returned_is_not_offloaded(play: SimpleNamespace, context: SharedContext, log: str) -> None:
    context.put("log", log)
    tools = [offload_tool(tool, context) for tool in context_tools(context, "a", names=["expand"])]
    told = outputs(play, tools, play.call("expand", "e", key="log", ref="lines:1-40", max_tokens=None))
    assert told["e"] == "\n".join(log.split("\n")[:40])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prefix": "my tools: "}, "'my tools: list' is not 1 to 64"),
        ({"prefix": "x" * 61}, "is not 1 to 64"),
        ({"prefix": None}, "prefix None is not text"),
        ({"names": "list"}, "'list' is no list of tools"),
        ({"names": None}, "None is no list of tools"),
        ({"names": ["list", "list"]}, "'list' is named twice"),
        ({"participant": ""}, "participant ''"),
    ],
)
def test_odd_names_are_refused_at_once(context: SharedContext, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        context_tools(context, **{"participant": "a", **options})


@pytest.mark.parametrize("given", [None, "team", 5])
def test_what_is_no_context_is_refused_everywhere(given: Any) -> None:
    tool = function_tool(lambda: "x", name_override="f", description_override="f")
    for make in (
        lambda: context_tools(given, "a"),
        lambda: offload_tool(tool, given),
        lambda: ContextHandoffFilter(given),
        lambda: PacketHandoffFilter(given),
    ):
        with pytest.raises(ConfigError, match="is no SharedContext"):
            make()
