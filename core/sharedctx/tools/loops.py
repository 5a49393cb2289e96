"""One tool, ``shared_context``, for loops over model APIs: its ``action`` says what to do with notes or a session."""

from __future__ import annotations

import json
from typing import Any, Literal

from ..context import SharedContext
from ..entries.names import check_participant
from ..errors import ConfigError, InvalidAction, InvalidValue
from ..notes import ACTIONS, SharedContextStore, handle
from .table import TOOLS, call

Over = Literal["notes", "context"]
"""What the tool works on: a session's notes (``SharedContextStore``) or all its entries (``SharedContext``)."""

NAME = "shared_context"
_NOTES = (
    "Notes that all agents of this session share: conclusions, decisions with reasons, identifiers, what blocks. "
    "list_keys tells keys, writers, versions and sizes; read gives a note's value; write stores short text under a key "
    "of a-z, 0-9 and _; delete removes a note; read_batch and read_history read several notes or a note's versions. "
    "The result is JSON, and has 'error' and 'message' when the request failed."
)
_ARGUMENTS: dict[str, tuple[str, str]] = {
    "key": ("string", "the note's key, for read, write, delete and read_history"),
    "value": ("string", "the text, for write"),
    "expected_version": ("integer", "for write and delete: only while this is the live version (0: there is none)"),
    "prefix": ("string", "for list_keys: only keys that start with this"),
    "keys": ("array", "the keys, for read_batch"),
    "limit": ("integer", "for read_history: at most so many versions"),
}


def check_over(over: Over) -> Over:
    """Return ``over`` if it is known; raises ``ConfigError``."""
    if over not in ("notes", "context"):
        raise ConfigError(f"over {over!r} is neither 'notes' nor 'context'")
    return over


def description_of(over: Over = "notes", own: str | None = None) -> str:
    """Return what the tool tells a model of itself: ``own`` text where there is any. Raises ``ConfigError``."""
    notes = check_over(over) == "notes"
    if own is not None and not isinstance(own, str):
        raise ConfigError(f"the description {own!r:.60} is no text: say what the tool is for")
    if own:
        return own
    if notes:
        return _NOTES
    told = " ".join(f"{name}: {tool.description}" for name, tool in TOOLS.items())
    return f"The context that all agents of this session share, by action. {told} Other arguments stay out or null."


def parameters(over: Over = "notes", *, strict: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of the tool's arguments, a new one each time.

    ``strict`` requires every argument and lets all but the action be null, as strict modes want it. Raises
    ``ConfigError``.
    """
    if not isinstance(strict, bool):
        raise ConfigError(f"strict {strict!r:.60} is neither True nor False")
    notes = check_over(over) == "notes"
    actions, arguments = (list(ACTIONS), _ARGUMENTS) if notes else (list(TOOLS), _of_tools())
    properties: dict[str, Any] = {"action": {"type": "string", "enum": actions, "description": "what to do"}}
    for name, (kind, told) in arguments.items():
        properties[name] = {"type": [kind, "null"] if strict else kind, "description": told}
        if kind == "array":
            properties[name]["items"] = {"type": "string"}
    required = list(properties) if strict else ["action"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _of_tools() -> dict[str, tuple[str, str]]:
    """The arguments of all the context's tools, each with the actions that take it."""
    found: dict[str, tuple[str, str]] = {}
    for argument in (argument for tool in TOOLS.values() for argument in tool.arguments):
        takers = [name for name, tool in TOOLS.items() if any(other.name == argument.name for other in tool.arguments)]
        found.setdefault(argument.name, (argument.type, f"for {', '.join(takers)}: {argument.description}"))
    return found


def answer(
    store: SharedContextStore | SharedContext,
    arguments: Any,
    *,
    participant: str | None = None,
    face: str = "sharedctx",
    cut: bool = False,
) -> tuple[str, bool]:
    """Do what a model asked and return the result as JSON text, and whether it failed.

    ``arguments`` is an object or its JSON (empty text is an empty object); what is neither, and a call that was
    ``cut`` off, becomes an error result. ``participant`` is who asks (a bound store has its own), ``face`` is told to
    the savings. Raises ``ConfigError`` for what is no store, and when nobody is named.
    """
    if not isinstance(store, SharedContextStore | SharedContext):
        raise ConfigError(f"{type(store).__name__} is neither a SharedContextStore nor a SharedContext: pass one")
    who = store.participant if participant is None else participant
    if who is None:
        raise ConfigError("the tool needs to know who acts: pass participant=, or a bound store")
    check_participant(who)
    try:
        request = _object(arguments, cut)
        if isinstance(store, SharedContextStore):
            result = handle(store, request, participant=who)
        else:
            result = _called(store.bind(who, face=face), request)
    except (InvalidAction, InvalidValue) as error:
        result = error.to_dict()
    return json.dumps(result, ensure_ascii=False), "error" in result


def _called(context: SharedContext, request: dict[str, Any]) -> dict[str, Any]:
    action = request.get("action")
    if not isinstance(action, str) or action not in TOOLS:
        raise InvalidAction(f"the action {action!r} is unknown: use {', '.join(TOOLS)}")
    made = call(context, action, {name: value for name, value in request.items() if name != "action"})
    if made.error is None:
        return {"result": made.text}
    return {"error": made.error, "message": made.text.removeprefix(f"{made.error}: ")}


def _object(arguments: Any, cut: bool) -> dict[str, Any]:
    if cut:
        raise InvalidValue("the call was cut off before its end, and nothing was done: make it again, and shorter")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise InvalidValue(f"the arguments are no JSON ({error}): write one object, complete") from None
    if not isinstance(arguments, dict):
        raise InvalidValue(f"the arguments are {type(arguments).__name__}: write an object with an action")
    return arguments
