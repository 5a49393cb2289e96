"""What records say, by their keys: read from the store, or from memory while the index knows of no change."""

from __future__ import annotations

from typing import Any

from sharedctx import SharedContext, tracing
from sharedctx.backends.capabilities import Dated
from sharedctx.backends.steps import Steps
from sharedctx.errors import KeyNotFound
from sharedctx.search import Item, Vectors
from sharedctx.versions.log import Version

from .records import is_stored

_LEAST = 2000
"""Bytes that a record takes in memory besides those of its JSON."""


class Recall:
    """Reads records as the participant of a context may.

    The owner's are kept while they have no end and the backend's revision tells of every change, so that most reads ask
    for nothing but that.
    """

    def __init__(self, ctx: SharedContext, index: Vectors) -> None:
        self._participant = ctx.participant
        self._verbs = ctx.verbs
        self._index = index
        backend = ctx.store.backend
        self._keeps = self._participant is None and backend.rev_tells_all
        self._dated = self._keeps and isinstance(backend, Dated)

    def data(self, item: Item) -> Steps[Any]:
        """Return what the entry holds now, not to be changed; None where it is gone or not to be read. The index must
        have been read just now."""
        if not self._keeps or tracing.is_on():
            return (yield from self._verbs.value(self._participant, item.key, None))
        data = self._index.kept.get(item.key)
        if data is not None:
            return data
        rev = self._index.rev or 0
        version = yield from self._verbs.session.log.head(item.key)
        return None if version is None else (yield from self._read(version, rev))

    def first(self, own: str) -> Steps[tuple[Item, Any] | None]:
        """Return what the index knows of the record of this id, with its data, in one question where that will do."""
        rev = self._index.rev
        held = self._index.find(own)
        if held and self._dated and not tracing.is_on() and self._index.kept.get(held[-1].key) is None:
            item = held[-1]
            found: list[int | None] = []
            version = yield from self._verbs.session.log.dated_head(item.key, found.append)
            if version is not None and rev is not None and found == [rev]:  # else the index is to be read first
                return item, (yield from self._read(version, rev))
        yield from self._index.sync()
        held = self._index.find(own)
        return (held[-1], (yield from self.data(held[-1]))) if held else None

    def _read(self, version: Version, rev: int) -> Steps[Any]:
        try:
            data = yield from self._verbs.session.value(version)
        except KeyNotFound:  # removed meanwhile: there may be another by now
            return (yield from self._verbs.value(self._participant, version.pk, None))
        self.keep(version, data, rev)
        return data

    def keep(self, version: Version, data: Any, rev: int) -> None:
        """Keep what a version holds that was live at this revision."""
        if self._keeps and version.expires is None and is_stored(data):
            self._index.kept.keep(version.pk, data, _LEAST + 3 * version.blob.size, rev)
