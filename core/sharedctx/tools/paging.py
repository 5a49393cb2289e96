"""Pages: what a tool reads is bounded, whatever a model asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .table import Tool


def paged(tool: Tool, arguments: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return the arguments that were given, with at most ``most`` tokens where the tool takes a number of them."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if any(argument.name == "max_tokens" for argument in tool.arguments):
        asked = given.get("max_tokens", most)
        if isinstance(asked, str) and asked.strip().isascii() and asked.strip().isdigit():
            asked = int(asked[:20])  # models spell numbers as text
        given["max_tokens"] = min(asked, most) if isinstance(asked, int) else asked
    return given
