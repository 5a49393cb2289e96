"""States that descend from each other, each stored as what it changed."""

from .lineage import Found, Lineage
from .memory import LineageMemory
from .rows import StateRow, split
from .thinning import Loss
from .writing import Part

__all__ = ["Found", "Lineage", "LineageMemory", "Loss", "Part", "StateRow", "split"]
