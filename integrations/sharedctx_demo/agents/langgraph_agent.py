"""A LangGraph graph that studies one source a step; its checkpoints lie in the same store, so that it can be killed."""

from __future__ import annotations

import operator
import signal
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from sharedctx_langgraph import ContextSaver

from ..script import redeem
from ..survey import survey
from .part import Part, log
from .playing import perform

THREAD = "study"


class State(TypedDict):
    """The keys of what was studied."""

    studied: Annotated[list[str], operator.add]


def play(part: Part) -> None:
    """Go on where the thread stands, or begin."""
    config: Any = {
        "configurable": {"thread_id": f"{part.session.session}-{THREAD}"},
        "recursion_limit": 3 * len(part.sources) + 10,
    }
    with ContextSaver(part.store) as saver:
        begun = saver.get_tuple(config) is not None
        if begun:
            log.info("the graph resumes at %s", saver.get_tuple(config).checkpoint["channel_values"]["studied"][-1])  # type: ignore[union-attr]
        _graph(part, saver).invoke(None if begun else {"studied": []}, config, durability="sync")


def _graph(part: Part, saver: ContextSaver) -> Any:
    def study(state: State) -> dict[str, Any]:
        number = len(state["studied"])
        source = part.sources[number]
        call = redeem(source, part.me.get(source, max_tokens=600) or "")
        part.me.expand(call.arguments["key"], call.arguments["ref"], max_tokens=300)
        if part.setup.get("dies_at") == number:
            part.say(step="in the middle of a step", halfway=number)
            signal.pause()  # the stage kills this process here
        part.me.put(f"study/{number:03d}", survey(source, part.source(source)))
        part.say(step=source, studied=1)
        return {"studied": [source]}

    def report(state: State) -> dict[str, Any]:
        rows = [row for number in range(len(state["studied"])) for row in part.me.get(f"study/{number:03d}", full=True)]
        part.report(rows)
        return {}

    def confer(state: State) -> dict[str, Any]:
        perform(part, f"studied {len(state['studied'])} sources in {len(state['studied'])} steps")
        return {}

    builder = StateGraph(State)
    builder.add_node("study", study)
    builder.add_node("report", report)
    builder.add_node("confer", confer)
    builder.add_edge(START, "study")
    builder.add_conditional_edges(
        "study", lambda state: "study" if len(state["studied"]) < len(part.sources) else "report", ["study", "report"]
    )
    builder.add_edge("report", "confer")
    builder.add_edge("confer", END)
    return builder.compile(checkpointer=saver)
