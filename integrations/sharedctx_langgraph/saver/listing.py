"""Listing checkpoints one by one, newest first; nothing is held while the caller looks at one."""

from __future__ import annotations

from collections import deque
from typing import Any

from sharedctx.backends.base import Row
from sharedctx.backends.steps import Steps
from sharedctx.extras import extra
from sharedctx.versions.lineage import Found, Lineage, split

from .packing import Packing
from .places import Place
from .threads import Threads

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import CheckpointTuple

_PAGE = 128


class Listing:
    """Goes through the checkpoints of one thread or of all; ``place`` None means all threads.

    ``before`` is an id that all listed ones are below; ``filter`` compares metadata by equality.
    """

    def __init__(
        self,
        threads: Threads,
        packing: Packing,
        place: Place | None,
        *,
        filter: dict[str, Any] | None,
        before: str | None,
        limit: int | None,
    ) -> None:
        self._threads = threads
        self._packing = packing
        self._place = place
        self._filter = filter or {}
        self._before = before
        self._left = limit
        self._places: deque[tuple[Place, str]] | None = None
        self._cursor: tuple[Place, str, Lineage, str | None] | None = None
        self._rows: deque[tuple[Row, list[Row]]] = deque()
        self._waiting: list[Row] = []

    def next(self) -> Steps[CheckpointTuple | None]:
        """Return the next checkpoint, None after the last; raises ``DecodeError`` for a damaged one."""
        while self._left is None or self._left > 0:
            if not self._rows and not (yield from self._more()):
                break
            if not self._rows:
                continue
            row, additions = self._rows.popleft()
            assert self._cursor is not None
            place, namespace, lineage, _ = self._cursor
            found = Found(lineage.parse(row), additions)
            if (yield from self._threads.expired(place.thread, namespace, found.state)):
                continue
            opened = yield from self._threads.open(lineage, found)
            if self._filter:
                metadata = self._packing.read_metadata(found.state.id, opened.head)
                if any(name not in metadata or metadata[name] != value for name, value in self._filter.items()):
                    continue
            if self._left is not None:
                self._left -= 1
            return (yield from self._threads.tuple(self._packing, lineage, opened, place, namespace))
        return None

    def _more(self) -> Steps[bool]:
        """Read the next page; False after the last."""
        if self._places is None:
            self._places = yield from self._all_places()
        while self._cursor is None or self._cursor[3] is None:
            if not self._places:
                return False
            place, namespace = self._places.popleft()
            lineage = self._threads.lineage(place.thread, namespace)
            self._waiting = []
            if place.id is not None:
                self._cursor = (place, namespace, lineage, None)
                if self._before is not None and place.id >= self._before:
                    continue
                found = yield from lineage.rows(place.id)
                if found is not None:
                    self._rows.append(found)
                return True
            self._cursor = (place, namespace, lineage, self._before or _LAST)
        place, namespace, lineage, at = self._cursor
        size = _PAGE if self._left is None else min(_PAGE, 2 + 4 * self._left)
        rows, after = yield from lineage.page(None if at == _LAST else at, size)
        self._cursor = (place, namespace, lineage, after)
        for row in rows:
            id, number = split(str(row.sk))
            if number is not None:
                self._waiting.append(row)
                continue
            own = [each for each in self._waiting if split(str(each.sk))[0] == id]
            self._rows.append((row, own[::-1]))
            self._waiting = []
        return True

    def _all_places(self) -> Steps[deque[tuple[Place, str]]]:
        found: deque[tuple[Place, str]] = deque()
        if self._place is None:
            places = [Place(thread, None, None, thread) for thread in (yield from self._threads.all())]
        else:
            places = [self._place]
        for place in places:
            if place.namespace is not None:
                found.append((place, place.namespace))
            else:
                found.extend((place, namespace) for namespace in (yield from self._threads.namespaces(place.thread)))
        return found


_LAST = "\U0010ffff"
