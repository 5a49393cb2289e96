"""Two graphs in two processes share one memory, and a node reads what another framework wrote.

    python examples/langgraph_shared_store.py [DIRECTORY]

A process runs a researcher's graph, which keeps findings in a ContextStore. This one then runs a writer's graph, whose
node searches those findings and reads what CrewAI remembered in the same session. The models are scripted, so that the
example runs without a key.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore

import sharedctx
from sharedctx_langgraph import ContextStore

FINDINGS = {
    "price": "The night train costs 59 euros, the flight 140.",
    "time": "The train takes eleven hours, the flight three.",
    "climate": "The flight emits ten times what the train does.",
}


class State(TypedDict):
    """What is asked, and what came of it."""

    question: str
    answer: str


def research(state: State, *, store: BaseStore) -> dict[str, Any]:
    """Keep what was found, each finding under a key."""
    for topic, text in FINDINGS.items():
        store.put(("findings", "trip"), topic, {"text": text, "question": state["question"]})
    return {"answer": f"{len(FINDINGS)} findings are kept"}


def write(state: State, *, store: BaseStore) -> dict[str, Any]:
    """Answer from the findings that fit the question, and from what a crew remembered."""
    (found,) = store.search(("findings",), query=state["question"], limit=1)
    (crew,) = store.search(("memory",), filter={"categories": ["preferences"]})
    note = store.get((), "note")
    lines = [f"{found.key}: {found.value['text']}", f"crew: {crew.value['content']}"]
    if note is not None:
        lines.append(f"note: {note.value['value']}")
    return {"answer": "\n".join(lines)}


def run(node: Any, folder: Path, question: str) -> str:
    """Run a graph of one node with the shared store."""
    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    with ContextStore.from_path(folder) as store:
        graph = builder.compile(store=store)
        return str(graph.invoke({"question": question, "answer": ""})["answer"])


def remember(folder: Path) -> None:
    """What other frameworks leave in the session: a crew's memory, and a plain text of any participant."""
    with sharedctx.open(folder) as opened:
        opened.session().bind("planner").put("note", "We leave on Friday.")
        try:
            from crewai.memory.types import MemoryRecord

            from sharedctx_crewai import ContextMemory
        except ImportError:  # without CrewAI, its record as it would lie there
            record = {"content": "She is afraid of flying.", "categories": ["preferences"], "scope": "/trip"}
            opened.session().put("memory/trip/1", record)
            return
        known = MemoryRecord(content="She is afraid of flying.", categories=["preferences"], scope="/trip")
        ContextMemory(opened).save([known])


def main(folder: Path) -> None:
    """Run the researcher in a process of its own, then the writer here."""
    command = [sys.executable, "-W", "ignore", __file__, "--research", str(folder)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    remember(folder)
    print(run(write, folder, "How many euros?"))
    with sharedctx.open(folder) as opened:
        found = opened.session().keys("findings/")
        print(f"{', '.join(found)} are entries for tools and crews too")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--research"]:
        print(run(research, Path(sys.argv[2]), "How do we get to Lisbon?"))
    elif len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "store")
