"""Identity and grants."""

from .grants import RIGHTS, Grants, Right

__all__ = ["RIGHTS", "Grants", "Right"]
