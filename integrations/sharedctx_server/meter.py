"""What a server has done since it started, in plain numbers."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

_WINDOW = 300.0


@dataclass
class Meter:
    """Counters of one server. ``lag`` is seconds from the last told version's commit until it was told here."""

    requests: int = 0
    reads: int = 0
    cache_hits: int = 0
    writes: int = 0
    conflicts: int = 0
    refused: int = 0
    errors: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    bytes_saved: int = 0
    tokens_saved: int = 0
    connections: int = 0
    deliveries: int = 0
    dropped: int = 0
    swept: int = 0
    lag: float = 0.0
    started: float = field(default_factory=time.monotonic)
    lost: deque[float] = field(default_factory=deque)

    def told(self, subscribers: int, committed: float) -> None:
        """Count a version that was told to subscribers."""
        self.deliveries += subscribers
        self.lag = max(time.time() - committed, 0.0)

    def lose(self) -> None:
        """Count a subscriber that went without saying so."""
        self.lost.append(time.monotonic())

    def recently_lost(self) -> int:
        """How many subscribers went without saying so in the last five minutes and may want to be back."""
        while self.lost and self.lost[0] < time.monotonic() - _WINDOW:
            self.lost.popleft()
        return len(self.lost)

    def found(self) -> None:
        """Count a subscriber that came, perhaps one that was lost."""
        if self.lost:
            self.lost.popleft()

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started
