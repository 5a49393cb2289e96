"""The most of a document that fits a budget: headings, then the lines and sentences that tell most for their tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..fitting import relevances
from ..kind import Brief
from ..parts import Novelty, Part, chunks

if TYPE_CHECKING:
    from .blocks import Block

DECLARATION = (
    r"(?:(?:export|default|public|private|protected|static|async|pub|abstract|final)[ \t]+){0,4}"
    r"(?:def|class|func|fn|function|interface|struct|enum|trait|impl|module|namespace|record)\b"
)
"""How a line of code starts that declares something."""
_DECLARES = re.compile(rf"[ \t]{{0,16}}(?:@\w|{DECLARATION})")
_FENCE = re.compile(r"[ \t]{0,12}(?:`{3,}|~{3,})")
_HEADING, _AGAIN = 4.0, 0.5
"""What a heading is worth, and one that was told before."""
_TROUBLE, _DECLARED, _TERM = 0.7, 0.7, 1.0
"""What is added for a sign of trouble, for a declaration in code, for a term that is explained."""
_SHARES = {"note": 2.0, "text": 1.0, "item": 1.0, "code": 1.5, "table": 1.0}
"""What a word of a block is worth that stands in none before."""
_NUMBERED = 2000
"""Tokens: a smaller budget has no room for the lines' numbers of headings."""


def parts(blocks: Sequence[Block], short: Sequence[str], brief: Brief, budget: int) -> Iterator[Part]:
    """Yield the lines of the shortened blocks, long ones in parts, with their ranks."""
    novelty = Novelty()
    told: set[str] = set()
    units = list(_units(blocks, short))
    for (block, text, place), found in zip(units, relevances([text for _, text, _ in units], brief), strict=True):
        if block.kind == "heading":
            numbered = f" L{block.first}" if budget >= _NUMBERED else ""
            novelty.of(text)
            rank = _AGAIN if text in told else _HEADING - block.level / 10
            told.add(text)
            yield Part(f"{'#' * block.level} {text}{numbered}", rank + found)
        else:
            yield Part(text, _rank(block, text, place == 0, novelty.of(text), found), place > 0)


def _units(blocks: Sequence[Block], short: Sequence[str]) -> Iterator[tuple[Block, str, int]]:
    """Headings and lines, long ones in parts, each with its block and its place in its line."""
    for block, text in zip(blocks, short, strict=True):
        if not text or block.kind == "extra":
            continue
        if block.kind == "heading":
            yield block, text, 0
            continue
        for line in text.split("\n"):
            if line.strip() == "…" or (block.kind == "code" and _FENCE.match(line)):
                continue
            for place, chunk in enumerate(chunks(line)):
                yield block, chunk, place


def _rank(block: Block, chunk: str, leads: bool, new: float, found: int) -> float:
    """What a line of a block tells, or a part of one."""
    rank = _SHARES[block.kind] * new + (_TROUBLE if found == 1 else found)
    if leads and new and block.kind == "code" and _DECLARES.match(chunk):
        rank += _DECLARED
    return rank + _TERM if leads and new and block.term else rank
