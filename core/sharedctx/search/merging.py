"""Which packs to merge, and what of them to keep: what counts no more is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from .packs import Item

FULL = 2**20
"""Bytes of a pack that is left alone."""
_SMALL = FULL // 8
_MANY = 32
_MOST = 40
"""Packs in one merge: each takes two operations of a commit."""
_SPARED = 256
"""So many dead items are left where they are."""


class Known(NamedTuple):
    """What is remembered of a pack: its bytes, and of its items how many are no removals."""

    size: int
    dimensions: int
    items: list[Item]
    entries: int


def choose(known: Mapping[str, Known], dimensions: int, live: Mapping[str, int]) -> list[str]:
    """Return the packs to merge into one, none when there is little to gain; ``live`` are the versions that count."""
    fit = {sk: pack for sk, pack in known.items() if pack.dimensions in (0, dimensions)}
    for limit in (_SMALL, FULL // 2):
        small = sorted((pack.size, sk) for sk, pack in fit.items() if pack.size < limit)
        if (len(small) >= _MANY or sum(size for size, _ in small) >= FULL) and len(chosen := _fill(small)) > 1:
            return chosen
    if sum(pack.entries for pack in fit.values()) <= 2 * max(len(live), _SPARED):
        return []
    half_dead = []
    for sk, pack in fit.items():
        count = sum(live.get(item.key) == item.version for item in pack.items if item.vectors is not None)
        if count * 2 < pack.entries:
            half_dead.append((pack.size * count // pack.entries, sk))
    return _fill(sorted(half_dead))


def _fill(packs: list[tuple[int, str]]) -> list[str]:
    """As many as one pack holds."""
    chosen: list[str] = []
    total = 0
    for size, sk in packs[:_MOST]:
        total += size
        if total > FULL and chosen:
            break
        chosen.append(sk)
    return chosen


def kept(known: Mapping[str, Known], chosen: Collection[str], live: Mapping[str, int]) -> list[Item]:
    """Return the items that merging the chosen packs must keep; a removal only while another pack knows the key."""
    removed = {item.key for sk in chosen for item in known[sk].items if item.vectors is None}
    if removed:
        removed &= {item.key for sk, pack in known.items() if sk not in chosen for item in pack.items}
    return [
        item
        for sk in chosen
        for item in known[sk].items
        if (item.key in removed if item.vectors is None else live.get(item.key) == item.version)
    ]
