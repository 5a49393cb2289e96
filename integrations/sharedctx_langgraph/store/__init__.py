"""Long-term memory: LangGraph's items as entries of a session."""

from .store import ContextStore

__all__ = ["ContextStore"]
