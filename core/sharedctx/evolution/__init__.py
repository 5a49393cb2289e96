"""Evolution contexts: what a team of agents knows while it improves something, phase by phase."""

from .context import EvolutionContext
from .engine import EvolutionConfig, EvolutionEngine
from .live import Update
from .shared import get_context_store
from .store import EvolutionStore

__all__ = [
    "EvolutionConfig",
    "EvolutionContext",
    "EvolutionEngine",
    "EvolutionStore",
    "Update",
    "get_context_store",
]
