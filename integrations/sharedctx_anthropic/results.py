"""Results as blocks of a user's message."""

from __future__ import annotations

from typing import Any

from sharedctx.wire import part


def tool_result(call: Any, text: str, failed: bool) -> dict[str, Any]:
    """Return the block that answers a tool_use block."""
    found = {"type": "tool_result", "tool_use_id": part(call, "id"), "content": text}
    return {**found, "is_error": True} if failed else found
