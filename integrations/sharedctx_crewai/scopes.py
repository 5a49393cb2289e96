"""What is said of scopes and categories, out of what the index knows of the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sharedctx.search import Item

from .address import within
from .filters import moment

if TYPE_CHECKING:
    from crewai.memory.types import ScopeInfo


def children(items: Iterable[Item], scope: str) -> list[str]:
    """Return the scopes right below ``scope`` that hold records, in order."""
    start = scope if scope == "/" else f"{scope}/"
    found = {item.facts[0] for item in items if item.facts[0] != scope and within(item.facts[0], scope)}
    return sorted({start + below[len(start) :].partition("/")[0] for below in found})


def categories(items: Iterable[Item]) -> dict[str, int]:
    """Return how many records each category has."""
    return dict(Counter(category for item in items for category in item.facts[1]))


def info(items: list[Item], scope: str) -> ScopeInfo:
    """Return what is known of a scope whose records are ``items``."""
    from crewai.memory.types import ScopeInfo

    times = sorted({item.facts[2] for item in items}, key=moment)
    return ScopeInfo(
        path=scope,
        record_count=len(items),
        categories=sorted(categories(items)),
        oldest_record=datetime.fromisoformat(times[0]) if times else None,
        newest_record=datetime.fromisoformat(times[-1]) if times else None,
        child_scopes=children(items, scope),
    )
