"""The hashes of large texts that are met again and again, as in the history of a run."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from ..forking import renew_after_fork

_CHARACTERS = 16 * 2**20


class Digests:
    """Knows the latest texts by their hashes, up to so many characters together; thread-safe.

    A text is found by what it says, never by where it lies: Python keeps its own hash of a text with it, and compares.
    """

    def __init__(self, most: int = _CHARACTERS) -> None:
        self._most = most
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock."""
        self._lock = threading.Lock()
        self._known: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def known(self, text: str) -> str | None:
        """Return what ``of`` does for a text that is known, and for another None."""
        with self._lock:
            found = self._known.get(text)
            if found is not None:
                self._known.move_to_end(text)
            return found

    def of(self, text: str) -> str:
        """Return the sha256 of the text in UTF-8, in hexadecimal digits."""
        found = self.known(text)
        if found is None:
            found = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            with self._lock:
                if text not in self._known:
                    self._known[text] = found
                    self._size += len(text)
                while self._size > self._most:
                    gone, _ = self._known.popitem(last=False)
                    self._size -= len(gone)
        return found


DIGESTS = Digests()
"""Those of this process."""
