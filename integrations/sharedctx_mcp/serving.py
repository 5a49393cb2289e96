"""Servers over a context: the SDK's own object, for any of its transports."""

from __future__ import annotations

from typing import Any

from sharedctx.context import SharedContext
from sharedctx.errors import ConfigError

from .service import Service
from .settings import McpSettings
from .version import SDK


def server(context: SharedContext, settings: McpSettings | None = None) -> Any:
    """Return the SDK's low-level ``Server`` over a context, of whichever version is installed.

    A bound context speaks for its participant; else each client acts as its token's, or as what it calls itself.
    The store stays with its opener. Raises ``ConfigError`` for a version of the SDK that is not known.
    """
    service = Service(context, settings or McpSettings())
    if SDK == 1:
        from .first import ContextServer

        return ContextServer(service)
    if SDK == 2:
        from .second import ContextServer as Second

        return Second(service)
    raise ConfigError(f"version {SDK} of the package mcp is not known: pip install 'sharedctx[mcp]'")
