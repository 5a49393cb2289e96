"""LangGraph on one shared context: checkpoints, long-term memory and results of nodes."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cache import ContextCache as ContextCache
    from .saver import ContextSaver as ContextSaver
    from .store import ContextStore as ContextStore

_HOMES = {"ContextCache": "cache", "ContextSaver": "saver", "ContextStore": "store"}

__all__ = ["ContextCache", "ContextSaver", "ContextStore"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
