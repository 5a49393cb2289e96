"""A raw loop over Anthropic: one model works with the session's notes and with its memory until it is done.

Run it with ``python examples/anthropic_loop.py``: offline, with scripted messages. With ANTHROPIC_API_KEY set,
``--live MODEL`` asks a real model through the Anthropic SDK; the loop stays the same.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import sharedctx
from sharedctx.notes import SharedContextStore, system_prompt
from sharedctx_anthropic import MemoryTool, process_response, tool_definition

TASK = "Look into your memory, note in decisions_made that we restart worker-1, and remember it in log.md."
TURNS: list[list[tuple[str, dict[str, Any]]]] = [
    [("memory", {"command": "view", "path": "/memories"})],
    [
        (
            "shared_context",
            {"action": "write", "key": "decisions_made", "value": "Restart worker-1: its disk is full."},
        ),
        ("memory", {"command": "create", "path": "/memories/log.md", "file_text": "worker-1 was restarted."}),
    ],
]
ANSWER = "Decided and remembered: worker-1 is restarted."


class Scripted:
    """Messages as the API would send them, one a request."""

    def __init__(self) -> None:
        self.turns = list(TURNS)

    def ask(self, messages: list[Any], tools: list[Any]) -> Any:
        """The next message."""
        if not self.turns:
            return {"role": "assistant", "content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn"}
        turn = self.turns.pop(0)
        blocks = [
            {"type": "tool_use", "id": f"t{len(messages)}_{at}", "name": name, "input": arguments}
            for at, (name, arguments) in enumerate(turn)
        ]
        return {"role": "assistant", "content": blocks, "stop_reason": "tool_use"}


class Live:
    """The same requests to Anthropic."""

    def __init__(self, model: str) -> None:
        from anthropic import Anthropic

        self.client: Any = Anthropic()
        self.model = model

    def ask(self, messages: list[Any], tools: list[Any]) -> Any:
        """Ask messages."""
        return self.client.beta.messages.create(
            model=self.model,
            max_tokens=2000,
            system=system_prompt(),
            messages=messages,
            tools=tools,
            betas=["context-management-2025-06-27"],
        )


def main(live: str | None) -> None:
    model: Scripted | Live = Live(live) if live else Scripted()
    with sharedctx.open("memory://") as store:
        notes = SharedContextStore("example", store=store)
        context = store.session("example")
        memory = MemoryTool(context, "subagent:operations")
        tools = [tool_definition(), memory.definition()]
        messages: list[Any] = [{"role": "user", "content": TASK}]
        done = False
        while not done:
            message = model.ask(messages, tools)
            new, done = process_response(message, notes, participant="subagent:operations", memory=memory)
            messages += new
            for each in new:
                print(json.dumps(each)[:160])
        print("stored:", context.keys())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A raw loop over Anthropic.")
    parser.add_argument("--live", metavar="MODEL", help="a model's name; needs ANTHROPIC_API_KEY and anthropic")
    main(parser.parse_args().live)
