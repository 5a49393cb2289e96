"""A server of the Model Context Protocol over a shared context: tools, resources, and word of what changes."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .http import serve_http
    from .serving import server
    from .settings import McpSettings
    from .stdio import serve_stdio

_PLACES = {"McpSettings": "settings", "serve_http": "http", "serve_stdio": "stdio", "server": "serving"}

__all__ = ["McpSettings", "serve_http", "serve_stdio", "server"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line reads its command where the package mcp is not installed."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(f".{_PLACES[name]}", __name__), name)
