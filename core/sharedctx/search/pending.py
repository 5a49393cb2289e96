"""Packs between their making and their commit, so that who wrote one need not read it again."""

from __future__ import annotations

from typing import Final

from .packs import Pack

_MOST: Final = 64


class Pending:
    """The latest packs that were made here, with their bytes at rest. Not locked."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Pack]] = {}

    def add(self, sk: str, size: int, pack: Pack) -> None:
        """Remember a pack of ``size`` bytes; the oldest are forgotten, whose commits may have failed."""
        if len(self._held) >= _MOST:
            del self._held[next(iter(self._held))]
        self._held[sk] = size, pack

    def take(self, sk: str) -> tuple[int, Pack] | None:
        """Return a pack and forget it; None where it is not remembered."""
        return self._held.pop(sk, None)
