"""Entries written with vectors, as integrations write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sharedctx
from sharedctx.backends.base import Op
from sharedctx.backends.steps import Steps
from sharedctx.entries.together import Change
from sharedctx.search import Entry, Item, Vectors, Where

Vector = Sequence[float]


class Indexed:
    """A session's entries with an index of their vectors."""

    def __init__(self, ctx: sharedctx.SharedContext, name: str = "test") -> None:
        self.ctx = ctx
        self.index: Vectors = ctx.verbs.session.vectors(name, lambda item: [item.read_facts() or ""])

    def put(self, items: dict[str, Sequence[Vector]], facts: Any = None, ttl: float | None = None) -> None:
        """Write entries with their vectors in one commit."""
        changes = [Change(key, f"text of {key}", ttl) for key in items]
        expires = None if ttl is None else self.ctx.store.backend.now() + ttl

        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            pairs = zip(items.items(), numbers, strict=True)
            return (
                yield from self.index.write([Entry(key, n, vectors, facts, expires) for (key, vectors), n in pairs])
            )

        self.ctx.run(self.ctx.verbs.write_together(None, changes, "", tell))
        self.ctx.run(self.index.merge())

    def drop(self, *keys: str) -> None:
        """Remove entries with what the index knows of them."""

        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            return (yield from self.index.write(gone=list(zip(keys, numbers, strict=True))))

        self.ctx.run(self.ctx.verbs.write_together(None, [Change(key, gone=True) for key in keys], "", tell))
        self.ctx.run(self.index.merge())

    def search(
        self, vector: Vector, limit: int = 10, offset: int = 0, where: Where | None = None
    ) -> list[tuple[str, float]]:
        """Return keys and scores."""
        found = self.ctx.run(self.index.search(vector, limit, offset, where))
        return [(near.item.key, near.score) for near in found]

    def keys(self) -> list[str]:
        """Return the keys that the index knows, in order."""
        return sorted(item.key for item in self.ctx.run(self.index.items()))


class Of(str):
    """The filter for items whose fact this is."""

    judges = False

    @property
    def labels(self) -> list[list[str]]:
        return [[str(self)]]

    def __call__(self, item: Item) -> bool:
        return bool(item.read_facts() == self)
