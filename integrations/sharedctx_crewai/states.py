"""Next states of records, and the changes that write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sharedctx.entries.together import Change
from sharedctx.search import Item


def removals(items: Iterable[Item], but: str | None = None) -> list[Change]:
    """Return the removals of entries, but of one key."""
    return [Change(item.key, gone=True, after=item.version) for item in items if item.key != but]


class State(NamedTuple):
    """A record's next state: its key, its JSON, its vector, its seconds to live, and where it lay before; in several
    places where processes saved the same id at the same time."""

    key: str
    data: dict[str, Any]
    vectors: Sequence[Sequence[float]]
    ttl: float | None
    old: Sequence[Item]

    @property
    def changes(self) -> list[Change]:
        """What is written: the record, and the removal of the one that lay elsewhere."""
        after = next((old.version for old in self.old if old.key == self.key), 0)
        return [Change(self.key, self.data, self.ttl, after=after), *removals(self.old, but=self.key)]

    @property
    def weight(self) -> int:
        """Roughly the bytes that a commit carries for it."""
        return len(self.data["content"]) * 4 + sum(map(len, self.vectors)) * 4 + 500
