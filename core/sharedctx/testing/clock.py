"""A clock that moves when a test says so."""

from __future__ import annotations


class ManualClock:
    """Seconds since the epoch that stand still; give it as the ``clock`` of a backend."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self._time = start

    def __call__(self) -> float:
        return self._time

    def advance(self, seconds: float) -> None:
        """Move by ``seconds``; a negative number moves back, as a corrected wall clock does."""
        self._time += seconds

    def set(self, time: float) -> None:
        """Move to ``time``, which may lie in the past."""
        self._time = time


__all__ = ["ManualClock"]
