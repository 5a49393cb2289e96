"""The OpenAI Agents SDK over a shared context: hand-offs, growing inputs, sessions, tools and interrupted runs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .filters import ContextHandoffFilter as ContextHandoffFilter
    from .filters import ContextInputFilter as ContextInputFilter
    from .packets import PacketHandoffFilter as PacketHandoffFilter
    from .runs import load_state as load_state
    from .runs import save_state as save_state
    from .session import ContextSession as ContextSession
    from .tools import context_tools as context_tools
    from .tools import offload_tool as offload_tool

_HOMES = {
    "ContextHandoffFilter": "filters",
    "ContextInputFilter": "filters",
    "ContextSession": "session",
    "PacketHandoffFilter": "packets",
    "context_tools": "tools",
    "load_state": "runs",
    "offload_tool": "tools",
    "save_state": "runs",
}

__all__ = [
    "ContextHandoffFilter",
    "ContextInputFilter",
    "ContextSession",
    "PacketHandoffFilter",
    "context_tools",
    "load_state",
    "offload_tool",
    "save_state",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
