"""What was read or written of lineages, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from ...forking import renew_after_fork
from ..cache import ContentCache
from ..delta import Laid
from .rows import StateRow

_ROOM = 16 * 2**20
_OVERHEAD = 600
_ON_THE_WAY = 64
_MOST_STATES = 2048
_MUCH = 1 << 16
_LARGE = 1 << 20

At = tuple[str, str, str]
ContentKey = tuple[str, int, str]
Kept = tuple[bytes, bytes, int | None]
"""An addition's row, its content, and the revision that wrote it, None while it is being written."""


class LineageMemory:
    """Rows and additions by (space, partition, id), least recently used out first; contents go to the store's cache.

    What is kept may be outdated by other processes: whoever relies on it for writing names it as a condition.
    """

    def __init__(self, contents: ContentCache) -> None:
        self.contents = contents
        self._rows: OrderedDict[At, StateRow] = OrderedDict()
        self._additions: OrderedDict[At, list[Kept]] = OrderedDict()
        self._laid: dict[ContentKey, Laid] = {}
        self._bytes = self._added = 0
        self._lock = Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep nothing: a thread of the parent may have been at it."""
        self._lock = Lock()
        self._rows, self._additions = OrderedDict(), OrderedDict()
        self._bytes = self._added = 0
        self._laid = {}

    def row(self, at: At) -> StateRow | None:
        """The state that was last read or written there."""
        with self._lock:
            found = self._rows.get(at)
            if found is not None:
                self._rows.move_to_end(at)
            return found

    def keep(self, at: At, row: StateRow, *, first: bool = False) -> None:
        """Keep a state; of one that is the ``first`` of its id, unless more is known, there are no additions."""
        with self._lock:
            if (old := self._rows.pop(at, None)) is not None:
                self._bytes -= _size(old)
            self._rows[at] = row
            self._bytes += _size(row)
            while self._bytes > _ROOM and len(self._rows) > 1:
                self._bytes -= _size(self._rows.popitem(last=False)[1])
            if first and at not in self._additions:
                self._additions[at] = []
                self._make_room()

    def additions(self, at: At) -> list[Kept] | None:
        """All additions to that state that were known, in order; None when they were not read."""
        with self._lock:
            found = self._additions.get(at)
            return None if found is None else list(found)

    def keep_additions(self, at: At, additions: list[Kept]) -> None:
        """Keep the additions to a state, all of them."""
        with self._lock:
            self._part(at)
            self._additions[at] = additions
            self._added += _weight(additions)
            self._make_room()

    def add(self, at: At, addition: Kept, number: int) -> None:
        """One more addition was written; what was known without a gap stays known."""
        with self._lock:
            known = self._additions.get(at)
            if known is not None and len(known) == number:
                known.append(addition)
                self._added += _weight([addition])
                self._make_room()
            elif known is not None and len(known) < number:
                self._part(at)

    def _part(self, at: At) -> None:
        self._added -= _weight(self._additions.pop(at, []))

    def _make_room(self) -> None:
        while len(self._additions) > _MOST_STATES or (self._added > _ROOM and len(self._additions) > 1):
            _, gone = self._additions.popitem(last=False)
            self._added -= _weight(gone)

    def added(self, at: At, number: int, rev: int) -> None:
        """That addition was written by the commit of that revision."""
        with self._lock:
            known = self._additions.get(at)
            if known is not None and len(known) > number:
                known[number] = (*known[number][:2], rev)

    def laid(self, key: ContentKey) -> Laid | None:
        """A content on the way to another one that was read, not yet joined."""
        return self._laid.get(key)

    def lay(self, key: ContentKey, content: Laid) -> None:
        """Keep a content on the way to another, unless it is large or has much of its own; of many, all are forgotten
        at once."""
        if content.own > _MUCH or content.size > _LARGE:
            return
        if len(self._laid) >= _ON_THE_WAY:
            self._laid.clear()
        self._laid[key] = content

    def doubt(self) -> None:
        """Forget all states and additions: what they build on was not there, so other processes changed some."""
        with self._lock:
            self._rows, self._additions = OrderedDict(), OrderedDict()
            self._bytes = self._added = 0

    def forget(self, at: At) -> None:
        """Another writer was there, or it is gone."""
        with self._lock:
            if (old := self._rows.pop(at, None)) is not None:
                self._bytes -= _size(old)
            self._part(at)

    def clear(self) -> None:
        """Forget everything."""
        self.after_fork()


def _size(row: StateRow) -> int:
    """A state's bytes, with those of its head as it is stored, unpacked and taken apart."""
    return len(row.sealed) + 3 * row.head.size + _OVERHEAD


def _weight(additions: list[Kept]) -> int:
    return sum([len(row) + len(content) for row, content, _ in additions])
