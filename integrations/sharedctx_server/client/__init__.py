"""The asynchronous client of the context server."""

from .client import ContextClient

__all__ = ["ContextClient"]
