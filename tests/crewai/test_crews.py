"""Real crews, offline: agents that share memory alone, flows that go on, checkpoints, compressed hand-overs."""

from __future__ import annotations

import gc
import importlib.util
import json
import re
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crewai.state.checkpoint_config import CheckpointConfig

import sharedctx
from crewai import Agent, Crew, Memory, Process, Task
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx_crewai import ContextCheckpoints, ContextMemory, ContextTools, compress_handoffs

_spec = importlib.util.spec_from_file_location("scripted", Path(__file__).with_name("scripted.py"))
assert _spec is not None
assert _spec.loader is not None
scripted = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scripted)

SECRET = "the gateway listens on port 7391"
LONG = "\n".join(f"finding {n}: service-{n} answers in {n * 7 % 97} ms" for n in range(1200)) + f"\nfinding: {SECRET}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sharedctx.Store]:
    with sharedctx.open(tmp_path / "store") as opened:
        yield opened


def agent(role: str, script: Any, **options: Any) -> Agent:
    return Agent(role=role, goal="work", backstory="at work", llm=scripted.Scripted(script), verbose=False, **options)


def recollect(prompt: str) -> str:
    """What the memory's own model says: it extracts the secret, files it, and merges nothing."""
    if "memories" in prompt:
        return json.dumps({"memories": [line for line in prompt.splitlines() if line == SECRET]})
    return json.dumps({"suggested_scope": "/net", "categories": ["network"], "importance": 0.9})


def memory(store: sharedctx.Store, script: Any = recollect, **options: Any) -> Memory:
    options.setdefault("consolidation_threshold", 1.0)
    return Memory(storage=ContextMemory(store), embedder=scripted.embed, llm=scripted.Scripted(script), **options)


def test_two_agents_of_a_crew_whose_only_path_is_memory(store: sharedctx.Store) -> None:
    scout = agent("Scout", lambda prompt: scripted.answer(f"I looked around.\n{SECRET}"))
    planner = agent(
        "Planner", lambda prompt: scripted.answer("port 7391" if "listens on port 7391" in prompt else "unknown")
    )
    look = Task(description="look around", expected_output="findings", agent=scout)
    plan = Task(description="On which port listens the gateway?", expected_output="a port", agent=planner, context=[])
    crew = Crew(agents=[scout, planner], tasks=[look, plan], memory=memory(store), verbose=False)
    assert crew.kickoff().raw == "port 7391"
    assert "I looked around" not in planner.llm.prompts[0]
    assert SECRET in planner.llm.prompts[0]
    assert SECRET in [record.content for record in ContextMemory(store).list_records()]


def test_what_one_crew_remembers_another_one_knows(store: sharedctx.Store) -> None:
    first = memory(store)
    first.remember(SECRET, scope="/crew/net", categories=["network"], importance=0.9)
    first.close()
    planner = agent(
        "Planner", lambda prompt: scripted.answer("port 7391" if "listens on port 7391" in prompt else "unknown")
    )
    plan = Task(description="On which port listens the gateway?", expected_output="the port", agent=planner)
    assert Crew(agents=[planner], tasks=[plan], memory=memory(store), verbose=False).kickoff().raw == "port 7391"


def test_memories_that_crewai_merges_stay_private_and_keep_their_source(store: sharedctx.Store) -> None:
    def merge(prompt: str) -> str:
        (own,) = re.findall(r"id=(\S+) \|", prompt)
        action = {"action": "update", "record_id": own, "new_content": "the key of the safe is 4712"}
        return json.dumps({"actions": [action], "insert_new": False})

    mine = memory(store, merge, consolidation_threshold=0.5)
    given = {"scope": "/home", "categories": ["keys"], "importance": 0.9, "source": "ann", "private": True}
    mine.remember("the key of the safe is 4711", **given)
    mine.remember("the key of the safe is 4712", **given)
    (record,) = ContextMemory(store).list_records()
    assert (record.content, record.private, record.source) == ("the key of the safe is 4712", True, "ann")
    assert mine.recall("the key of the safe", source="bob", depth="shallow") == []
    assert len(mine.recall("the key of the safe", source="ann", depth="shallow")) == 1
    assert len(ContextMemory(store).history(record.id)) == 2


def two_tasks(reader: Agent, writer: Agent) -> Crew:
    gather = Task(description="gather the findings", expected_output="findings", agent=writer)
    use = Task(description="name the port of the gateway", expected_output="a port", agent=reader, context=[gather])
    return Crew(agents=[writer, reader], tasks=[gather, use], process=Process.sequential, verbose=False)


