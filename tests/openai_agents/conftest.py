"""Scripted models and stores for the Agents SDK: every turn is written down beforehand, every input is recorded."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

agents = pytest.importorskip("agents", reason="openai-agents is not installed: pip install 'sharedctx[openai-agents]'")

from agents import ModelResponse, Usage, set_tracing_disabled  # noqa: E402
from agents.models.interface import Model  # noqa: E402
from openai.types.responses import (  # noqa: E402
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseUsage,
)
from openai.types.responses.response_reasoning_item import Summary  # noqa: E402
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails  # noqa: E402

set_tracing_disabled(True)


def say(words: str) -> ResponseOutputMessage:
    part = ResponseOutputText(type="output_text", text=words, annotations=[], logprobs=[])
    return ResponseOutputMessage(id="msg_1", type="message", role="assistant", status="completed", content=[part])


def call(tool: str, call_id: str, **arguments: Any) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{call_id}", call_id=call_id, type="function_call", name=tool, arguments=json.dumps(arguments)
    )


def think(item_id: str) -> ResponseReasoningItem:
    return ResponseReasoningItem(id=item_id, type="reasoning", summary=[Summary(type="summary_text", text="hm")])


class Scripted(Model):
    """Plays its turns in order; ``inputs`` is what it was given at each."""

    def __init__(self, *turns: list[Any]) -> None:
        self.turns = list(turns)
        self.inputs: list[Any] = []

    def _next(self, given: Any) -> list[Any]:
        self.inputs.append(copy.deepcopy(given))
        turn = self.turns.pop(0)
        if callable(turn):
            turn = turn(given)
        return list(turn)

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        return ModelResponse(output=self._next(input), usage=Usage(), response_id=None)

    async def stream_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
        usage = ResponseUsage.model_construct(
            input_tokens=0,
            output_tokens=0,
            total_tokens=0,
            input_tokens_details=InputTokensDetails.model_construct(cached_tokens=0),
            output_tokens_details=OutputTokensDetails.model_construct(reasoning_tokens=0),
        )
        done = Response.model_construct(
            id="resp",
            created_at=0,
            model="scripted",
            object="response",
            output=self._next(input),
            tool_choice="none",
            tools=[],
            top_p=None,
            parallel_tool_calls=False,
            usage=usage,
        )
        yield ResponseCompletedEvent(type="response.completed", sequence_number=0, response=done)

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of tools in the last input, by their calls."""
        last = self.inputs[-1]
        return {item["call_id"]: item["output"] for item in last if item.get("type") == "function_call_output"}


@pytest.fixture
def play() -> SimpleNamespace:
    return SimpleNamespace(Model=Scripted, say=say, call=call, think=think)
