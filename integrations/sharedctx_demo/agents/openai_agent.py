"""A raw loop over OpenAI's chat completions, with the whole context as one tool."""

from __future__ import annotations

import json
from typing import Any

from sharedctx_openai import process_response, tool_definition

from ..script import Call, Script
from .part import Part
from .reading import heard, study


def _completion(made: list[Call] | str, turn: int) -> dict[str, Any]:
    """The response that the API would send."""
    message: dict[str, Any] = {"role": "assistant", "content": made if isinstance(made, str) else None}
    if not isinstance(made, str):
        message["tool_calls"] = [
            {
                "id": f"call_{turn}_{number}",
                "type": "function",
                "function": {
                    "name": tool_definition()["function"]["name"],
                    "arguments": json.dumps({"action": one.tool, **one.arguments}),
                },
            }
            for number, one in enumerate(made)
        ]
    return {"choices": [{"message": message, "finish_reason": "stop" if isinstance(made, str) else "tool_calls"}]}


def play(part: Part) -> None:
    """Loop until the script is at its end."""
    script = Script(study(part))
    messages: list[dict[str, Any]] = []
    done = False
    while not done:
        results = [heard(each["content"]) for each in messages if each["role"] == "tool"]
        messages, done = process_response(_completion(script.turn(results), len(messages)), part.me)
    part.say(step="conferred")
