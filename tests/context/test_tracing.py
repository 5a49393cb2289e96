"""Spans of OpenTelemetry: what they name, what they keep to themselves, and that nobody pays for them unasked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sharedctx import AsyncSharedContext, SharedContext, tracing
from sharedctx.errors import ConfigError, Forbidden, InvalidValue, VersionConflict
from sharedctx.projects import Difference, Projects

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SECRET = "the combination is 4711"


class Traced:
    """A provider whose finished spans are kept."""

    def __init__(self) -> None:
        self.provider = TracerProvider()
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def taken(self) -> list[ReadableSpan]:
        """The spans that ended since they were last taken."""
        found = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return found

    def one(self) -> dict[str, Any]:
        """The attributes of the only span that ended."""
        (span,) = self.taken()
        return dict(span.attributes or {})


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)  # tests of crewai set it
    traced = Traced()
    yield traced
    tracing.end()


def test_an_operation_is_a_span_by_the_names_of_the_conventions(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    agent = ctx.bind("coder")
    tracing.begin(provider=traced.provider)
    store = f"{ctx.store.backend.id}/s"

    def named(operation: str) -> dict[str, Any]:
        return {
            "gen_ai.operation.name": operation,
            "gen_ai.memory.store.id": store,
            "gen_ai.memory.record.id": "plan",
            "gen_ai.agent.name": "coder",
        }

    agent.put("plan", SECRET)
    assert traced.one() == {**named("update_memory"), "sharedctx.version": 1}
    assert agent.get("plan") == SECRET
    assert traced.one() == named("search_memory")
    assert agent.get("plan", full=True) == SECRET
    assert traced.one() == named("search_memory")
    agent.rollback("plan", 1)
    assert traced.one() == {**named("update_memory"), "sharedctx.version": 2}
    agent.delete("plan")
    assert traced.one() == named("delete_memory")
    agent.erase("plan")
    assert traced.one() == named("delete_memory")
    agent.search("combination")
    asked = named("search_memory")
    del asked["gen_ai.memory.record.id"]
    assert traced.one() == asked


def test_what_is_handed_over_is_a_span_too(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    ctx.put("plan", SECRET)
    agent = ctx.bind("coder")
    asked = {
        "gen_ai.operation.name": "search_memory",
        "gen_ai.memory.store.id": f"{ctx.store.backend.id}/s",
        "gen_ai.agent.name": "coder",
    }
    tracing.begin(provider=traced.provider)
    assert SECRET in agent.window(200, query="combination").text
    assert traced.one() == asked
    assert SECRET in agent.packet(for_agent="tester", task="open the safe", max_tokens=200).text
    assert traced.one() == asked
    with pytest.raises(InvalidValue):
        agent.window(1)
    assert traced.one() == {**asked, "error.type": "InvalidValue"}

    tracing.begin(values=True, provider=traced.provider)
    told = agent.window(200, query="combination").text
    words = {"gen_ai.memory.query.text": "combination", "gen_ai.memory.record.content": told}
    assert traced.one() == {**asked, **words}
    told = agent.packet(for_agent="tester", task="open the safe", max_tokens=200).text
    words = {"gen_ai.memory.query.text": "open the safe", "gen_ai.memory.record.content": told}
    assert traced.one() == {**asked, **words}


def test_values_and_queries_are_told_only_where_that_was_asked_for(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    tracing.begin(provider=traced.provider)
    ctx.put("plan", SECRET)
    ctx.get("plan")
    ctx.search("combination")
    assert not [span for span in traced.taken() if "combination" in span.to_json()]

    tracing.begin(values=True, provider=traced.provider)
    ctx.put("plan", SECRET)
    assert traced.one()["gen_ai.memory.record.content"] == SECRET
    ctx.get("plan")
    assert traced.one()["gen_ai.memory.record.content"] == SECRET
    ctx.search("combination")
    assert traced.one()["gen_ai.memory.query.text"] == "combination"
    ctx.put("data", {"a": [1]})
    assert traced.one()["gen_ai.memory.record.content"] == '{"a": [1]}'
    ctx.put("raw", b"\xff\x00")
    assert traced.one()["gen_ai.memory.record.content"] == "2 bytes"


def test_an_error_is_told_by_its_class_alone(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    ctx.put("plan", SECRET)
    ctx.grant("reader", read=["*"])
    tracing.begin(provider=traced.provider)
    with pytest.raises(VersionConflict):
        ctx.put("plan", "other", expect=7)
    with pytest.raises(Forbidden):
        ctx.bind("reader").put("plan", "other")
    conflict, forbidden = traced.taken()
    assert (conflict.attributes or {})["error.type"] == "VersionConflict"
    assert (forbidden.attributes or {})["error.type"] == "Forbidden"
    assert not conflict.status.is_ok
    assert not conflict.events


def test_spans_of_coroutines_hang_below_the_one_that_is_current(traced: Traced) -> None:
    tracing.begin(provider=traced.provider)
    large = "word " * 40_000  # is encoded off the event loop

    async def work() -> int:
        async with AsyncSharedContext("s", url="memory://") as ctx:
            with traced.provider.get_tracer("theirs").start_as_current_span("turn") as turn:
                await ctx.put("plan", SECRET)
                await ctx.put("large", large)
                await ctx.get("large")
            return turn.get_span_context().span_id

    turn = asyncio.run(work())
    *spans, last = traced.taken()
    assert last.name == "turn"
    assert [span.name for span in spans] == ["update_memory", "update_memory", "search_memory"]
    assert [span.parent.span_id for span in spans if span.parent] == [turn] * 3


def test_projects_of_the_server_are_traced(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    projects = Projects(ctx)
    tracing.begin(values=True, provider=traced.provider)
    ctx.run(projects.change("coder", "p", Difference.parse({"added": {"a": 1}}), "coder"))
    told = traced.one()
    assert told["gen_ai.operation.name"] == "update_memory"
    assert told["gen_ai.memory.record.id"] == "p"
    assert told["sharedctx.version"] == 1
    assert '"a":1' in told["gen_ai.memory.record.content"]


def test_nothing_is_traced_or_imported_unasked(traced: Traced) -> None:
    ctx = SharedContext("s", url="memory://")
    tracing.begin(provider=traced.provider)
    tracing.end()
    ctx.put("plan", SECRET)
    assert not traced.taken()
    program = (
        "import sys; from sharedctx import SharedContext as S; c = S(url='memory://'); c.put('a', 'b'); c.get('a');"
    )
    check = "raise SystemExit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program + check]).returncode == 0


def test_the_variable_turns_spans_on_and_a_wrong_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    check = "from sharedctx import tracing; import sys; raise SystemExit('opentelemetry' not in sys.modules)"
    monkeypatch.setenv(tracing.SWITCH, "values")
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
    monkeypatch.setenv(tracing.SWITCH, "loud")
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert ConfigError.__name__ in found.stderr
    assert "SHAREDCTX_TRACING='loud' is none of on, values, off" in found.stderr
