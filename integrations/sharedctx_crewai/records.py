"""Records as entries: what is stored of one, what the index knows of it, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sharedctx.entries.arguments import check_seconds, check_words
from sharedctx.errors import InvalidValue

from .address import path, within
from .filters import moment

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord

_NAMES = {"id", "content", "scope", "created_at", "categories", "metadata", "importance", "last_accessed"}
_NAMES |= {"source", "private"}

Facts = list[Any]
"""Scope, categories, time of creation (ISO 8601) and metadata of a record."""


def checked(found: Any) -> list[MemoryRecord]:
    """Return records; raises ``InvalidValue`` for what is none."""
    from crewai.memory.types import MemoryRecord

    if found is not None and not isinstance(found, Iterable):
        raise InvalidValue(f"{type(found).__name__} is no list: save a list of crewai's MemoryRecord")
    given = list(found or ())
    for each in given:
        if not isinstance(each, MemoryRecord):
            raise InvalidValue(f"{type(each).__name__} is no record: save a list of crewai's MemoryRecord")
        for name in ("id", "content", "scope"):
            check_words(f"the {name} of a record", getattr(each, name))
    return given


def stored(record: MemoryRecord) -> dict[str, Any]:
    """Return a record as JSON, without its embedding; raises ``InvalidValue`` for metadata that is no JSON."""
    try:
        if not _whole(record.metadata):  # of which pydantic makes something else
            raise ValueError("it has a number that is not finite or a name with a lone surrogate")
        data: dict[str, Any] = record.model_dump(mode="json")
    except (ValueError, RecursionError) as error:  # pydantic's own, and bytes that are no text
        raise InvalidValue(
            f"the metadata of the record {record.id!r} is not JSON ({error}): use plain values"
        ) from None
    return data


def _whole(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_whole, value.values())) and all(_name(name) for name in value)
    return not isinstance(value, list | tuple | set | frozenset) or all(map(_whole, value))


def _name(name: Any) -> bool:
    if not isinstance(name, str):
        return _whole(name)
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def facts(data: Mapping[str, Any]) -> Facts:
    """Return what the index is told of a stored record."""
    return [path(data["scope"]), data["categories"], data["created_at"], data["metadata"]]


def is_stored(data: Any) -> bool:
    """Whether a value is a record; another face of the store may have written something else in its place."""
    return (
        isinstance(data, dict)
        and data.keys() >= _NAMES
        and type(data["id"]) is type(data["content"]) is type(data["scope"]) is type(data["created_at"]) is str
        and isinstance(data["metadata"], dict)
        and isinstance(data["categories"], list)
    )


def loaded(data: Mapping[str, Any], vectors: list[list[float]], touched: str | None) -> MemoryRecord | None:
    """Return a stored record with its embedding, last accessed when it was last touched or written so; None where it
    is no record."""
    from crewai.memory.types import MemoryRecord

    if not is_stored(data):
        return None
    try:
        if touched is not None and moment(touched) > moment(data["last_accessed"]):
            data = {**data, "last_accessed": touched}
        record = MemoryRecord.model_validate(data)
        if any(isinstance(value, dict | list) for value in record.metadata.values()):  # they are the data's own
            record.metadata = deepcopy(record.metadata)
    except (ValueError, TypeError):  # another face changed one of its values
        return None
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
    return check_seconds(f"the ttl of {whose}", ttl)


def lifetimes(ttl: float | Mapping[str, float] | None) -> dict[str, float]:
    """Return the seconds to live by scope that ``ttl`` means; raises ``InvalidValue``."""
    scoped = ttl if isinstance(ttl, Mapping) else {} if ttl is None else {"/": ttl}
    return {path(scope): seconds(each, f"the scope {scope!r}") for scope, each in scoped.items()}


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
