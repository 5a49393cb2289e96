"""A graph with memory that goes back in time: plan a trip, go back to an earlier step, take another way from there.

    python examples/langgraph_time_travel.py [DIRECTORY]

The model is scripted, so that the example runs without a key."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from sharedctx_langgraph import ContextSaver

ANSWERS = {
    "Where shall we go?": "To Lisbon: the sea, the hills, the trams.",
    "How do we get there?": "By night train over Madrid.",
    "What do we pack?": "Shoes for the hills, a book for the train.",
    "What if we fly?": "Then we have a day more, and no book is needed.",
}
THREAD: Any = {"configurable": {"thread_id": "trip"}}


def answer(state: MessagesState) -> dict[str, Any]:
    """Say what the script says."""
    question = str(state["messages"][-1].content)
    return {"messages": [AIMessage(ANSWERS[question])]}


def plan(folder: Path) -> None:
    """Ask three questions, each as a run of its own."""
    with ContextSaver.from_path(folder) as saver:
        graph = conversation(saver)
        for question in list(ANSWERS)[:3]:
            graph.invoke({"messages": [HumanMessage(question)]}, THREAD)
        print(f"{len(graph.get_state(THREAD).values['messages'])} messages are remembered")


def travel(folder: Path) -> None:
    """In another process this would be the same: go back to when two questions were answered and ask another."""
    with ContextSaver.from_path(folder) as saver:
        graph = conversation(saver)
        print("\nwhat was, newest first:")
        states = list(graph.get_state_history(THREAD))
        for state in states:
            print(f"  {state.metadata['source']:5} {len(state.values.get('messages', ()))} messages")
        then = next(state for state in states if len(state.values.get("messages", ())) == 4 and not state.next)
        other = graph.invoke({"messages": [HumanMessage("What if we fly?")]}, then.config)
        print("\nthe other way:")
        for message in other["messages"]:
            print(f"  {message.type:5} {message.content}")
        before = graph.get_state(states[0].config).values["messages"]
        print(f"\nthe first way is still there, it ends with: {before[-1].content}")
        print(f"stored: {saver.stats()}")


def conversation(saver: ContextSaver) -> Any:
    """A graph of one node that answers."""
    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


def main() -> None:
    """Run both parts over one directory."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        plan(folder)
        travel(folder)


if __name__ == "__main__":
    main()
