"""Which records a search, a list or a deletion means."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sharedctx.errors import InvalidValue
from sharedctx.search import Item

from .address import path


def moment(time: str | datetime) -> float:
    """Return a time in seconds since the epoch; one without a zone is UTC."""
    found = datetime.fromisoformat(time) if isinstance(time, str) else time
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def listed(name: str, given: Any) -> Sequence[str]:
    """Return a list of texts; raises ``InvalidValue`` for one text, which would be taken for its letters."""
    if given is None:
        return ()
    texts: list[Any] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    if not all(isinstance(each, str) for each in texts):
        raise InvalidValue(f"{name} is {given!r:.200}: pass a list of texts")
    return texts


def most(name: str, given: Any) -> int:
    """Return how many are wanted, none from 0 down; raises ``InvalidValue`` for what is no whole number."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise InvalidValue(f"{name} {given!r:.60} is not a whole number: say how many")
    return given


def least(name: str, given: Any) -> float:
    """Return the lowest score that is wanted; raises ``InvalidValue`` for what is no number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or math.isnan(given):
        raise InvalidValue(f"{name} {given!r:.60} is not a number: say a score from 0 to 1")
    return given


@dataclass(frozen=True)
class Wanted:
    """Records below ``scope``, with any of ``categories``, all of ``metadata`` (as JSON), from before a moment."""

    scope: str = "/"
    categories: frozenset[str] = frozenset()
    metadata: str = ""
    before: float | None = None
    _metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        scope_prefix: str | None = None,
        categories: Sequence[str] | None = None,
        metadata_filter: Mapping[str, Any] | None = None,
        older_than: datetime | None = None,
    ) -> Wanted:
        """Return the filter that crewai's arguments mean; raises ``InvalidValue``."""
        if metadata_filter is not None and not isinstance(metadata_filter, Mapping):
            raise InvalidValue(f"metadata_filter is {metadata_filter!r}: pass names with the values they must have")
        if older_than is not None and not isinstance(older_than, datetime):
            raise InvalidValue(f"older_than is {older_than!r:.60}: pass a datetime")
        try:
            text = json.dumps(metadata_filter, sort_keys=True, default=str) if metadata_filter else ""
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidValue(f"metadata_filter has a name or value that metadata cannot have: {error}") from None
        return cls(
            path(scope_prefix),
            frozenset(listed("categories", categories)),
            text,
            None if older_than is None else moment(older_than),
            json.loads(text or "{}"),
        )

    @property
    def labels(self) -> list[list[str]]:
        """The scope, and the categories of which one is enough."""
        groups = [] if self.scope == "/" else [[self.scope]]
        return [*groups, [f"#{category}" for category in self.categories]] if self.categories else groups

    @property
    def judges(self) -> bool:
        """Whether metadata or times are asked for."""
        return bool(self._metadata) or self.before is not None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.scope == "/" and not self.categories and not self.metadata and self.before is None

    def __call__(self, item: Item) -> bool:
        """Whether a record that the labels leave is meant."""
        _, _, created, metadata = item.read_facts()
        if any(metadata.get(name) != value for name, value in self._metadata.items()):
            return False
        return self.before is None or moment(created) < self.before


def labels(item: Item) -> list[str]:
    """What a record is filtered by: its scope, those above it, and its categories."""
    scope, categories, *_ = item.read_facts()
    parts = scope.split("/")
    found = ["/".join(parts[:end]) for end in range(2, len(parts) + 1)]
    found += [f"#{category}" for category in categories]
    return found
