"""A raw loop over Anthropic's messages, with the whole context as one tool."""

from __future__ import annotations

from typing import Any

from sharedctx_anthropic import process_response, tool_definition

from ..script import Call, Script
from .part import Part
from .reading import heard, study


def _message(made: list[Call] | str, turn: int) -> dict[str, Any]:
    """The response that the API would send."""
    if isinstance(made, str):
        return {"role": "assistant", "content": [{"type": "text", "text": made}], "stop_reason": "end_turn"}
    name = tool_definition()["name"]
    content = [
        {
            "type": "tool_use",
            "id": f"toolu_{turn}_{number}",
            "name": name,
            "input": {"action": one.tool, **one.arguments},
        }
        for number, one in enumerate(made)
    ]
    return {"role": "assistant", "content": content, "stop_reason": "tool_use"}


def play(part: Part) -> None:
    """Loop until the script is at its end."""
    script = Script(study(part))
    results: list[str] = []
    turn, done = 0, False
    while not done:
        messages, done = process_response(_message(script.turn(results), turn), part.me)
        results = [heard(block["content"]) for block in messages[-1]["content"] if block["type"] == "tool_result"]
        turn += 1
    part.say(step="conferred")
