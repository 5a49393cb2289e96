"""CrewAI on a shared store: memory, knowledge, flow states, checkpoints and hand-overs. Imports crewai on first use."""

from importlib import import_module as _import
from typing import TYPE_CHECKING

from .former import RecordVersion
from .handoff import Handoffs, compress_handoffs
from .installing import Installed, install
from .memory import ContextMemory

if TYPE_CHECKING:
    from .checkpoints import ContextCheckpoints
    from .flows import ContextFlowPersistence
    from .knowledge import ContextKnowledge
    from .tools import ContextTools

__all__ = [
    "ContextCheckpoints",
    "ContextFlowPersistence",
    "ContextKnowledge",
    "ContextMemory",
    "ContextTools",
    "Handoffs",
    "Installed",
    "RecordVersion",
    "compress_handoffs",
    "install",
]

_LATE = {
    "ContextCheckpoints": "checkpoints",
    "ContextFlowPersistence": "flows",
    "ContextKnowledge": "knowledge",
    "ContextTools": "tools",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import(f"{__name__}.{_LATE[name]}"), name)
