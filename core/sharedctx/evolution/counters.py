"""How often evolutions of a tenant were made, compared, exported and imported, over all processes."""

from __future__ import annotations

from contextlib import suppress

from ..backends import steps
from ..backends.steps import Steps
from ..errors import ConditionFailed, DecodeError, SharedContextError
from ..versions.collection import Collection

NAMES = ("contexts_created", "comparisons", "exports", "imports")


class Counters:
    """Counts in a space of their own."""

    def __init__(self, tenant: str) -> None:
        self._rows = Collection(f"evolutions-counted:{tenant}", "counts")

    def add(self, name: str) -> Steps[None]:
        """Count one more; a store that cannot be written goes on uncounted."""
        space = self._rows.space
        with suppress(SharedContextError):
            while True:
                rev = yield from steps.rev(space)
                count = yield from self._count(name)
                try:
                    yield from steps.commit(space, (self._rows.put(name, count + 1),), rev)
                    return
                except ConditionFailed:
                    continue

    def all(self) -> Steps[dict[str, int]]:
        """Return every count."""
        found = {}
        for name in NAMES:
            found[name] = yield from self._count(name)
        return found

    def _count(self, name: str) -> Steps[int]:
        try:
            return int((yield from self._rows.get(name)) or 0)
        except DecodeError:  # the doctor's to tell
            return 0
