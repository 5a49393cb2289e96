"""LangChain over a shared context: tools, offloading of large tool results, a byte store and a cache of answers."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bytestore import ContextByteStore as ContextByteStore
    from .cache import ContextLLMCache as ContextLLMCache
    from .edit import ContextEdit as ContextEdit
    from .handoff import packet_handoff as packet_handoff
    from .offload import ContextOffloadMiddleware as ContextOffloadMiddleware
    from .tools import ContextTool as ContextTool
    from .tools import ContextToolkit as ContextToolkit

_HOMES = {
    "ContextByteStore": "bytestore",
    "ContextEdit": "edit",
    "ContextLLMCache": "cache",
    "ContextOffloadMiddleware": "offload",
    "ContextTool": "tools",
    "ContextToolkit": "tools",
    "packet_handoff": "handoff",
}

__all__ = [
    "ContextByteStore",
    "ContextEdit",
    "ContextLLMCache",
    "ContextOffloadMiddleware",
    "ContextTool",
    "ContextToolkit",
    "packet_handoff",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
