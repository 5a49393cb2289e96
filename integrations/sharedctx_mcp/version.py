"""Our version, and which of the SDK's is installed."""

from __future__ import annotations

from importlib.metadata import version

from sharedctx.extras import extra

with extra("mcp", "the MCP server"):
    import mcp  # noqa: F401

VERSION = version("sharedctx")
SDK = int(version("mcp").partition(".")[0])
