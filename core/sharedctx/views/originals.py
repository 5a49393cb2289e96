"""Originals as kinds read them: a text, and the JSON value that it spells."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from .kind import Source
from .plain import as_text

DEEPEST = 100
"""JSON nested deeper than this is viewed as text: kinds may recurse."""
_TINY = 1e-290  # below it a double has fewer than 15 digits


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _float(spelled: str) -> float:
    value = float(spelled)
    hard = len(spelled) > 15 or abs(value) < _TINY
    if math.isinf(value) or (hard and Decimal(spelled) != Decimal(repr(value))):
        raise ValueError(f"{spelled} is no double")
    return value


def parse(content: str) -> Any:
    """Return the array or object that a text spells, or None where reading it as JSON would lose something.

    ``NaN`` and ``Infinity`` are read as Python writes them.
    """
    if content[:1] not in ("{", "[") and content[:4096].lstrip(" \t\r\n")[:1] not in ("{", "["):
        return None
    try:
        return json.loads(content, object_pairs_hook=_unique, parse_float=_float)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def value_of(content: Any, text: str) -> Any:
    """Return what paths and rows of a content lead into: its JSON value, or None for a text that spells none."""
    return parse(text) if isinstance(content, str | bytes) else content


def lines_as_values(text: str) -> list[Any]:
    """Return a text as the array of its lines, each the object or array that it spells: what paths into JSON lines,
    counted from 0, lead into."""
    values: list[Any] = []
    for line in text.split("\n"):
        try:
            values.append(json.loads(line) if line[:1] in ("{", "[") else line)
        except (ValueError, RecursionError):
            values.append(line)
    return values


def read(content: Any) -> tuple[Source, str]:
    """Return the original as a source, and what it is at bottom: "json", "text", or "bytes" that are no text."""
    text = as_text(content)
    if isinstance(content, bytes) and text.encode() != content:
        return Source(text), "bytes"
    value = parse(text)
    if value is not None and _too_deep(value):
        value = None
    return Source(text, value), "text" if value is None and isinstance(content, str | bytes) else "json"


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)
