"""What was read of versions, kept in memory while there is room."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

from ..forking import renew_after_fork
from .codec import Blob

_SMALL = 2048
_HEADERS = 8192


class Version(NamedTuple):
    """One version: where it stands, when and by whom it was written, and its header."""

    pk: str
    number: int
    rev: int
    expires: float | None
    blob: Blob


class ContentCache:
    """What was read by (space, revision, key), shared by a store's threads: decoded contents, least recently used out
    first, and headers of small rows, each with the row that it was parsed from."""

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self.headers: dict[tuple[str, int, str], tuple[bytes, Version]] = {}
        self._newest: dict[tuple[str, str], tuple[int, bool, int]] = {}
        self.configured: dict[str, tuple[float, Any]] = {}
        """Stored settings by space, with the monotonic time until which they count as read."""
        self._limit = limit
        self._held: OrderedDict[tuple[str, int, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep nothing: a thread of the parent may have been at it."""
        self._lock = Lock()
        self._held = OrderedDict()
        self._bytes = 0

    def remember(self, at: tuple[str, int, str], row: bytes, version: Version) -> None:
        """Keep the header of a small row, and which version is the newest seen; of thousands, all are forgotten at
        once."""
        if len(row) <= _SMALL:
            if len(self.headers) >= _HEADERS:
                self.headers.clear()
            self.headers[at] = (row, version)
        key, number = (at[0], at[2]), version.number
        held = self._newest.get(key)
        if held is None or held[0] <= number:
            if held is None and len(self._newest) >= _HEADERS:
                self._newest.clear()
            self._newest[key] = (number, version.expires is None and version.blob.live, version.rev)

    def forget(self, space: str) -> None:
        """Forget the settings of a space that was removed, and which versions its keys had: a new one counts anew."""
        self.configured.pop(space, None)
        with self._lock:
            self._newest = {key: seen for key, seen in self._newest.copy().items() if key[0] != space}

    def last(self, space: str, pk: str) -> int | None:
        """The number of the newest version that was seen of a key, dead or alive."""
        held = self._newest.get((space, pk))
        return None if held is None else held[0]

    def was_live(self, space: str, pk: str, number: int) -> int | None:
        """The revision of this version if it is the newest that was seen of a key, a value, and for ever: live unless
        there is a newer one by now."""
        held = self._newest.get((space, pk))
        return held[2] if held is not None and held[:2] == (number, True) and held[2] > 0 else None

    def get(self, key: tuple[str, int, str]) -> bytes | None:
        """Return the content, or None."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: tuple[str, int, str], content: bytes) -> None:
        """Keep a content; one above a quarter of the cache is not kept."""
        if len(content) > self._limit // 4:
            return
        with self._lock:
            if (old := self._held.pop(key, None)) is not None:
                self._bytes -= len(old)
            self._held[key] = content
            self._bytes += len(content)
            while self._bytes > self._limit:
                _, gone = self._held.popitem(last=False)
                self._bytes -= len(gone)
