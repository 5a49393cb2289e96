"""Identity, grants and patterns."""

from .grants import RIGHTS, Grants, Right
from .patterns import check_patterns, matches
from .reach import Reach

__all__ = ["RIGHTS", "Grants", "Reach", "Right", "check_patterns", "matches"]
