"""The notes' tool in the forms of chat completions and Responses, and what to send back after each response.

Responses may be objects of the SDK or dicts; what is returned is plain, for ``messages`` or ``input``.
"""

from __future__ import annotations

from typing import Any, Literal

from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.notes import SharedContextStore
from sharedctx.tools.loops import NAME, Over, answer, description_of, parameters
from sharedctx.tools.names import check_tool_name
from sharedctx.wire import objects, part, plain

Place = SharedContextStore | SharedContext
"""What the tool works on."""
_FACE = "openai"
_NOT_SENT_BACK = ("annotations", "parsed")
_RUNNING = ("queued", "in_progress")


def tool_definition(
    name: str = NAME,
    description: str | None = None,
    strict: bool = False,
    *,
    api: Literal["chat", "responses"] = "chat",
    over: Over = "notes",
) -> dict[str, Any]:
    """Return the tool for ``tools=[...]`` of ``chat.completions`` or, with ``api="responses"``, of ``responses``.

    ``over="context"`` is for a ``SharedContext`` in the place of notes. Raises ``ConfigError``.
    """
    if api not in ("chat", "responses"):
        raise ConfigError(f"api {api!r} is neither 'chat' nor 'responses'")
    function = {
        "name": check_tool_name(name),
        "description": description_of(over, description),
        "parameters": parameters(over, strict=strict),
        "strict": strict,
    }
    return {"type": "function", "function": function} if api == "chat" else {"type": "function", **function}


def process_response(
    response: Any, store: Place, *, participant: str | None = None, name: str = NAME
) -> tuple[list[dict[str, Any]], bool]:
    """Answer the model's calls of our tool and return ``(new messages, done)``.

    The new messages are what the model said and then our results: append them to ``messages``, or to the ``input`` list
    of Responses. Of several ``choices`` the first is gone on with. Done when the model made no calls. Calls of other
    tools, custom ones too, are left to the caller, who appends their results before the next request. A call that was
    cut off gets an error as its result.
    Raises ``InvalidValue`` for what is no response, ``ConfigError`` without a participant.
    """
    if choices := objects(response, "choices"):
        return _chat(choices[0], store, participant, name)
    if part(response, "output") is not None:
        return _responses(response, store, participant, name)
    raise InvalidValue(
        "this is no response of chat.completions (choices) and none of responses (output): pass it as it came, and of "
        "a stream what its events make together"
    )


def handle_tool_call(
    call: Any, store: Place, *, participant: str | None = None, name: str = NAME, cut: bool = False
) -> dict[str, Any] | None:
    """Return the result of one call, of either form; None for a call of another tool.

    ``cut`` says that the response ended at its limit with this call; one without arguments was then not finished.
    """
    function = part(call, "function")
    if function is not None:
        if part(call, "type") not in (None, "function") or part(function, "name") != name:
            return None
        arguments = part(function, "arguments")
        text, _ = answer(store, arguments, participant=participant, face=_FACE, cut=cut and not arguments)
        return {"role": "tool", "tool_call_id": part(call, "id"), "content": text}
    if part(call, "type") != "function_call" or part(call, "name") != name:
        return None
    arguments = part(call, "arguments")
    unfinished = part(call, "status") == "incomplete" or (cut and not arguments)
    text, _ = answer(store, arguments, participant=participant, face=_FACE, cut=unfinished)
    result = {"type": "function_call_output", "call_id": part(call, "call_id"), "output": text}
    caller = plain(part(call, "caller"))
    return result if caller is None else {**result, "caller": caller}


def _chat(choice: Any, store: Place, participant: str | None, name: str) -> tuple[list[dict[str, Any]], bool]:
    message = part(choice, "message")
    given = plain(message)
    if part(choice, "delta") is not None and given is None:
        raise InvalidValue("this is a chunk of a stream, no response: pass what all its chunks make together")
    if not isinstance(given, dict):
        raise InvalidValue(f"the message of the response is {type(message).__name__}, no object: pass it as it came")
    calls = objects(message, "tool_calls")
    said = {
        field: value
        for field, value in given.items()
        if field == "content" or (value is not None and field not in _NOT_SENT_BACK)
    }
    if isinstance(said.get("audio"), dict):
        said["audio"] = {"id": said["audio"].get("id")}
    for call in said.get("tool_calls", ()):
        call.pop("index", None)
        if isinstance(call.get("function"), dict):
            call["function"].pop("parsed_arguments", None)
    at_limit = part(choice, "finish_reason") == "length"
    results = [
        handle_tool_call(call, store, participant=participant, name=name, cut=at_limit and call is calls[-1])
        for call in calls
    ]
    done = not calls and part(message, "function_call") is None
    return [said, *(result for result in results if result is not None)], done


def _responses(response: Any, store: Place, participant: str | None, name: str) -> tuple[list[dict[str, Any]], bool]:
    items = objects(response, "output")
    at_limit = part(response, "status") == "incomplete"
    results = [
        handle_tool_call(item, store, participant=participant, name=name, cut=at_limit and item is items[-1])
        for item in items
    ]
    waiting = any(_asks(item, items) for item in items)
    done = not waiting and part(response, "status") not in _RUNNING
    return [*map(_said, items), *(result for result in results if result is not None)], done


def _said(item: Any) -> Any:
    """An item for the next request, without what the SDK parsed of it."""
    found = plain(item)
    found.pop("parsed_arguments", None)
    content = found.get("content")
    for piece in content if isinstance(content, list) else ():
        if isinstance(piece, dict):
            piece.pop("parsed", None)
    return found


def _asks(item: Any, items: list[Any]) -> bool:
    """Whether an item waits for an answer: a call without its output among the items, or a question for approval."""
    kind, call_id = str(part(item, "type")), part(item, "call_id")
    if kind == "mcp_approval_request":
        return True
    if not kind.endswith("_call") or call_id is None:
        return False
    return not any(part(other, "type") == f"{kind}_output" and part(other, "call_id") == call_id for other in items)
