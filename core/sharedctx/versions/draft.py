"""What is to become a version."""

from __future__ import annotations

from typing import NamedTuple

from . import codec
from .codec import Kind

DELTA_FROM = 4096
"""Bytes from which a version is stored as the difference from an earlier one."""


class Draft(NamedTuple):
    """What is to become a version. ``sha256`` is that of the original, where it was taken, and where it is ``hashed``
    that of the content; without ``compress`` the content is stored as it is; ``whole`` versions are never differences,
    so that older ones may go at any time."""

    kind: Kind
    content: bytes
    agent: str = ""
    note: str = ""
    sha256: bytes | None = None
    expires: float | None = None
    compress: bool = True
    whole: bool = False
    hashed: bool = False

    def encode(self, bound: bytes, timestamp: float, base: tuple[int, bytes] | None) -> tuple[bytes, codec.Blob]:
        """Return the version's blob and header; ``bound`` and ``base`` are those of ``codec.encode``."""
        return codec.encode(
            bound,
            self.kind,
            self.content,
            timestamp=timestamp,
            agent=self.agent,
            note=self.note,
            sha256=self.sha256,
            base=base,
            compress=self.compress,
            hashed=self.hashed,
        )
