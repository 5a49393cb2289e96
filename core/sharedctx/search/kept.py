"""Values of entries that are read often: kept until the change feed says that they are others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from ..forking import renew_after_fork

_MOST: Final = 16 * 2**20


class Kept:
    """What entries hold by key, the least recently used out first; whoever follows the feed says which to ``forget``.

    Nothing that expires is to be kept. Safe for threads.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._latest = 0
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep nothing: a thread of the parent may have been at it."""
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> Any:
        """Return what is kept of an entry, which is not to be changed; None where nothing is."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def keep(self, key: str, value: Any, size: int, rev: int) -> None:
        """Keep a value of about ``size`` bytes that was read at revision ``rev`` or later, unless something was
        forgotten of a later one."""
        if size > self._most // 4:
            return
        with self._lock:
            if rev < self._latest:
                return
            self._drop(key)
            self._held[key] = value, size
            self._bytes += size
            while self._bytes > self._most:
                self._drop(next(iter(self._held)))

    def forget(self, rev: int, key: str | None = None) -> None:
        """Forget an entry that was changed at this revision, or all."""
        with self._lock:
            self._latest = max(self._latest, rev)
            if key is not None:
                self._drop(key)
            else:
                self._held.clear()
                self._bytes = 0

    def _drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held[1]
