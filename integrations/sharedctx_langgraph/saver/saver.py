"""``ContextSaver``: LangGraph's checkpointer over a shared context store."""

from __future__ import annotations

from sharedctx.extras import extra

with extra("langgraph", "ContextSaver"):
    from langgraph.checkpoint.base import BaseCheckpointSaver


class ContextSaver(BaseCheckpointSaver[str]):
    """Saves checkpoints and their writes, for threads and event loops alike."""
