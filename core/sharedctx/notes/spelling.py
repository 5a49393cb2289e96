"""The forms of notes: keys, patterns, times and the count of tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ..errors import InvalidKey, InvalidValue

_KEY = re.compile(r"[a-z0-9_]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,64}")


class QuarterOfCharacters:
    """Counts a token for every four characters, at least one."""

    name = "characters/4"

    def __call__(self, text: str) -> int:
        return max(1, len(text) // 4)


def is_note_key(key: str) -> bool:
    """Whether the text is 1 to 64 of a-z, 0-9 and _."""
    return _KEY.fullmatch(key) is not None


def check_note_key(key: Any) -> str:
    """Return the key if it is 1 to 64 of a-z, 0-9 and _; raises ``InvalidKey``."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidKey(f"the key {key!r} is not 1 to 64 of a-z, 0-9 and _: write for example 'open_questions'")
    return key


def check_value(key: str, value: Any) -> str:
    """Return the value if it is text; raises ``InvalidValue``."""
    if not isinstance(value, str):
        raise InvalidValue(f"the value for {key!r} is {type(value).__name__}, and notes are text: write a string")
    return value


def check_label(label: Any) -> str:
    """Return a snapshot's label if it is 1 to 64 of A-Z a-z 0-9 . _ -; raises ``InvalidValue``."""
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise InvalidValue(f"the label {label!r} is not 1 to 64 of A-Z a-z 0-9 . _ -: write for example 'phase-1'")
    return label


def iso(timestamp: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
