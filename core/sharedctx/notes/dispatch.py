"""Requests of agents as dicts: ``{"action": "write", "key": ..., "value": ...}`` in, a dict out, never an exception."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Internal, InvalidAction, InvalidKey, InvalidValue, SharedContextError
from .store import SharedContextStore

_log = logging.getLogger("sharedctx.notes")

_KEY = ("key",)
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "list_keys": ((), ("prefix",)),
    "read": (_KEY, ()),
    "write": (("key", "value"), ("expected_version", "ttl", "readable_by", "writable_by")),
    "delete": (_KEY, ("expected_version",)),
    "read_batch": (("keys",), ()),
    "read_history": (_KEY, ("limit",)),
}
"""Each action with the arguments that it needs and those that it may have."""

_IGNORED = frozenset({"action", "written_by"})
"""``written_by`` is the participant given by the tool layer: what an agent says of itself does not count."""


def handle(store: SharedContextStore, request: Any, *, participant: str) -> dict[str, Any]:
    """Do what an agent asks as ``participant`` and return the result, or ``{"error": CODE, "message": text}``.

    Arguments that are null count as absent. Where notes that the participant knows were changed by others, the result
    says so once under ``changed``. Never raises.
    """
    try:
        bound = store.bind(participant)
        bound.begin()
        result = _dispatch(bound, request)
        changed = bound.stale(ask=False)
        return {**result, "changed": changed} if changed else result
    except SharedContextError as error:
        return error.to_dict()
    except Exception as error:
        _log.exception("a request failed by=%s", participant)
        return Internal(f"the request failed ({type(error).__name__}); the log has the trace").to_dict()


def _dispatch(store: SharedContextStore, request: Any) -> dict[str, Any]:
    if not isinstance(request, Mapping):
        raise InvalidAction(f"a request is an object with an action, not {type(request).__name__}")
    action = request.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        raise InvalidAction(f"the action {action!r} is unknown: use {', '.join(ACTIONS)}")
    needed, optional = ACTIONS[action]
    given = {name: value for name, value in request.items() if value is not None and name not in _IGNORED}
    if unknown := [str(name) for name in given if name not in needed and name not in optional]:
        raise InvalidValue(f"{action} takes no {', '.join(unknown)}: it takes {', '.join((*needed, *optional))}")
    for name in needed:
        if name not in given:
            kind = InvalidKey if name == "key" else InvalidValue
            raise kind(f"{action} needs {name!r}")
    method: Callable[..., dict[str, Any]] = getattr(store, action)
    return method(**given)
