"""The notes as one tool of a model: ``shared_context``, whose ``action`` says what to do."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ConfigError, InvalidValue
from .dispatch import handle
from .store import SharedContextStore

NAME = "shared_context"
DESCRIPTION = (
    "Notes that all agents of this session share: conclusions, decisions with reasons, identifiers, what blocks. "
    "list_keys tells keys, writers, versions and sizes; read gives a note's value; write stores short text under a key "
    "of a-z, 0-9 and _; delete removes a note; read_batch and read_history read several notes or a note's versions. "
    "The result is JSON, and has 'error' and 'message' when the request failed."
)
_ACTIONS = ("list_keys", "read", "write", "delete", "read_batch", "read_history")
_ARGUMENTS: dict[str, tuple[str, str]] = {
    "key": ("string", "the note's key, for read, write, delete and read_history"),
    "value": ("string", "the text, for write"),
    "expected_version": ("integer", "for write and delete: only while this is the live version (0: there is none)"),
    "prefix": ("string", "for list_keys: only keys that start with this"),
    "keys": ("array", "the keys, for read_batch"),
    "limit": ("integer", "for read_history: at most so many versions"),
}


def tool_parameters(*, strict: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of the tool's arguments, a new one each time.

    ``strict`` requires every argument and lets all but the action be null, as strict modes want it.
    """
    properties: dict[str, Any] = {"action": {"type": "string", "enum": list(_ACTIONS), "description": "what to do"}}
    for name, (kind, description) in _ARGUMENTS.items():
        properties[name] = {"type": [kind, "null"] if strict else kind, "description": description}
        if kind == "array":
            properties[name]["items"] = {"type": "string"}
    required = list(properties) if strict else ["action"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def answer(
    store: SharedContextStore, arguments: Any, *, participant: str | None = None, cut: bool = False
) -> tuple[str, bool]:
    """Do what a model asked and return the result as JSON text, and whether it failed.

    ``arguments`` is an object or its JSON (empty text is an empty object); what is neither, and a call that was
    ``cut`` off, becomes an error result. ``participant`` is who asks (a bound store has its own). Raises
    ``ConfigError`` when nobody is named.
    """
    who = participant or store.participant
    if who is None:
        raise ConfigError("the tool needs to know who acts: pass participant=, or a bound store")
    try:
        result = handle(store, _object(arguments, cut), participant=who)
    except InvalidValue as error:
        result = error.to_dict()
    return json.dumps(result, ensure_ascii=False), "error" in result


def _object(arguments: Any, cut: bool) -> Any:
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
