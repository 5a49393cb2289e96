"""CrewAI on a shared store."""

from .former import RecordVersion
from .memory import ContextMemory

__all__ = ["ContextMemory", "RecordVersion"]
