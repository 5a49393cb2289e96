"""LangGraph on one shared context: a checkpointer whose threads cost what changed in them."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .saver import ContextSaver as ContextSaver

_HOMES = {"ContextSaver": "saver"}

__all__ = ["ContextSaver"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
