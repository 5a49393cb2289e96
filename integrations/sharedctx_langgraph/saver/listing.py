"""Listing checkpoints one by one, newest first; nothing is held while the caller looks at one."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from sharedctx.backends.base import Row
from sharedctx.backends.steps import Steps
from sharedctx.extras import extra
from sharedctx.versions.lineage import Lineage, split

from ..fields import field
from .packing import Packing
from .places import Place
from .threads import Threads

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import CheckpointTuple

_PAGE = 128
_FEW = 8


class _Line:
    """The checkpoints of one namespace of a thread, newest first, read page by page."""

    def __init__(self, place: Place, namespace: str, lineage: Lineage, before: str | None, page: int) -> None:
        self.place = place
        self.namespace = namespace
        self.lineage = lineage
        self._before = before
        self._page = page
        self._begun = False
        self._after: str | None = before
        self._rows: deque[tuple[Row, list[Row]]] = deque()
        self._waiting: list[tuple[str, Row]] = []

    def newest(self) -> Steps[str | None]:
        """Return the id of the next checkpoint, None after the last."""
        while not self._rows and not (self._begun and self._after is None):
            yield from self._more()
        return str(self._rows[0][0].sk) if self._rows else None

    def take(self) -> tuple[Row, list[Row]]:
        """Return the next checkpoint's row and those of its writes."""
        return self._rows.popleft()

    def _more(self) -> Steps[None]:
        self._begun = True
        if self.place.id is not None:
            self._after = None
            if self._before is None or self.place.id < self._before:
                found = yield from self.lineage.rows(self.place.id)
                self._rows.extend([] if found is None else [found])
            return
        rows, self._after = yield from self.lineage.page(self._after, self._page)
        self._page = min(2 * self._page, _PAGE)
        for row in rows:
            id, number = split(str(row.sk))
            if number is not None:
                self._waiting.append((id, row))
                continue
            own = [each for owner, each in self._waiting if owner == id]
            self._rows.append((row, own[::-1]))
            self._waiting = []


class Listing:
    """Goes through the checkpoints of one thread or of all, by their ids; ``place`` None means all threads.

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
        self._lines: list[_Line] | None = None
        self._heads: list[tuple[str, int]] = []  # newest last

    def next(self) -> Steps[CheckpointTuple | None]:
        """Return the next checkpoint, None after the last; raises ``DecodeError`` for a damaged one."""
        while self._left is None or self._left > 0:
            if self._lines is None:
                self._lines = yield from self._all_lines()
                for at in range(len(self._lines)):
                    yield from self._queue(at)
            if not self._heads:
                break
            at = -self._heads.pop()[1]
            line = self._lines[at]
            row, additions = line.take()
            yield from self._queue(at)
            found = yield from self._fitting(line, row, additions)
            if found is not None:
                if self._left is not None:
                    self._left -= 1
                return found
        return None

    def _queue(self, at: int) -> Steps[None]:
        """Put a line where its next checkpoint belongs; of equal ids, the first line's comes first."""
        assert self._lines is not None
        id = yield from self._lines[at].newest()
        if id is not None:
            insort(self._heads, (id, -at))

    def _fitting(self, line: _Line, row: Row, additions: list[Row]) -> Steps[CheckpointTuple | None]:
        gone = row.expires is not None and (
            yield from self._threads.expired(line.place.thread, line.namespace, row.expires)
        )
        if gone:
            return None
        return (yield from self._threads.settled(line.lineage, row, additions, partial(self._read, line)))

    def _read(self, line: _Line, row: Row, additions: Sequence[Row]) -> Steps[CheckpointTuple | None]:
        if self._filter:
            _, head = yield from line.lineage.head(line.lineage.parse(row))
            _, metadata = self._packing.read_head(str(row.sk), head)
            if any(field(metadata, name) != value for name, value in self._filter.items()):
                return None
        opened = yield from self._threads.open(line.lineage, row, additions)
        return self._threads.tuple(self._packing, opened, line.place, line.namespace)

    def _all_lines(self) -> Steps[list[_Line]]:
        found: list[tuple[Place, str]] = []
        if self._place is None:
            places = [Place(thread, None, None, thread) for thread in (yield from self._threads.all())]
        else:
            places = [self._place]
        for place in places:
            if place.namespace is not None:
                found.append((place, place.namespace))
            else:
                found.extend((place, namespace) for namespace in (yield from self._threads.namespaces(place.thread)))
        size = _PAGE if self._left is None else min(_PAGE, 2 + 2 * self._left)
        page = size if len(found) == 1 else min(size, _FEW)
        lineage = self._threads.lineage
        return [
            _Line(place, namespace, lineage(place.thread, namespace), self._before, page) for place, namespace in found
        ]
