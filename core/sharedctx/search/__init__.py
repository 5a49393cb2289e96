"""Finding text by its words."""

from .fulltext import FullText, Match
from .passages import Passage, passages

__all__ = ["FullText", "Match", "Passage", "passages"]
