"""Arguments of the verbs: numbers and text, refused by name where they make no sense."""

from __future__ import annotations

import math
from typing import Any

from ..errors import InvalidValue

_MOST = 2**53


def check_number(name: str, value: Any, least: int = 0) -> int:
    """Return a whole number from ``least`` up; raises ``InvalidValue`` naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise InvalidValue(f"{name} {value!r:.60} is not a whole number from {least} up")
    return value


def check_limit(limit: Any) -> int:
    """Return how many may be returned, at most a billion; raises ``InvalidValue`` for what is no number from 1 up."""
    if isinstance(limit, int) and limit > _MOST:
        return 10**9
    return min(check_number("limit", limit, 1), 10**9)


def check_seconds(name: str, value: Any) -> float:
    """Return seconds from 0 up, whole or not; raises ``InvalidValue`` naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST or math.isnan(value):
        raise InvalidValue(f"{name} {value!r:.60} is not a number of seconds from 0 up")
    return value


def check_words(name: str, value: Any) -> str:
    """Return text; raises ``InvalidValue`` naming the argument."""
    if not isinstance(value, str):
        raise InvalidValue(f"{name} {value!r:.60} is {type(value).__name__}, not text")
    return check_encodable(name, value)


def check_encodable(name: str, text: str) -> str:
    """Return the text; raises ``InvalidValue`` for a lone surrogate, which no store, file or model takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(f"{name} has a lone surrogate at {error.start}: it is no text, repair it first") from None
    return text
