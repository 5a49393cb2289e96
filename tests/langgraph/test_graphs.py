"""Graphs on the checkpointer: memory, time travel, forks, interrupts, in threads and in event loops."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import asyncio
import operator
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from sharedctx_langgraph import ContextSaver

from .made import config


class State(TypedDict):
    """A log that grows."""

    log: Annotated[list[str], operator.add]


def graph(saver: ContextSaver, *, ask: bool = False) -> Any:
    built = StateGraph(State)

    def first(state: State) -> dict[str, Any]:
        return {"log": [f"first saw {len(state['log'])}" + " and more" * 100]}

    def second(state: State) -> dict[str, Any]:
        return {"log": [str(interrupt("go on?")) if ask else "second"]}

    built.add_node("first", first)
    built.add_node("second", second)
    built.add_edge(START, "first")
    built.add_edge("first", "second")
    return built.compile(checkpointer=saver)


def test_a_graph_remembers_travels_and_forks(address: str) -> None:
    with ContextSaver.from_url(address) as saver:
        app = graph(saver)
        for number in range(20):
            app.invoke({"log": [f"input {number}"]}, config())
        states = list(app.get_state_history(config()))
        assert len(states) == 80
        assert [len(state.values["log"]) for state in states[:4]] == [60, 59, 58, 57]
        old = next(state for state in states if len(state.values["log"]) == 30 and not state.next)
        forked = app.invoke({"log": ["elsewhere"]}, old.config)
        assert forked["log"][:30] == old.values["log"]
        assert len(app.get_state(config()).values["log"]) == 33
        assert app.get_state(states[0].config).values == states[0].values


def test_an_interrupt_waits_for_its_answer_in_another_saver(tmp_path: Path) -> None:
    with ContextSaver.from_path(tmp_path / "store") as saver:
        app = graph(saver, ask=True)
        assert app.invoke({"log": ["begin"]}, config())["__interrupt__"][0].value == "go on?"
    with ContextSaver.from_path(tmp_path / "store") as saver:
        app = graph(saver, ask=True)
        assert app.get_state(config()).next == ("second",)
        assert app.invoke(Command(resume="yes"), config())["log"][-1] == "yes"


def test_loops_and_threads_use_one_saver(address: str) -> None:
    async def many(app: Any) -> None:
        async def one(thread: str) -> None:
            for number in range(4):
                await app.ainvoke({"log": [f"{thread} {number}"]}, config(thread))

        await asyncio.gather(*(one(f"loop {number}") for number in range(10)))

    with ContextSaver.from_url(address) as saver:
        app = graph(saver)
        asyncio.run(many(app))
        app.batch([{"log": ["x"]}] * 10, [config(f"thread {number}") for number in range(10)])

        async def history(thread: str) -> list[int]:
            return [len(state.values.get("log", ())) async for state in app.aget_state_history(config(thread))]

        for number in range(10):
            assert asyncio.run(history(f"loop {number}"))[:3] == [12, 11, 10]
            assert len(app.get_state(config(f"thread {number}")).values["log"]) == 3


def test_a_long_conversation_takes_little_more_than_what_was_said(tmp_path: Path) -> None:
    said = [f"{number} " + "".join(chr(97 + (number * each) % 23) for each in range(2000)) for number in range(60)]
    with ContextSaver.from_path(tmp_path / "store") as saver:
        app = graph(saver)
        for text in said:
            app.invoke({"log": [text]}, config())
        held = saver.stats()
        assert held["checkpoints"] == 240
        whole = sum(len("".join(state.values.get("log", ()))) for state in app.get_state_history(config()))
        assert held["bytes"] * 40 < whole
        assert app.get_state(config()).values["log"][::3] == said
