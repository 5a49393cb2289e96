"""Three agents of the OpenAI Agents SDK: triage reads large files, an analyst expands what matters, a writer answers.

Run it with ``python examples/openai_triage.py [DIRECTORY]``: offline, with scripted models over this repository's
files. With OPENAI_API_KEY set, ``--live MODEL`` lets a real model play all three.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agents import Agent, ModelResponse, RunConfig, Runner, Usage, function_tool, handoff, set_tracing_disabled
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from sharedctx import SharedContext
from sharedctx_openai_agents import ContextHandoffFilter, ContextSession, context_tools

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "Which license is this under, and which Python does it need?"
Turn = Callable[[list[Any]], Any]


@function_tool
async def read_file(name: str) -> str:
    """Read a file of the repository whole, by its path."""
    path = (ROOT / name).resolve()
    return path.read_text("utf-8") if path.is_relative_to(ROOT) and path.is_file() else f"there is no file {name}"


def call(tool: str, **arguments: Any) -> ResponseFunctionToolCall:
    """One call of a tool by a scripted model."""
    spelled = json.dumps(arguments)
    name = f"{tool}_{abs(hash(spelled)) % 10**8}"
    return ResponseFunctionToolCall(type="function_call", name=tool, arguments=spelled, call_id=name, id=f"fc_{name}")


def say(words: str) -> ResponseOutputMessage:
    """What a scripted model answers."""
    part = ResponseOutputText(type="output_text", text=words, annotations=[], logprobs=[])
    return ResponseOutputMessage(id="msg_1", type="message", role="assistant", status="completed", content=[part])


class Scripted(Model):
    """Plays its turns, each made from the input that it is given, and tells how large that was."""

    def __init__(self, name: str, *turns: Turn) -> None:
        self.name = name
        self.turns = list(turns)

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        print(f"{self.name} receives {len(json.dumps(input)):,} characters")
        made = self.turns.pop(0)(input)
        return ModelResponse(output=made if isinstance(made, list) else [made], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError("this example does not stream")


def outputs(given: list[Any]) -> str:
    """All outputs of tools in a model's input."""
    return "\n".join(str(item["output"]) for item in given if "output" in item)


def key_of(given: list[Any], part: str) -> str:
    """The key in the first marker of the view that has a part: what a model copies from what it reads."""
    view = next(str(item["output"]) for item in given if part in str(item.get("output", "")))
    found = re.search(r'expand\("([^"]+)"', view)
    assert found is not None, view
    return found[1]


def scripted() -> list[Model]:
    """What the three agents do, without any model."""
    return [
        Scripted(
            "triage ",
            lambda _: [call("read_file", name="LICENSE"), call("read_file", name="pyproject.toml")],
            lambda _: call("transfer_to_analyst"),
        ),
        Scripted(
            "analyst",
            lambda given: call(
                "expand", key=key_of(given, "[build-system]"), ref="regex:requires-python", max_tokens=None
            ),
            lambda given: call(
                "write",
                key="findings",
                value=f"{'Apache 2.0' if 'Apache' in outputs(given) else 'unknown'}, Python "
                + re.search(r'requires-python = "([^"]+)"', outputs(given))[1],  # type: ignore[index]
                expected_version=None,
            ),
            lambda _: call("transfer_to_writer"),
        ),
        Scripted(
            "writer ",
            lambda _: call("read", key="findings", version=None, max_tokens=None, query=None),
            lambda given: say("License and Python: " + outputs(given).rsplit("\n", 1)[-1]),
        ),
    ]


async def main(directory: str, live: str | None) -> None:
    set_tracing_disabled(live is None)
    models: list[Any] = [live] * 3 if live else scripted()
    with SharedContext("triage", path=directory) as ctx:
        writer = Agent(
            name="writer",
            instructions="Read the key findings with your tools and answer in one sentence.",
            model=models[2],
            tools=[*context_tools(ctx, "writer")],
        )
        analyst = Agent(
            name="analyst",
            instructions="You see views of large files. Expand what matters, write findings, hand over to the writer.",
            model=models[1],
            tools=[*context_tools(ctx, "analyst")],
            handoffs=[handoff(writer)],
        )
        triage = Agent(
            name="triage",
            instructions="Read the files that may hold the answer, such as LICENSE; then hand over to the analyst.",
            model=models[0],
            tools=[read_file],
            handoffs=[handoff(analyst)],
        )
        compressed = ContextHandoffFilter(ctx, max_tokens=300)
        result = await Runner.run(
            triage,
            QUESTION,
            session=ContextSession(ctx),
            hooks=compressed.hooks(),
            run_config=RunConfig(handoff_input_filter=compressed),
        )
        print(result.final_output)
        kept = await ContextSession(ctx).get_items()
        print(f"the session keeps {len(json.dumps(kept)):,} characters; stored: {', '.join(ctx.keys())}")
        for saving in ctx.savings():
            if saving.kind == "handoff":
                print(f"handed over {saving.served_tokens} tokens in place of {saving.replay_tokens}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A triage of three agents over one shared context.")
    parser.add_argument("directory", nargs="?")
    parser.add_argument("--live", metavar="MODEL", help="a model's name; needs OPENAI_API_KEY")
    given = parser.parse_args()
    if given.directory:
        asyncio.run(main(given.directory, given.live))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(main(folder, given.live))
