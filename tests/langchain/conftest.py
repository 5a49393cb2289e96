"""Scripted models and stores for LangChain: every turn is written down beforehand, every input is recorded."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("langchain", reason="langchain is not installed: pip install 'sharedctx[langchain]'")

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

Turn = AIMessage | Callable[[list[BaseMessage]], AIMessage]


class Scripted(BaseChatModel):
    """Plays its turns in order, each made from the messages that it is given; ``inputs`` is what it was given."""

    _turns: list[Turn] = PrivateAttr()
    _inputs: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _tools: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, *turns: Turn) -> None:
        super().__init__()
        self._turns = list(turns)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def inputs(self) -> list[list[BaseMessage]]:
        return self._inputs

    @property
    def tools(self) -> list[str]:
        return self._tools

    def bind_tools(self, tools: Any, **_: Any) -> Scripted:
        self._tools[:] = [tool.name for tool in tools]
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self._inputs.append(list(messages))
        turn = self._turns.pop(0)
        return ChatResult(generations=[ChatGeneration(message=turn if isinstance(turn, AIMessage) else turn(messages))])

    def results(self, at: int = -1) -> dict[str, ToolMessage]:
        """The tool messages of one input, by their calls."""
        return {each.tool_call_id: each for each in self._inputs[at] if isinstance(each, ToolMessage)}


def call(tool: str, call_id: str, **arguments: Any) -> dict[str, Any]:
    """One call of a tool, as a model makes it."""
    return {"type": "tool_call", "name": tool, "id": call_id, "args": arguments}


def calls(*made: dict[str, Any]) -> AIMessage:
    """What a model says that calls tools."""
    return AIMessage("", tool_calls=list(made))


def fetched(*names: str) -> AIMessage:
    """Calls of the tool ``fetch``, each with its name as its id."""
    return calls(*(call("fetch", name, name=name) for name in names))


def redeem(messages: list[BaseMessage], ref: str | None = None) -> AIMessage:
    """Call the tool of the last marker that was read, as a model would copy it, or with another reference."""
    key, seen = re.findall(r'expand\("([^"]+)", "([^"]+)"\)', str(messages[-1].content))[-1]
    return calls(call("context_expand", f"e{len(messages)}", key=key, ref=ref or seen))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the coroutines among the standard tests, each on a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def play() -> SimpleNamespace:
    return SimpleNamespace(Model=Scripted, call=call, calls=calls, fetched=fetched, redeem=redeem)
