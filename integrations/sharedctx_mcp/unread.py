"""Messages that the SDK cannot read: answered, since it only logs them and their clients would wait for ever."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600


def refusal(line: str | bytes) -> str | None:
    """Return the error that answers a line or body which is no message of JSON-RPC; None for one that is."""
    try:
        message = from_json(line, allow_inf_nan=False)
        json.dumps(message, allow_nan=False)  # 1e999 is read as infinity, which the SDK makes null
    except ValueError as error:
        message = _leniently(line)
        cause = (
            "half of a surrogate pair, a number out of range, or too deep" if isinstance(message, dict) else "no JSON"
        )
        told = f"the message cannot be read ({cause}: {error}): repair it and send it again"
        return _error(message, _PARSE_ERROR, told)
    if not isinstance(message, dict):
        return _error(None, _INVALID_REQUEST, "a message is a JSON object: send those of a batch one by one")
    if message.get("jsonrpc") != "2.0" or not message.keys() & {"method", "result", "error"}:
        return _error(message, _INVALID_REQUEST, "a message has 'jsonrpc': '2.0' and a method, a result or an error")
    return None


def too_long(most: int) -> str:
    """Return the error that answers a message of more than ``most`` bytes, of which nobody knows the id."""
    told = f"a message has at most {most >> 20} MiB: send what is larger in parts, or put it by another way"
    return _error(None, _INVALID_REQUEST, told)


def _leniently(line: str | bytes) -> Any:
    """What a more patient reader finds, for the sake of the id; None where it finds nothing either."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _error(message: Any, code: int, told: str) -> str:
    found = message.get("id") if isinstance(message, dict) else None
    number = found if isinstance(found, int | str) else None
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": told}})
