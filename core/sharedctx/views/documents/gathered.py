"""The blocks of a long document that a small view may show, found before any is read closely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..kind import Brief
from .sentences import warning

if TYPE_CHECKING:
    from .blocks import Block

_ROOM = 15
"""Characters of blocks for each token of the budget: some times what fits."""
_LONGEST = 400
"""Characters of one block that are told at most, about."""


def enough(brief: Brief) -> float:
    """How many characters of a document are read; behind them headings alone."""
    return math.inf if brief.budget is None or brief.wanted else 2 * _ROOM * brief.budget


def gathered(blocks: Sequence[Block], brief: Brief, budget: int) -> Sequence[Block]:
    """Return the headings, what stands first, what stands right below headings, what may warn and what has words of the
    query; all blocks where they are few for the budget."""
    sizes = [min(len(block.text), _LONGEST) for block in blocks]
    room = _ROOM * budget
    if sum(sizes) <= 2 * room:
        return blocks
    chosen = {at for at, block in enumerate(blocks) if block.kind == "heading"}
    others = [at for at, block in enumerate(blocks) if block.kind not in ("heading", "extra")]
    if brief.wanted:
        lows = [(at, blocks[at].text.lower()) for at in others]
        chosen.update(at for at, low in lows if any(word in low for word in brief.wanted))
    below: dict[int, int] = {}
    since = 0
    for at, block in enumerate(blocks):
        since = 0 if block.kind == "heading" else since + 1
        below[at] = since
    warns = [others[place] for place in sorted(warning([blocks[at].text for at in others]))]
    for order, share in ((others, 0.4), (sorted(others, key=below.__getitem__), 0.4), (warns, 0.2)):
        left = share * room
        for at in order:
            if at in chosen:
                continue
            left -= sizes[at]
            if left < 0:
                break
            chosen.add(at)
    return [blocks[at] for at in sorted(chosen)]
