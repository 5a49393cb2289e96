"""Values as text, whole: what small ones are read as, and what every reference counts in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..errors import InvalidValue

SHORT = 256
"""Texts of up to this many bytes are given as they are, without being counted."""
LEAST_TOKENS = 50
"""The smallest view or page that can be asked for: it needs room for its references."""


def compact(value: Any) -> str:
    """The value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_text(content: Any) -> str:
    """Return the original as text: text itself, UTF-8 bytes decoded, others described, JSON minified."""
    if isinstance(content, str):
        return content
    if isinstance(content, bytes):
        try:
            return content.decode()
        except UnicodeDecodeError:
            return f"[{len(content)} bytes that are not text, sha256 {hashlib.sha256(content).hexdigest()}]"
    try:
        return compact(content)
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidValue(f"the value is no JSON ({error}): give text, bytes or JSON that is nested less") from None
