"""Pieces made of contents: by themselves, or as their difference from another."""

from __future__ import annotations

from typing import Final

from ..delta import deflate, difference
from .rows import DELTA, RAW, WHOLE, Piece, Ref, stamp

RAW_BELOW: Final = 64
SMALL: Final = 2048


def plain(content: bytes) -> Piece:
    """Return a piece that builds on nothing."""
    payload = content if len(content) < RAW_BELOW else deflate(content)
    kind = RAW if len(content) < RAW_BELOW else WHOLE
    return Piece(kind, len(content), stamp(payload, None), payload)


def against(content: bytes, base: bytes, ref: Ref, step: int, also: bytes, count: int) -> Piece:
    """Return a piece that builds on another, or a plain one where that is hardly larger."""
    payload = difference(content, base, also)
    if len(content) >= SMALL and len(payload) * 4 > len(content):
        piece = plain(content)
        if len(piece.payload) < len(payload) * 1.2:
            return piece
    return Piece(DELTA, len(content), stamp(payload, ref), payload, step, ref, count if also else 0)
