"""LangGraph on one shared context: a checkpointer, a store and a cache over the same opened store."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .saver import ContextSaver as ContextSaver

_HOMES = {"ContextSaver": "saver", "ContextStore": "store", "ContextCache": "cache"}

__all__ = ["ContextCache", "ContextSaver", "ContextStore"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
