"""Fields of values and metadata, by name or path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field(value: Mapping[str, Any], key: str) -> Any:
    """Return a field, None where there is none; of a key with periods that names no field, the field at that path."""
    if key in value or "." not in key:
        return value.get(key)
    found: Any = value
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
