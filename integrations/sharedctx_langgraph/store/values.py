"""Values of items: mappings of JSON, and what other frameworks stored, read as mappings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

_VALUE = "value"


def jsonable(value: Any) -> Any:
    """Return a value as the official stores keep it: tuples as lists, models and dataclasses as mappings, moments and
    UUIDs as text. What is left is for the session to refuse."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    if isinstance(value, Enum):
        return jsonable(value.value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def shown(value: Any) -> dict[str, Any]:
    """Return an entry's value as an item's: a value that is no mapping stands under ``value``."""
    return value if isinstance(value, dict) else {_VALUE: value}


def plain(value: Mapping[str, Any]) -> Any:
    """Return what ``shown`` made a mapping of; other mappings as they are."""
    if value.keys() == {_VALUE} and not isinstance(value[_VALUE], Mapping):
        return value[_VALUE]
    return value
