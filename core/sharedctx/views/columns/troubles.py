"""Where a JSON value tells of trouble: the members with signs of it in their names or texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pieces import fold
from .excerpt import NOTABLE, STEMS, suspects
from .reach import Path

_SCANNED = 80
"""Characters behind the start of a sign, more than it has."""
_STEP_BACK = 2
_NONE: frozenset[Any] = frozenset()


def told_of(text: str) -> bool:
    """Whether a text, as it is or as JSON spells it, has a sign of trouble anywhere."""
    low = fold(text)
    if "\\" in low:
        low = low.replace("\\n", "  ").replace("\\t", "  ").replace("\\r", "  ")
    for stem in STEMS:
        at = low.find(stem)
        while at >= 0:
            if NOTABLE.search(low, max(at - _STEP_BACK, 0), at + _SCANNED):
                return True
            at = low.find(stem, at + 1)
    return False


def suspected(value: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the paths of scalars that may tell of trouble, or whose name may, and the scalars; outer ones first."""
    holders: list[tuple[int, Any, Any]] = [(-1, "", value)]
    texts: list[str] = []
    spots: list[tuple[int, Any]] = []
    names: set[Any] = set()
    for at, (_, _, part) in enumerate(holders):  # which grows
        named = type(part) is dict
        if named:
            names.update(part)
        for name, inner in part.items() if named else enumerate(part):
            kind = type(inner)
            if kind is str:
                texts.append(inner)
                spots.append((at, name))
            elif kind is dict or kind is list:
                holders.append((at, name, inner))
    listed = [name for name in names if type(name) is str]
    told = {listed[at] for at in suspects(listed)}
    below = [False] * len(holders)
    if told:
        for at, (above, name, _) in enumerate(holders):
            below[at] = name in told or (above >= 0 and below[above])
    hits: dict[int, set[Any]] = {}
    for place in suspects(texts):
        holder, name = spots[place]
        hits.setdefault(holder, set()).add(name)
    for at, (_, _, part) in enumerate(holders):
        here = hits.get(at, _NONE)
        named = type(part) is dict
        if not (here or below[at] or (named and told and not told.isdisjoint(part))):
            continue
        way = _path(holders, at)
        for name, inner in part.items() if named else enumerate(part):
            if type(inner) is dict or type(inner) is list:
                continue
            if below[at] or name in here or name in told:
                yield (*way, name), inner


def _path(holders: list[tuple[int, Any, Any]], at: int) -> Path:
    steps = []
    while at > 0:
        at, name, _ = holders[at]
        steps.append(name)
    return tuple(steps[::-1])
