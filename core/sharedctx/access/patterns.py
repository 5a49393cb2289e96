"""Patterns of names, in which ``*`` stands for any text and all else for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..errors import InvalidValue


@lru_cache(1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` fits ``pattern``, where ``*`` stands for any text and all else for itself."""
    return _pattern(pattern).fullmatch(name) is not None


def check_pattern(name: str, pattern: Any) -> str:
    """Return a pattern if it is text that is not empty; raises ``InvalidValue`` naming ``name``."""
    if not isinstance(pattern, str) or not pattern:
        raise InvalidValue(f"{name} {pattern!r} is no pattern: write text such as 'subagent:*'")
    return pattern


def check_patterns(name: str, patterns: Any) -> tuple[str, ...]:
    """Return patterns if they are a list of text; raises ``InvalidValue`` naming ``name``."""
    if isinstance(patterns, str | bytes) or not isinstance(patterns, Sequence):
        raise InvalidValue(f"{name} {patterns!r} is no list of patterns: write for example ['subagent:*']")
    return tuple(check_pattern(f"a pattern of {name}", pattern) for pattern in patterns)
