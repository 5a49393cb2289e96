"""The notes' tool in the form of Anthropic's messages, and what to send back after each of them.

Messages may be objects of the SDK or dicts; what is returned is plain and goes into ``messages`` as it is.
"""

from __future__ import annotations

from typing import Any

from sharedctx.context import SharedContext
from sharedctx.errors import InvalidValue
from sharedctx.notes import SharedContextStore
from sharedctx.tools.loops import NAME, Over, answer, description_of, parameters
from sharedctx.tools.names import check_tool_name
from sharedctx.wire import objects, part, plain

from .memory import FACE, MemoryTool
from .results import tool_result

Place = SharedContextStore | SharedContext
"""What the tool works on."""
_CUT = ("max_tokens", "model_context_window_exceeded")


def tool_definition(
    name: str = NAME, description: str | None = None, strict: bool = False, *, over: Over = "notes"
) -> dict[str, Any]:
    """Return the tool for ``tools=[...]`` of ``messages.create``.

    ``over="context"`` is for a ``SharedContext`` in the place of notes. Raises ``ConfigError``.
    """
    told = description_of(over, description)
    found = {"name": check_tool_name(name), "description": told, "input_schema": parameters(over, strict=strict)}
    return {**found, "strict": True} if strict else found


def process_response(
    response: Any,
    store: Place,
    *,
    participant: str | None = None,
    name: str = NAME,
    memory: MemoryTool | None = None,
) -> tuple[list[dict[str, Any]], bool]:
    """Answer the model's calls of our tool, and of ``memory`` if given, and return ``(new messages, done)``.

    The new messages are the assistant's and then one of the user with all our results: append both to ``messages``.
    Results for other tools' calls go to the end of that same user message (where none is, into a new one). Done
    when the model made no calls and its turn was not paused. A call that was cut off gets an error as its result.
    Raises ``InvalidValue`` for what is no message, ``ConfigError`` without a participant.
    """
    if part(response, "content") is None:
        raise InvalidValue(
            "this is no message of Anthropic's, which has content: pass it as it came, and of a stream what its events "
            "make together"
        )
    blocks = objects(response, "content")
    calls = [block for block in blocks if part(block, "type") == "tool_use"]
    at_limit = part(response, "stop_reason") in _CUT
    results = []
    for call in calls:
        cut = at_limit and call is blocks[-1]
        result = handle_tool_use(call, store, participant=participant, name=name, cut=cut)
        if result is None and memory is not None:
            result = memory.handle_tool_use(call, cut=cut)
        if result is not None:
            results.append(result)
    new: list[dict[str, Any]] = [{"role": "assistant", "content": [plain(block) for block in blocks]}] if blocks else []
    if results:
        new.append({"role": "user", "content": results})
    return new, not calls and part(response, "stop_reason") != "pause_turn"


def handle_tool_use(
    block: Any, store: Place, *, participant: str | None = None, name: str = NAME, cut: bool = False
) -> dict[str, Any] | None:
    """Return the tool_result of one tool_use block; None for another tool's and for blocks of other types.

    ``cut`` says that the message ended at its limit within this block.
    """
    if part(block, "type") != "tool_use" or part(block, "name") != name:
        return None
    text, failed = answer(store, plain(part(block, "input")), participant=participant, face=FACE, cut=cut)
    return tool_result(block, text, failed)