def test_a_long_hand_over_is_passed_on_as_a_view_and_expanded_by_its_reader(store: sharedctx.Store) -> None:
    ctx = store.session()

    def read(prompt: str) -> str:
        if "Observation" in prompt.rpartition("Begin!")[2] or "finding 700: service-700" in prompt:
            return scripted.answer("7391" if "finding 700: service-700" in prompt else "nothing")
        (key,) = ctx.keys("output/")
        return scripted.use("expand", key=key, ref="lines:695-705")

    writer, reader = agent("作者", lambda prompt: scripted.answer(LONG)), agent("Líder 2", read)
    crew = two_tasks(reader, writer)
    with compress_handoffs(crew, ctx, max_tokens=400):
        result = crew.kickoff()
    assert result.raw == "7391"
    assert result.tasks_output[0].raw == LONG
    (key,) = ctx.keys("output/作者/")
    assert ctx.get(key, full=True) == LONG
    first = reader.llm.prompts[0]
    assert LONG not in first
    assert ctx.settings.count_tokens(first) < 2500
    assert "expand(" in first
    assert [tool.name for tool in reader.tools or []] == []
    kinds = {(saving.participant, saving.face, saving.kind): saving for saving in ctx.savings()}
    handed = kinds["agent:líder-2", "crewai", "handoff"]
    assert (handed.giver, handed.calls) == ("作者", 1)
    assert 0 < handed.served_tokens < handed.replay_tokens == ctx.settings.count_tokens(LONG)
    assert not any(kind == "read" for _, _, kind in kinds)


def test_a_task_is_handed_a_packet_of_the_session(store: sharedctx.Store) -> None:
    ctx = store.session()
    ctx.put("rules", "answer with the number alone", agent="lead")
    ctx.put("private", "not for readers")
    ctx.grant("agent:reader", read=["rules", "output/*"])

    def read(prompt: str) -> str:
        if SECRET in prompt.split("Observation")[-1] and "Observation" in prompt:
            return scripted.answer("7391")
        key = re.findall(r"output/writer/writer-\w+", prompt)[0]
        return scripted.use("expand", key=key, ref="regex:gateway")

    writer, reader = agent("Writer", lambda prompt: scripted.answer(LONG)), agent("Reader", read)
    crew = two_tasks(reader, writer)
    with compress_handoffs(crew, ctx, max_tokens=400, packets=True):
        assert crew.kickoff().raw == "7391"
    first = reader.llm.prompts[0]
    assert "# Shared context for agent:reader" in first
    assert "answer with the number alone" in first
    assert "private" not in first
    assert LONG not in first
    (key,) = ctx.keys("output/writer/")
    assert ctx.get(key, full=True) == LONG
    (handed,) = [each for each in ctx.savings() if each.kind == "packet"]
    assert (handed.participant, handed.face, handed.giver) == ("agent:reader", "crewai", "crew")
    assert handed.served_tokens <= 400 < handed.replay_tokens


def test_a_packet_that_cannot_be_made_leaves_the_whole(store: sharedctx.Store) -> None:
    ctx = store.session()
    ctx.grant("crew", read=["nothing"])
    writer = agent("Writer", lambda prompt: scripted.answer("short"))
    reader = agent("Reader", lambda prompt: scripted.answer("saw it" if "short" in prompt else "lost it"))
    with compress_handoffs(None, ctx, max_tokens=50, packets=True):
        assert two_tasks(reader, writer).kickoff().raw == "saw it"


def test_short_hand_overs_and_other_crews_are_left_alone(store: sharedctx.Store) -> None:
    ctx = store.session()
    crews = []
    for text in (LONG, "short"):
        writer = agent("Writer", lambda prompt, text=text: scripted.answer(text))
        crews.append(two_tasks(agent("Reader", lambda prompt: scripted.answer("done")), writer))
    with compress_handoffs(crews[1], ctx, max_tokens=400):
        crews[0].kickoff()
    assert "finding 1199" in crews[0].agents[1].llm.prompts[0]
    with compress_handoffs(crews[1], ctx, max_tokens=100_000):
        crews[1].kickoff()
    assert ctx.keys() == []


def test_copies_of_a_crew_are_told_to_run_without_and_are_reached_by_all(
    store: sharedctx.Store, caplog: pytest.LogCaptureFixture
) -> None:
    ctx = store.session()
    reader = agent("Reader", lambda prompt: scripted.answer("whole" if LONG in prompt else "view"))
    crew = two_tasks(reader, agent("Writer", lambda prompt: scripted.answer(LONG)))
    with compress_handoffs(crew, ctx, max_tokens=400):
        assert [made.raw for made in crew.kickoff_for_each(inputs=[{}, {}])] == ["whole", "whole"]
        assert [record.message for record in caplog.records if "copies of a crew" in record.message] != []
        assert crew.kickoff().raw == "view"
    caplog.clear()
    with compress_handoffs(None, ctx, max_tokens=400):
        assert crew.kickoff_for_each(inputs=[{}])[0].raw == "view"
    assert "copies of a crew" not in caplog.text


