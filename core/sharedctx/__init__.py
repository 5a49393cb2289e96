"""One durable, versioned, compressed context that agents of every framework share."""

from typing import TYPE_CHECKING, Any

from .audit import AuditHead, AuditRecord
from .backends.keyring import Keyring
from .context import SharedContext
from .entry import ContextEntry, Event, Evicted, Hit, Stats
from .errors import SharedContextError
from .settings import SessionSettings
from .snapshot import Snapshot
from .store import Store, open

if TYPE_CHECKING:
    from .aio import AsyncSharedContext

__all__ = [
    "AsyncSharedContext",
    "AuditHead",
    "AuditRecord",
    "ContextEntry",
    "Event",
    "Evicted",
    "Hit",
    "Keyring",
    "SessionSettings",
    "SharedContext",
    "SharedContextError",
    "Snapshot",
    "Stats",
    "Store",
    "open",
]


def __getattr__(name: str) -> Any:
    if name == "AsyncSharedContext":  # brings asyncio, which threads do not need
        from .aio import AsyncSharedContext

        return AsyncSharedContext
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
