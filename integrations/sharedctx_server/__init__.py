"""A server of shared contexts: projects over HTTP, WebSockets and server-sent events, on any store."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .application import app
    from .client import ContextClient
    from .running import serve
    from .settings import ServerSettings

_PLACES = {"ContextClient": "client", "ServerSettings": "settings", "app": "application", "serve": "running"}

__all__ = ["ContextClient", "ServerSettings", "app", "serve"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line reads its commands where the server's packages are not installed."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sharedctx.extras import extra

    with extra("server", "the context server"):
        return getattr(_import_module(f".{_PLACES[name]}", __name__), name)
