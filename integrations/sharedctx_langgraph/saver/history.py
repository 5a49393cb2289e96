"""What a channel was written along a checkpoint's ancestors: for channels that are stored as writes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sharedctx.backends.base import Row
from sharedctx.backends.steps import Steps
from sharedctx.versions.lineage import Found, Lineage, split

from .packing import Packing
from .places import Place, names
from .threads import Threads

_PAGE = 128


class Ancestors:
    """Goes from a state to its parents; as parents are nearly always older, by one scan from it backwards."""

    def __init__(self, lineage: Lineage, start: str) -> None:
        self._lineage = lineage
        self._cursor: str | None = f"{start}\x02"
        self._held: dict[str, Row] = {}
        self._additions: dict[str, list[Row]] = {}

    def get(self, id: str) -> Steps[Found | None]:
        """Return a state on the way, None when it is gone."""
        while id not in self._held and self._cursor is not None and id < self._cursor:
            rows, self._cursor = yield from self._lineage.page(self._cursor, _PAGE)
            for row in rows:
                owner, number = split(str(row.sk))
                if number is None:
                    self._held[owner] = row
                else:
                    self._additions.setdefault(owner, []).append(row)
        if id not in self._held:
            return (yield from self._lineage.get(id))
        return Found(self._lineage.parse(self._held.pop(id)), self._additions.pop(id, [])[::-1])


def history(
    threads: Threads, packing: Packing, place: Place, channels: Sequence[str]
) -> Steps[dict[str, dict[str, Any]]]:
    """Return for each channel its writes on the way from the nearest ancestor that holds a value (``seed``) to the
    checkpoint, oldest first, those of the checkpoint itself left out."""
    channels = names(channels, "channels")
    result: dict[str, dict[str, Any]] = {channel: {"writes": []} for channel in channels}
    namespace = place.namespace or ""
    lineage = threads.lineage(place.thread, namespace)
    target = (yield from lineage.newest()) if place.id is None else (yield from lineage.get(place.id))
    if not channels or target is None or (yield from threads.expired(place.thread, namespace, target.state.expires)):
        return result
    ancestors = Ancestors(lineage, target.state.id)
    seen = {target.state.id}
    left = set(channels)
    at = target.state.parent
    while at is not None and at not in seen and left:
        seen.add(at)
        found = yield from ancestors.get(at)
        if found is None:
            break
        contents = yield from lineage.additions(at, found.additions, found.state)
        for write in reversed(packing.read_writes(at, contents)):
            if write.channel in left:
                result[write.channel]["writes"].append(packing.pending(at, write))
        table, _ = yield from lineage.head(found.state)
        for channel in left & table.keys():
            content = yield from lineage.part(found.state, channel, table)
            result[channel]["seed"] = packing.read_value(at, content)
        left -= table.keys()
        at = found.state.parent
    for each in result.values():
        each["writes"].reverse()
    return result
