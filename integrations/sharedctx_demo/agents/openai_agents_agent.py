"""Two agents of the OpenAI Agents SDK: the first reads whole sources, the second is handed views and expands them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, FunctionTool, ModelResponse, RunConfig, Runner, Usage, handoff, set_tracing_disabled
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from sharedctx_openai_agents import ContextHandoffFilter, ContextSession, context_tools

from ..script import OUTPUTS, Call, Play, Script, colleague, marker
from .part import Part


class Scripted(Model):
    """Plays a script from the outputs that its tools gave."""

    def __init__(self, play: Play) -> None:
        self._script = Script(play)

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        """The next calls, or the last words."""
        answers: list[str] = []
        given = [{"role": "user", "content": input}] if isinstance(input, str) else input
        for item in reversed(given):
            if item.get("type") == "function_call_output":
                answers.insert(0, str(item["output"]))
            elif answers:
                break
        made = await asyncio.to_thread(self._script.turn, answers)
        output: list[Any] = [_words(made)] if isinstance(made, str) else [_call(one) for one in made]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """The demo asks for whole responses."""
        raise TypeError("this model answers whole: use get_response")


def _call(one: Call) -> ResponseFunctionToolCall:
    name = uuid.uuid4().hex
    spelled = json.dumps(one.arguments)
    return ResponseFunctionToolCall(type="function_call", name=one.tool, arguments=spelled, call_id=name, id=name)


def _words(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])
    return ResponseOutputMessage(id="msg", type="message", role="assistant", status="completed", content=[part])


def _scout(part: Part) -> Play:
    yield [Call("read_source", {"key": key}) for key in part.sources]
    part.say(step="read sources")
    yield [Call("transfer_to_analyst", {})]
    return "handed over"


def _analyst(part: Part, given: list[str]) -> Play:
    calls = [found for view in given if (found := marker(view, OUTPUTS)) is not None]
    if calls:
        yield calls
    part.report(part.survey())
    part.wait_for(part.upstream)
    said = f"was handed {len(part.sources)} sources as views, expanded {len(calls)}"
    return (yield from colleague(part.member.role, said, part.upstream))


class Handed(Scripted):
    """Begins its script with the outputs that the hand-off brought."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._began = False

    async def get_response(self, system_instructions: Any, input: Any, *rest: Any, **named: Any) -> ModelResponse:
        """The next calls, or the last words."""
        if not self._began:
            self._began = True
            given = [str(item["output"]) for item in input if item.get("type") == "function_call_output"]
            self._script = Script(_analyst(self._part, given))
        return await super().get_response(system_instructions, input, *rest, **named)


async def _run(part: Part) -> None:
    set_tracing_disabled(True)

    async def read_source(_: Any, arguments: str) -> str:
        return part.source(json.loads(arguments)["key"])

    schema = {
        "type": "object",
        "properties": {"key": {"type": "string"}},
        "required": ["key"],
        "additionalProperties": False,
    }
    reader = FunctionTool("read_source", "Read a source whole.", schema, read_source)
    analyst = Agent(
        name="analyst",
        instructions="You are handed views of sources; expand what matters.",
        model=Handed(part),
        tools=[*context_tools(part.me)],
    )
    scout = Agent(
        name="scout",
        instructions="Read the sources, then hand over.",
        model=Scripted(_scout(part)),
        tools=[reader],
        handoffs=[handoff(analyst)],
    )
    filtered = ContextHandoffFilter(part.me, max_tokens=300)
    await Runner.run(
        scout,
        "Study the sources, then what your colleague found.",
        session=ContextSession(part.session),
        hooks=filtered.hooks(),
        run_config=RunConfig(handoff_input_filter=filtered),
        max_turns=80,
    )


def play(part: Part) -> None:
    """Run both agents once."""
    asyncio.run(_run(part))
    part.say(step="conferred")
