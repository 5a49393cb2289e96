"""Records as entries: what is stored of one, what the index knows of it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sharedctx.errors import InvalidValue

from .address import path, within

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord

Facts = list[Any]
"""Scope, categories, time of creation (ISO 8601) and metadata of a record."""


def stored(record: MemoryRecord) -> dict[str, Any]:
    """Return a record as JSON, without its embedding."""
    data: dict[str, Any] = record.model_dump(mode="json")
    return data


def facts(data: Mapping[str, Any]) -> Facts:
    """Return what the index is told of a stored record."""
    return [path(data["scope"]), data["categories"], data["created_at"], data["metadata"]]


def loaded(data: Mapping[str, Any], vectors: list[list[float]], touched: str | None) -> MemoryRecord:
    """Return a stored record with its embedding, last accessed when it was last touched."""
    from crewai.memory.types import MemoryRecord

    record = MemoryRecord.model_validate(data if touched is None else {**data, "last_accessed": touched})
    if vectors:
        record.embedding = vectors[0]
    return record


def completed(record: MemoryRecord, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new state of a record as JSON; what it was made without, it keeps from the old one.

    crewai makes records anew when it merges memories, without ``private`` and ``source``.
    """
    data = stored(record)
    for name in ("private", "source", "created_at"):
        if name not in record.model_fields_set:
            data[name] = old[name]
    return data


def seconds_to_live(data: Mapping[str, Any], scopes: Mapping[str, float]) -> float | None:
    """Return the record's own ``metadata["ttl"]``, else that of the deepest scope that has one.

    Raises ``InvalidValue`` for a ttl that is no number of seconds.
    """
    own = data["metadata"].get("ttl")
    if own is not None:
        if isinstance(own, bool) or not isinstance(own, int | float) or own < 0:
            raise InvalidValue(f"the record {data['id']!r} has the ttl {own!r}: give a number of seconds from 0 up")
        return own
    scope = path(data["scope"])
    fitting = [prefix for prefix in scopes if within(scope, prefix)]
    return scopes[max(fitting, key=len)] if fitting else None