def test_crews_that_are_done_are_not_held_by_the_hand_overs_of_all(store: sharedctx.Store) -> None:
    def run_one() -> weakref.ref[Agent]:
        reader = agent("Reader", lambda prompt: scripted.answer("view" if "expand(" in prompt else "whole"))
        assert two_tasks(reader, agent("Writer", lambda prompt: scripted.answer(LONG))).kickoff().raw == "view"
        return weakref.ref(reader)

    with compress_handoffs(None, store.session(), max_tokens=400):
        reader = run_one()
        gc.collect()
        assert reader() is None


def test_a_hand_over_that_cannot_be_stored_goes_on_whole(store: sharedctx.Store) -> None:
    ctx = store.session(max_value_tokens=5)
    writer = agent("Writer", lambda prompt: scripted.answer(LONG))
    reader = agent("Reader", lambda prompt: scripted.answer("saw it" if LONG in prompt else "lost it"))
    with compress_handoffs(None, ctx, max_tokens=400):
        assert two_tasks(reader, writer).kickoff().raw == "saw it"


def test_what_is_no_context_no_crew_and_no_tool_is_refused_before_anything_runs(store: sharedctx.Store) -> None:
    ctx = store.session()
    for refused in (
        lambda: compress_handoffs(None, None),  # type: ignore[arg-type]
        lambda: compress_handoffs("crew", ctx),  # type: ignore[arg-type]
        lambda: ContextTools(store),  # type: ignore[arg-type]
        lambda: ContextTools(ctx, ["read", "none"]),
        lambda: ContextTools(ctx, "read"),
        lambda: ContextTools(ctx, [["read"]]),  # type: ignore[list-item]
        lambda: ContextTools(ctx, None),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidValue, match=r"pass one|choose of list, read"):
            refused()


def test_agents_use_the_shared_context_by_tools(store: sharedctx.Store) -> None:
    ctx = store.session()
    turns = iter([scripted.use("write", key="plan", value="three steps"), scripted.answer("written")])
    worker = agent("Worker", lambda prompt: next(turns), tools=ContextTools(ctx.bind("agent:worker")))
    task = Task(description="plan it", expected_output="a word", agent=worker)
    assert Crew(agents=[worker], tasks=[task], verbose=False).kickoff().raw == "written"
    entry = ctx.get_entry("plan")
    assert entry is not None
    assert (ctx.get("plan"), entry.agent) == ("three steps", "agent:worker")
    assert [tool.name for tool in ContextTools(ctx)] == ["list", "read", "write", "expand"]
    assert "KEY_NOT_FOUND" in ContextTools(ctx)[1].run(key="none")


def test_checkpoints_are_read_and_forgotten_by_their_own_names_alone(store: sharedctx.Store) -> None:
    provider = ContextCheckpoints(store)
    location = provider.checkpoint("{}", "runs")
    store.session().put("secret", "of another face")
    for refused in ("secret@1", "", "x", 3, None, location[:-1] + "9" * 5000, location[:-1] + "\u0661"):
        with pytest.raises((ConfigError, InvalidValue), match=r"no checkpoint|the location"):
            provider.from_checkpoint(refused)  # type: ignore[arg-type]
    for call, named in (
        (lambda: provider.prune("runs", -1), "max_keep"),
        (lambda: provider.checkpoint(b"{}", "runs"), "snapshot"),  # type: ignore[arg-type]
        (lambda: provider.checkpoint("{}", None), "location"),  # type: ignore[arg-type]
        (lambda: provider.checkpoint("{}", "runs", branch=3), "branch"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidValue, match=named):
            call()
    assert provider.locations("runs") == [location]


def test_checkpoints_of_a_crew_are_small_and_it_goes_on_from_one(store: sharedctx.Store) -> None:
    ran: list[str] = []

    def work(prompt: str) -> str:
        ran.append(prompt)
        return scripted.answer(LONG[:20_000])

    worker = agent("Worker", work)
    tasks = [Task(description=f"step {n}", expected_output="text", agent=worker) for n in range(4)]
    provider = ContextCheckpoints(store)
    crew = Crew(
        agents=[worker],
        tasks=tasks,
        verbose=False,
        checkpoint=CheckpointConfig(location="runs", provider=provider),
    )
    result = crew.kickoff()
    locations = provider.locations("runs")
    assert len(locations) == 4
    whole = sum(len(provider.from_checkpoint(location)) for location in locations)
    kept = sum(len(row.value) for row in store.backend.scan("session:default", locations[0].rpartition("@")[0]))
    assert kept * 15 < whole
    restored = provider.restore(Crew, locations[1])
    for each in restored.agents:
        each.llm = worker.llm
    for task in restored.tasks:
        if task.agent is not None:
            task.agent.llm = worker.llm
    count = len(ran)
    assert restored.kickoff().raw == result.raw
    assert len(ran) - count < 4
    assert provider.prune("runs", 2) >= 0
    assert provider.locations("runs")[:2] == locations[:2]
