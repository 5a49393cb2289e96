"""How long one connection may keep a server waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Patience:
    """Calls ``ended`` when what a connection owes has not come ``seconds`` after ``begin``.

    ``due`` is when that is, by the loop's clock; None while nothing is owed. One alarm serves many requests, each of
    which would pay as much for its own as for a parser.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, ended: Callable[[], None]) -> None:
        self.due: float | None = None
        self._loop = loop
        self._seconds = seconds
        self._ended = ended
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Wait from now on."""
        self.due = self._loop.time() + self._seconds
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._seconds, self._ring)

    def close(self) -> None:
        """Wait no more, for good."""
        self.due = None
        if self._alarm is not None:
            self._alarm.cancel()

    def _ring(self) -> None:
        self._alarm = None
        if self.due is None:
            return
        left = self.due - self._loop.time()
        if left > 0:
            self._alarm = self._loop.call_later(left, self._ring)
        else:
            self._ended()
