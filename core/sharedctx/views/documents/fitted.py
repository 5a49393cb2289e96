"""The most of a document that fits a budget: headings, then the lines and sentences that tell most for their tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..fitting import relevance
from ..kind import Brief
from ..parts import Novelty, Part, chunks

if TYPE_CHECKING:
    from .blocks import Block

_HEADING = 4.0
_SHARES = {"note": 2.0, "text": 1.0, "item": 1.0, "code": 1.5, "table": 1.0}
"""What a word of a block is worth that stands in none before."""
_NUMBERED = 2000
"""Tokens: a smaller budget has no room for the lines' numbers of headings."""


def parts(blocks: Sequence[Block], short: Sequence[str], brief: Brief, budget: int) -> Iterator[Part]:
    """Yield the lines of the shortened blocks, long ones in parts, with their ranks."""
    novelty = Novelty()
    for block, text in zip(blocks, short, strict=True):
        if not text or block.kind == "extra":
            continue
        if block.kind == "heading":
            numbered = f" L{block.first}" if budget >= _NUMBERED else ""
            novelty.of(text)
            rank = _HEADING - block.level / 10 + relevance(text, brief)
            yield Part(f"{'#' * block.level} {text}{numbered}", rank)
            continue
        for line in text.split("\n"):
            for number, chunk in enumerate(chunks(line) if line.strip() != "…" else ()):
                rank = _SHARES[block.kind] * novelty.of(chunk) + relevance(chunk, brief)
                yield Part(chunk, rank, number > 0)
