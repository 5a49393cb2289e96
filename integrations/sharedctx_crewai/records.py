"""Records as entries: what is stored of one, what the index knows of it, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sharedctx.errors import InvalidValue

from .address import path, within

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord

Facts = list[Any]
"""Scope, categories, time of creation (ISO 8601) and metadata of a record."""


def checked(found: Iterable[MemoryRecord]) -> list[MemoryRecord]:
    """Return records; raises ``InvalidValue`` for what is none."""
    from crewai.memory.types import MemoryRecord

    given = list(found or ())
    for each in given:
        if not isinstance(each, MemoryRecord):
            raise InvalidValue(f"{type(each).__name__} is no record: save a list of crewai's MemoryRecord")
    return given


def stored(record: MemoryRecord) -> dict[str, Any]:
    """Return a record as JSON, without its embedding; raises ``InvalidValue`` for metadata that is no JSON."""
    try:
        data: dict[str, Any] = record.model_dump(mode="json")
    except ValueError as error:  # pydantic's own, and bytes that are no text
        raise InvalidValue(
            f"the metadata of the record {record.id!r} is not JSON ({error}): use plain values"
        ) from None
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


def seconds(ttl: Any, whose: str) -> float:
    """Return a time to live; raises ``InvalidValue`` for what is no number of seconds."""
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl >= 0:
        raise InvalidValue(f"{whose} has the ttl {ttl!r}: give a number of seconds from 0 up")
    return ttl


def seconds_to_live(data: Mapping[str, Any], scopes: Mapping[str, float]) -> float | None:
    """Return the record's own ``metadata["ttl"]``, else that of the deepest scope that has one.

    Raises ``InvalidValue`` for a ttl that is no number of seconds.
    """
    own = data["metadata"].get("ttl")
    if own is not None:
        return seconds(own, f"the record {data['id']!r}")
    scope = path(data["scope"])
    fitting = [prefix for prefix in scopes if within(scope, prefix)]
    return scopes[max(fitting, key=len)] if fitting else None
