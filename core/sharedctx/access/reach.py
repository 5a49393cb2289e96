"""Who may read and write one note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .patterns import matches


class Reach(NamedTuple):
    """Patterns of the participants that may read and write one key; everybody where nothing was said."""

    readable_by: tuple[str, ...] = ("*",)
    writable_by: tuple[str, ...] = ("*",)

    def allows(self, participant: str, *, write: bool) -> bool:
        """Whether the participant may write, or read."""
        return any(matches(pattern, participant) for pattern in (self.writable_by if write else self.readable_by))

    @staticmethod
    def load(found: Mapping[str, Sequence[str]]) -> Reach:
        """Make the reach whose ``_asdict`` was stored as JSON."""
        return Reach(tuple(found["readable_by"]), tuple(found["writable_by"]))
