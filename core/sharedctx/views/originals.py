"""Originals as kinds read them: a text, and the JSON value that it spells."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from .kind import Source
from .plain import as_text

DEEPEST = 100
"""JSON nested deeper than this is viewed as text: kinds may recurse."""
_TINY = 1e-290  # below it a double has fewer than 15 digits
_PRINTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b[A-Za-z]+""", re.DOTALL)
"""What Python prints otherwise than JSON: strings and names."""
_NAMES = {"None": "null", "True": "true", "False": "false", "nan": "NaN", "inf": "Infinity"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _float(spelled: str) -> float:
    value = float(spelled)
    if len(spelled) <= 15 and _TINY <= abs(value) < math.inf:
        return value
    if math.isinf(value) or Decimal(spelled) != Decimal(repr(value)):
        raise ValueError(f"{spelled} is no double")
    return value


def parse(content: str) -> Any:
    """Return the array or object that a text spells, or None where reading it as JSON would lose something.

    ``NaN`` and ``Infinity`` are read as Python writes them. Lists and dicts as Python prints them, which is how many
    frameworks turn what a tool returns into text, are read as well.
    """
    if content[:1] not in ("{", "[") and content[:4096].lstrip(" \t\r\n")[:1] not in ("{", "["):
        return None
    found = _loaded(content)
    if found is None and "'" in content[:4096] and content[-4096:].rstrip(" \t\r\n")[-1:] in ("}", "]"):
        try:
            found = _loaded(_PRINTED.sub(_as_json, content))
        except (KeyError, ValueError, OverflowError):
            return None
    return found


def _loaded(content: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_unique, parse_float=_float)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _as_json(printed: re.Match[str]) -> str:
    """What Python printed, in JSON; raises ``KeyError`` or ``ValueError`` for a name or an escape that has no like."""
    token = printed[0]
    if token[0] not in "'\"":
        return _NAMES[token]
    inner = token[1:-1]
    if "\\" in inner or '"' in inner:
        return json.dumps(_ESCAPE.sub(_unescaped, inner), ensure_ascii=False)
    return f'"{inner}"'


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    return chr(int(digits, 16)) if digits else _ESCAPED[escape[4]]


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
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return bool(level)
