"""An orchestrator and two subagents of different makers share the notes of one session, each in a loop of its own.

The orchestrator (OpenAI) writes the scope; one subagent (OpenAI) and one (Anthropic) read it and write what they find,
at the same time; the orchestrator reads both and decides. Run it with ``python examples/orchestrator.py [DIRECTORY]``:
offline, with scripted models. ``--live OPENAI_MODEL ANTHROPIC_MODEL`` asks real ones, with both API keys set.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sharedctx_anthropic
import sharedctx_openai
from sharedctx.notes import SharedContextStore, system_prompt

Ask = Callable[[list[Any]], Any]
Request = dict[str, Any]


def openai_script(turns: list[list[Request]], answer: str) -> Ask:
    """A scripted model that makes these requests, a list each turn, and answers."""
    left = list(turns)

    def ask(messages: list[Any]) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": None if left else answer}
        if left:
            message["tool_calls"] = [
                {
                    "id": f"call_{len(messages)}_{at}",
                    "type": "function",
                    "function": {"name": "shared_context", "arguments": json.dumps(request)},
                }
                for at, request in enumerate(left.pop(0))
            ]
        return {"choices": [{"message": message, "finish_reason": "stop"}]}

    return ask


def anthropic_script(turns: list[list[Request]], answer: str) -> Ask:
    """The same in Anthropic's form."""
    left = list(turns)

    def ask(messages: list[Any]) -> Any:
        if not left:
            return {"content": [{"type": "text", "text": answer}], "stop_reason": "end_turn"}
        blocks = [
            {"type": "tool_use", "id": f"t{len(messages)}_{at}", "name": "shared_context", "input": request}
            for at, request in enumerate(left.pop(0))
        ]
        return {"content": blocks, "stop_reason": "tool_use"}

    return ask


def openai_live(model: str) -> Ask:
    """A real model of OpenAI's."""
    from openai import OpenAI

    client: Any = OpenAI()
    tools = [sharedctx_openai.tool_definition()]
    system = {"role": "system", "content": system_prompt()}
    return lambda messages: client.chat.completions.create(model=model, messages=[system, *messages], tools=tools)


def anthropic_live(model: str) -> Ask:
    """A real model of Anthropic's."""
    from anthropic import Anthropic

    client: Any = Anthropic()
    tools = [sharedctx_anthropic.tool_definition()]
    return lambda messages: client.messages.create(
        model=model, max_tokens=2000, system=system_prompt(), messages=messages, tools=tools
    )


def work(notes: SharedContextStore, maker: Any, ask: Ask, task: str) -> None:
    """One agent's loop: ask, answer its calls, until it is done. ``maker`` is the package of its wire format."""
    messages: list[Any] = [{"role": "user", "content": task}]
    done = False
    while not done:
        new, done = maker.process_response(ask(messages), notes)
        messages += new


def main(directory: str, live: list[str] | None) -> None:
    read = {"action": "read", "key": "scope"}
    scripts: list[Ask] = [
        openai_script([[{"action": "write", "key": "scope", "value": "Why do jobs of worker-1 fail?"}]], "begun"),
        openai_script([[read], [{"action": "write", "key": "findings_disk", "value": "/dev/sdb1 is full."}]], "done"),
        anthropic_script([[read], [{"action": "write", "key": "findings_network", "value": "All is well."}]], "done"),
        openai_script(
            [
                [{"action": "list_keys"}],
                [{"action": "read_batch", "keys": ["findings_disk", "findings_network"]}],
                [
                    {
                        "action": "write",
                        "key": "decisions_made",
                        "value": "Empty /dev/sdb1: it is full, all else is well.",
                    }
                ],
            ],
            "decided",
        ),
    ]
    if live:
        scripts = [openai_live(live[0]), openai_live(live[0]), anthropic_live(live[1]), openai_live(live[0])]
    begin, disk, network, decide = scripts

    notes = SharedContextStore("incident", directory)
    orchestrator = notes.bind("orchestrator")
    work(orchestrator, sharedctx_openai, begin, "Write into scope: why do jobs of worker-1 fail?")
    with ThreadPoolExecutor() as pool:
        tasks = [
            pool.submit(
                work,
                notes.bind("subagent:disk"),
                sharedctx_openai,
                disk,
                "Read scope. /dev/sdb1 of worker-1 is full. Write what follows into findings_disk.",
            ),
            pool.submit(
                work,
                notes.bind("subagent:network"),
                sharedctx_anthropic,
                network,
                "Read scope. The network of worker-1 is healthy. Write what follows into findings_network.",
            ),
        ]
        for task in tasks:
            task.result()
    work(orchestrator, sharedctx_openai, decide, "Read all findings and write one decision into decisions_made.")
    for note in notes.list_keys()["keys"]:
        print(f"{note['key']} by {note['written_by']}: {notes.read(note['key'])['value']}")
    notes.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An orchestrator and two subagents over one session's notes.")
    parser.add_argument("directory", nargs="?")
    parser.add_argument("--live", nargs=2, metavar=("OPENAI_MODEL", "ANTHROPIC_MODEL"))
    given = parser.parse_args()
    if given.directory:
        main(given.directory, given.live)
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(folder + "/store", given.live)
