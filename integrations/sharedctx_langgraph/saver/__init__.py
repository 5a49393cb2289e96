"""The checkpointer: LangGraph's checkpoints and writes as rows of a thread's space."""

from .saver import ContextSaver

__all__ = ["ContextSaver"]
