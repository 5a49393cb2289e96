"""Identity and grants."""

from .grants import RIGHTS, Grants, Right, matches

__all__ = ["RIGHTS", "Grants", "Right", "matches"]
