"""Finding entries: text by its words, vectors by their nearness."""

from .fulltext import FullText, Match
from .indexes import index
from .packs import Entry, Item
from .passages import Passage, passages
from .slots import Nearest, Where
from .vectors import Vectors

__all__ = ["Entry", "FullText", "Item", "Match", "Nearest", "Passage", "Vectors", "Where", "index", "passages"]
