"""What records were before: their versions, and the vectors that the index no longer has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sharedctx import SharedContext
from sharedctx.backends import steps
from sharedctx.backends.base import Drop, Op, Put
from sharedctx.backends.steps import Steps
from sharedctx.search import Item, Vectors
from sharedctx.search.packs import decode, encode, floats
from sharedctx.versions.collection import seal, unseal

from .address import ROOT, segment
from .records import is_stored, loaded

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord

_FORMER = "\x01crewai/former"


class RecordVersion(NamedTuple):
    """One state of a record; ``record`` is None where it was deleted."""

    version: int
    at: datetime
    agent: str | None
    record: MemoryRecord | None


class _Place(NamedTuple):
    key: str
    number: int
    rev: int
    at: float
    agent: str | None
    live: bool


class Former:
    """Keeps and finds former states, as steps."""

    def __init__(self, ctx: SharedContext, index: Vectors) -> None:
        self._ctx = ctx
        self._index = index

    def keep(self, item: Item) -> list[Op]:
        """Return the operation that keeps the vector of a state which is about to be replaced."""
        vectors = self._index.vectors(item.key)
        if not vectors:
            return []
        rows = [floats(item.key, vector) for vector in vectors]
        payload = encode(len(vectors[0]), [Item(item.key, item.version, len(rows))], rows)
        sk = _sk(item.key, item.version)
        return [Put(_FORMER, seal(self._index.space, _FORMER, sk, payload), sk)]

    def forget(self, item: Item) -> Steps[None]:
        """Drop all that was kept of an entry."""
        prefix = _sk(item.key, 0)[:-15]
        while rows := (yield from steps.scan(self._index.space, _FORMER, prefix, f"{prefix}~", limit=80)):
            yield from steps.commit(self._index.space, [Drop(_FORMER, row.sk) for row in rows])

    def vectors(self, key: str, version: int) -> Steps[list[list[float]]]:
        """Return the vectors that this version had."""
        item = self._index.item(key)
        if item is not None and item.version == version:
            return self._index.vectors(key)
        sk = _sk(key, version)
        rows = yield from steps.scan(self._index.space, _FORMER, sk, f"{sk}\x00", limit=1)
        if not rows:
            return []
        pack = decode(unseal(self._index.space, rows[0]))
        numbers = list(memoryview(bytes(pack.floats)).cast("f"))
        return [numbers[at : at + pack.dimensions] for at in range(0, len(numbers), pack.dimensions)]

    def places(self, own: str) -> Steps[list[_Place]]:
        """Return all versions of a record, oldest first, in whatever scopes it lay."""
        name = f"/{segment(own)}"
        found: list[_Place] = []
        for key in (yield from steps.all_pks(self._index.space, f"{ROOT}/")):
            if not key.endswith(name) or not key.startswith(f"{ROOT}/"):
                continue
            for entry in (yield from self._ctx.verbs.history(self._ctx.participant, key, 10**6, None)):
                live = entry.kind == "json"
                found.append(_Place(key, entry.version, entry.rev, entry.timestamp, entry.agent, live))
        found.sort(key=lambda place: (place.rev, place.live))
        if len({place.key for place in found}) < 2:
            return found
        moves = {place.rev for place in found if place.live}
        kept = [place for place in found if place.live or place.rev not in moves]
        return [place for number, place in enumerate(kept, 1)]

    def history(self, own: str) -> Steps[list[RecordVersion]]:
        """Return a record's states, newest first."""
        found = []
        for number, place in _numbered((yield from self.places(own))):
            data = (yield from self._data(place)) if place.live else None
            record = None
            if data is not None:
                record = loaded(data, (yield from self.vectors(place.key, place.number)), None)
            found.append(RecordVersion(number, datetime.fromtimestamp(place.at, UTC), place.agent, record))
        return found[::-1]

    def state(self, own: str, version: int) -> Steps[tuple[dict[str, Any], list[list[float]]] | None]:
        """Return a former state and its vectors; None where there is none."""
        for number, place in _numbered((yield from self.places(own))):
            if number == version and place.live:
                data = yield from self._data(place)
                return None if data is None else (data, (yield from self.vectors(place.key, place.number)))
        return None

    def _data(self, place: _Place) -> Steps[dict[str, Any] | None]:
        data = yield from self._ctx.verbs.value(self._ctx.participant, place.key, place.number)
        return data if is_stored(data) else None


def _numbered(places: Sequence[_Place]) -> list[tuple[int, _Place]]:
    """Versions as numbered: those of the key, or for a record that was moved the count from its first on."""
    moved = len({place.key for place in places}) > 1
    return [(number if moved else place.number, place) for number, place in enumerate(places, 1)]


def _sk(key: str, version: int) -> str:
    return f"{key} {version:014d}"
