"""A LangChain agent whose tool results stay in the context: it reads whole sources and is given views of them."""

from __future__ import annotations

import uuid
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from pydantic import PrivateAttr

from sharedctx_langchain import ContextOffloadMiddleware, ContextToolkit

from ..script import OUTPUTS, Call, Play, Script, colleague, marker
from .part import Part

_PREFIX = "context_"


class Scripted(BaseChatModel):
    """Plays a script from the answers that its tools gave."""

    _script: Script = PrivateAttr()

    def __init__(self, play: Play) -> None:
        super().__init__()
        self._script = Script(play)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Scripted:
        """What it calls is written down."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        answers: list[str] = []
        for message in reversed(messages):
            if not isinstance(message, ToolMessage):
                break
            answers.insert(0, str(message.content))
        made = self._script.turn(answers)
        said = AIMessage(made) if isinstance(made, str) else AIMessage("", tool_calls=[_spelled(one) for one in made])
        return ChatResult(generations=[ChatGeneration(message=said)])


def _spelled(one: Call) -> Any:
    name = one.tool if one.tool == "read_source" else _PREFIX + one.tool
    return {"type": "tool_call", "name": name, "args": one.arguments, "id": uuid.uuid4().hex}


def _play(part: Part) -> Play:
    views = yield [Call("read_source", {"key": key}) for key in part.sources]
    part.say(step="read sources")
    calls = [found for view in views if (found := marker(view, OUTPUTS)) is not None]
    if calls:
        yield calls
    part.report(part.survey())
    part.wait_for(part.upstream)
    said = f"read {len(views)} sources at once, expanded {len(calls)}"
    return (yield from colleague(part.member.role, said, part.upstream))


def play(part: Part) -> None:
    """Run the agent once."""
    reader = StructuredTool.from_function(part.source, name="read_source", description="Read a source whole.")
    agent: Any = create_agent(
        Scripted(_play(part)),
        [reader, *ContextToolkit(part.me, names=("read", "write")).get_tools()],
        middleware=[ContextOffloadMiddleware(part.me, max_tokens=900)],
    )
    agent.invoke({"messages": [("user", "Study the sources, then what your colleague found.")]})
    part.say(step="conferred")
