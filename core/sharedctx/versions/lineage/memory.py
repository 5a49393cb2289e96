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
_HEADS = 512
_ON_THE_WAY = 64
_MUCH = 1 << 16
_LARGE = 1 << 20

At = tuple[str, str, str]
ContentKey = tuple[str, int, str]
Head = tuple[dict[str, list[str]], bytes]
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
        self._heads: dict[tuple[At, int], Head] = {}
        self._laid: dict[ContentKey, Laid] = {}
        self._bytes = self._added = 0
        self._lock = Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep nothing: a thread of the parent may have been at it."""
        self._lock = Lock()
        self._rows, self._additions = OrderedDict(), OrderedDict()
        self._bytes = self._added = 0
        self._heads = {}
        self._laid = {}

    def row(self, at: At) -> StateRow | None:
        """The state that was last read or written there."""
        with self._lock:
            found = self._rows.get(at)
            if found is not None:
                self._rows.move_to_end(at)
            return found

    def keep(self, at: At, row: StateRow) -> None:
        """Keep a state."""
        with self._lock:
            if (old := self._rows.pop(at, None)) is not None:
                self._bytes -= len(old.sealed) + _OVERHEAD
            self._rows[at] = row
            self._bytes += len(row.sealed) + _OVERHEAD
            while self._bytes > _ROOM and len(self._rows) > 1:
                _, gone = self._rows.popitem(last=False)
                self._bytes -= len(gone.sealed) + _OVERHEAD

    def written(self, at: At, row: StateRow, rev: int) -> None:
        """What is kept was written by the commit of that revision, if it is still this."""
        with self._lock:
            if self._rows.get(at) is row:
                self._rows[at] = row._replace(rev=rev)

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

    def keep_first(self, at: At) -> None:
        """A state was written; unless more is known, it has no additions."""
        with self._lock:
            if at not in self._additions:
                self._additions[at] = []
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
        while len(self._additions) > 256 or (self._added > _ROOM and len(self._additions) > 1):
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

    def head(self, at: At, stamp: int) -> Head | None:
        """The table and head that were read from the piece of that stamp."""
        return self._heads.get((at, stamp))

    def keep_head(self, at: At, stamp: int, head: Head) -> None:
        """Keep a table and head, which nobody changes, unless it is large; of many, all are forgotten at once."""
        if len(head[1]) > _MUCH:
            return
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        self._heads[at, stamp] = head

    def doubt(self) -> None:
        """Forget all states and additions: what they build on was not there, so other processes changed some."""
        with self._lock:
            self._rows, self._additions = OrderedDict(), OrderedDict()
            self._bytes = self._added = 0

    def forget(self, at: At) -> None:
        """Another writer was there, or it is gone."""
        with self._lock:
            if (old := self._rows.pop(at, None)) is not None:
                self._bytes -= len(old.sealed) + _OVERHEAD
            self._part(at)

    def clear(self) -> None:
        """Forget everything."""
        self.after_fork()


def _weight(additions: list[Kept]) -> int:
    return sum([len(row) + len(content) for row, content, _ in additions])
