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
    return _below({item.read_facts()[0] for item in items}, scope)


def _below(found: set[str], scope: str) -> list[str]:
    start = scope if scope == "/" else f"{scope}/"
    below = {each for each in found if each != scope and within(each, scope)}
    return sorted({start + each[len(start) :].partition("/")[0] for each in below})


def categories(items: Iterable[Item]) -> dict[str, int]:
    """Return how many records each category has."""
    return dict(Counter(category for item in items for category in item.read_facts()[1]))


def info(items: list[Item], scope: str) -> ScopeInfo:
    """Return what is known of a scope whose records are ``items``."""
    from crewai.memory.types import ScopeInfo

    facts = [item.read_facts() for item in items]
    times = sorted({created for _, _, created, _ in facts}, key=moment)
    return ScopeInfo(
        path=scope,
        record_count=len(items),
        categories=sorted({category for _, named, _, _ in facts for category in named}),
        oldest_record=datetime.fromisoformat(times[0]) if times else None,
        newest_record=datetime.fromisoformat(times[-1]) if times else None,
        child_scopes=_below({below for below, _, _, _ in facts}, scope),
    )
