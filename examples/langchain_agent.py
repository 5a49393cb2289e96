"""An agent of LangChain that reads large files and keeps only views of them.

Run it with ``python examples/langchain_agent.py [DIRECTORY]``: offline, with a scripted model over this repository's
files. ``--live MODEL`` (such as ``openai:gpt-5.4-mini``, with its package and key) lets a real model do it.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import PrivateAttr

from sharedctx import SharedContext
from sharedctx_langchain import ContextOffloadMiddleware

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "Which license is this under, and which Python does it need?"
Turn = Callable[[list[BaseMessage]], AIMessage]


@tool
def read_file(name: str) -> str:
    """Read a file of the repository whole, by its path."""
    path = (ROOT / name).resolve()
    return path.read_text("utf-8") if path.is_relative_to(ROOT) and path.is_file() else f"there is no file {name}"


class Scripted(BaseChatModel):
    """Plays its turns, each made from the messages that it is given, and tells how large those were."""

    _turns: list[Turn] = PrivateAttr()

    def __init__(self, *turns: Turn) -> None:
        super().__init__()
        self._turns = list(turns)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Scripted:
        """What it calls is written down."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        print(f"the model is sent {sum(len(str(message.content)) for message in messages):,} characters")
        return ChatResult(generations=[ChatGeneration(message=self._turns.pop(0)(messages))])


def call(called: str, /, **arguments: str) -> dict[str, Any]:
    """One call of a tool by the scripted model."""
    return {"type": "tool_call", "name": called, "args": arguments, "id": "-".join((called, *arguments.values()))}


def key_of(message: BaseMessage) -> str:
    """The key in the first marker of a view: what a model copies from what it reads."""
    found = re.search(r'expand\("([^"]+)"', str(message.content))
    assert found is not None, message.content
    return found[1]


def answer(given: list[BaseMessage]) -> AIMessage:
    """What the two pages say."""
    license_, python = (str(message.content) for message in given[-2:])
    found = re.search(r'requires-python = "([^"]+)"', python)
    assert found is not None
    return AIMessage(f"{'Apache 2.0' if 'Apache License' in license_ else 'unknown'}, Python {found[1]}")


def scripted() -> Scripted:
    """What a model would do: read both files at once, expand what the views left out, answer."""
    both = AIMessage("", tool_calls=[call("read_file", name="LICENSE"), call("read_file", name="pyproject.toml")])
    return Scripted(
        lambda _: both,
        lambda given: AIMessage(
            "",
            tool_calls=[
                call("context_expand", key=key_of(given[-2]), ref="regex:Apache License"),
                call("context_expand", key=key_of(given[-1]), ref="regex:requires-python"),
            ],
        ),
        answer,
    )


def main(directory: str, live: str | None) -> None:
    """Ask, and show what was said and what is kept."""
    with SharedContext("files", path=directory) as ctx:
        agent = create_agent(
            live or scripted(),
            [read_file],
            middleware=[ContextOffloadMiddleware(ctx, participant="reader")],
            checkpointer=InMemorySaver(),
        )
        config: Any = {"configurable": {"thread_id": "1"}}
        state = agent.invoke({"messages": [("user", QUESTION)]}, config)
        print(f"answer: {state['messages'][-1].content}")
        kept = sum(len(str(message.content)) for message in state["messages"])
        whole = sum(len(ctx.expand(key)) for key in ctx.keys("output/reader/"))
        print(f"the agent's state holds {kept:,} characters, the context {whole:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An agent that offloads what it reads.")
    parser.add_argument("directory", nargs="?")
    parser.add_argument("--live", metavar="MODEL")
    asked = parser.parse_args()
    if asked.directory:
        main(asked.directory, asked.live)
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(folder, asked.live)
