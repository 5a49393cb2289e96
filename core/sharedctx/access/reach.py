"""Who may read and write one note."""

from __future__ import annotations

import json
from typing import NamedTuple

from .patterns import matches


class Reach(NamedTuple):
    """Patterns of the participants that may read and write one key; everybody where nothing was said."""

    readable_by: tuple[str, ...] = ("*",)
    writable_by: tuple[str, ...] = ("*",)

    def allows(self, participant: str, *, write: bool) -> bool:
        """Whether the participant may write, or read."""
        return any(matches(pattern, participant) for pattern in (self.writable_by if write else self.readable_by))

    def dump(self) -> bytes:
        """The patterns as JSON."""
        return json.dumps(self._asdict()).encode()

    @staticmethod
    def load(data: bytes) -> Reach:
        """Read what ``dump`` wrote."""
        found = json.loads(data)
        return Reach(tuple(found["readable_by"]), tuple(found["writable_by"]))
