"""Collection rows that are read often: kept until the change feed says that they are others."""

from __future__ import annotations

import threading
from typing import Any, Final

from ..backends import steps
from ..backends.steps import Steps
from ..forking import renew_after_fork
from ..versions.collection import Collection

_MOST: Final = 20_000


class Remembered:
    """What rows of a partition hold; who follows the feed says which to ``forget``."""

    def __init__(self, space: str, pk: str) -> None:
        self._rows = Collection(space, pk)
        self._known: dict[str, Any] = {}
        self._any: bool | None = None
        self._turn = 0
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """A thread of the parent may have been at it."""
        self._lock = threading.Lock()

    def get(self, sk: str) -> Steps[Any]:
        """Return what a row holds as of what was last forgotten, None where there is none; raises ``DecodeError``."""
        known = self._known.get(sk, self)
        if known is not self:
            return known
        turn = self._turn
        if self._any is None:  # where there is no row at all, none is looked for
            there = bool((yield from steps.scan(self._rows.space, self._rows.pk, "", limit=1)))
            with self._lock:
                if turn == self._turn:
                    self._any = there
        if self._any is False:
            return None
        found = yield from self._rows.get(sk)
        with self._lock:
            if turn == self._turn:  # else it may have changed since it was read
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[sk] = found
        return found

    def forget(self, sk: str | None = None) -> None:
        """Forget a row, or all."""
        with self._lock:
            self._turn += 1
            self._any = None
            if sk is None:
                self._known.clear()
            else:
                self._known.pop(sk, None)
