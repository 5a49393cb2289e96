"""A raw loop over OpenAI: one model works with the session's notes until it is done.

Run it with ``python examples/openai_loop.py [chat | responses]``: offline, with scripted responses. With
OPENAI_API_KEY set, ``--live MODEL`` asks a real model through the OpenAI SDK; the loop stays the same.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from sharedctx.notes import SharedContextStore, system_prompt
from sharedctx_openai import process_response, tool_definition

TASK = "Note in problem_summary that the disk of worker-1 is full, check the note, and tell what it says."
CALLS: list[dict[str, Any]] = [
    {"action": "write", "key": "problem_summary", "value": "The disk of worker-1 is full."},
    {"action": "read", "key": "problem_summary"},
]
ANSWER = "The notes say that the disk of worker-1 is full."


class Scripted:
    """Responses as the API would send them, one a request."""

    def __init__(self) -> None:
        self.requests = 0

    def chat(self, messages: list[Any]) -> Any:
        """The next chat completion."""
        self.requests += 1
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if self.requests <= len(CALLS):
            function = {"name": "shared_context", "arguments": json.dumps(CALLS[self.requests - 1])}
            message["tool_calls"] = [{"id": f"call_{self.requests}", "type": "function", "function": function}]
        else:
            message["content"] = ANSWER
        return {"choices": [{"message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}]}

    def responses(self, given: list[Any]) -> Any:
        """The next response."""
        self.requests += 1
        if self.requests <= len(CALLS):
            call = {"name": "shared_context", "arguments": json.dumps(CALLS[self.requests - 1])}
            return {
                "status": "completed",
                "output": [{"type": "function_call", "call_id": f"c{self.requests}", **call}],
            }
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]}
        return {"status": "completed", "output": [said]}


class Live:
    """The same requests to OpenAI."""

    def __init__(self, model: str) -> None:
        from openai import OpenAI

        self.client: Any = OpenAI()
        self.model = model

    def chat(self, messages: list[Any]) -> Any:
        """Ask chat completions."""
        tools = [tool_definition()]
        return self.client.chat.completions.create(model=self.model, messages=messages, tools=tools)

    def responses(self, given: list[Any]) -> Any:
        """Ask Responses."""
        tools = [tool_definition(api="responses")]
        return self.client.responses.create(model=self.model, input=given, tools=tools)


def main(api: str, live: str | None) -> None:
    model: Scripted | Live = Live(live) if live else Scripted()
    ask = model.chat if api == "chat" else model.responses
    notes = SharedContextStore("example")
    messages: list[Any] = [{"role": "system", "content": system_prompt()}, {"role": "user", "content": TASK}]
    done = False
    while not done:
        new, done = process_response(ask(messages), notes, participant="subagent:operations")
        messages += new
        for message in new:
            print(json.dumps(message)[:160])
    print("notes:", [(note["key"], note["written_by"]) for note in notes.list_keys()["keys"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A raw loop over OpenAI.")
    parser.add_argument("api", nargs="?", choices=["chat", "responses"], default="chat")
    parser.add_argument("--live", metavar="MODEL", help="a model's name; needs OPENAI_API_KEY and the package openai")
    given = parser.parse_args()
    main(given.api, given.live)
