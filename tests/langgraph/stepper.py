"""A process that runs a graph of many steps on one thread until it is done or killed, and says each step's number.

Arguments: the store's path, the thread, the number of steps."""

from __future__ import annotations

import operator
import os
import sys
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from sharedctx_langgraph import ContextSaver


class State(TypedDict):
    """What was done, by number, and much text."""

    done: Annotated[list[int], operator.add]
    text: str


def graph(saver: ContextSaver, steps: int) -> Any:
    """A graph that counts to ``steps``, a step at a time."""

    def step(state: State) -> dict[str, Any]:
        number = len(state["done"])
        os.write(1, f"{number}\n".encode())
        return {"done": [number], "text": state["text"] + f"step {number} " * 20}

    built = StateGraph(State)
    built.add_node("step", step)
    built.add_edge(START, "step")
    built.add_conditional_edges("step", lambda state: "step" if len(state["done"]) < steps else END)
    return built.compile(checkpointer=saver)


def main(path: str, thread: str, steps: int) -> None:
    """Go on where the thread stands, or begin."""
    config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": steps * 2}
    with ContextSaver.from_path(path) as saver:
        app = graph(saver, steps)
        begun = saver.get_tuple(config) is not None
        app.invoke(None if begun else {"done": [], "text": ""}, config, durability="sync")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
