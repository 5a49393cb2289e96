"""The evolution store that everything in a process shares."""

from __future__ import annotations

import threading

from .store import EvolutionStore


class _Shared:
    def __init__(self) -> None:
        self.store: EvolutionStore | None = None
        self.lock = threading.Lock()

    def get(self) -> EvolutionStore:
        with self.lock:
            if self.store is None or self.store.closed:
                self.store = EvolutionStore()
            return self.store


_shared = _Shared()


def get_context_store() -> EvolutionStore:
    """Return the process-wide store, opened on first use by the environment's settings, and anew after a close."""
    return _shared.get()
