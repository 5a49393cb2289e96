"""One durable, versioned, compressed context that agents of every framework share."""

from .aio import AsyncSharedContext
from .context import SharedContext, Snapshot
from .entry import ContextEntry, Event, Evicted, Stats
from .errors import SharedContextError
from .settings import SessionSettings
from .store import Store, open

__all__ = [
    "AsyncSharedContext",
    "ContextEntry",
    "Event",
    "Evicted",
    "SessionSettings",
    "SharedContext",
    "SharedContextError",
    "Snapshot",
    "Stats",
    "Store",
    "open",
]
