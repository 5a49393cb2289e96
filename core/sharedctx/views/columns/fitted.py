"""The most of a JSON value's standard view that fits a budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..kind import Brief, Draft, Source
from .least import least
from .legend import legend
from .outline import outline
from .packing import pack_value
from .planner import Planner
from .pool import Pool
from .shortening import Limits, ShortWriter, Unit
from .thinned import thinned

_TRIES = 8
_LEAST_SCALE, _MOST_SCALE = 0.3, 4.0
_HOPELESS = 12
_SURELY = 3.2
"""Characters for one token: what has more of them at the least is not tried."""
_TIGHT = 600
"""Tokens: a smaller budget has room for a brief legend only."""
_FULL = 0.9
"""A draft that uses this share of a budget is good enough."""
_ROWS = 0.75
"""The share of a budget that the rows of one table may take at first."""


def shorten_value(
    name: str,
    what: str,
    value: Any,
    source: Source,
    brief: Brief,
    limits: Limits,
    unit: Unit | None = None,
    alone: bool = False,
    writer: Callable[..., ShortWriter] = ShortWriter,
) -> Draft | None:
    """The standard view of a value that was read in a source, within the brief's budget where that can be done; None
    for what is no JSON."""
    try:
        budget = brief.budget
        tight = budget is not None and budget < _TIGHT
        if budget is not None and least(value, _SURELY * budget) > _SURELY * budget:
            return outline(name, value, source.text, brief)
        few = thinned(value, brief.wanted, budget, alone) if budget is not None and tight else None
        if few is not None:
            shown, pool, planner = few.rows, few.pool, few.planner
        else:
            shown, pool = value, source.pool if value is source.value else Pool(value)
            planner = Planner(pool, False)
        room = math.inf if budget is None else _ROWS * budget
        scale, fits, fails = 1.0, 0.0, 0.0
        best: tuple[int, Draft] | None = None
        for _ in range(_TRIES):
            own = writer(pool, planner, brief, limits.scaled(min(scale, 1.0), room * max(scale, 1.0)), unit, alone)
            body = own.finish(own.value(shown, 0))
            draft = Draft(f"{legend(name, what, own.used, tight)}\n{body}", "columns", tuple(own.refs))
            if not own.refs and few is None:
                draft = Draft(pack_value(name, what, value, alone, pool) or draft.text, "columns")
            if budget is None:
                return draft
            tokens = brief.count(draft.text)
            if tokens > budget:
                fails = scale
                if best is None and (scale < _LEAST_SCALE or tokens > _HOPELESS * budget):
                    break
            elif best is not None and tokens <= best[0]:
                break  # there is no more to be shown
            else:
                best, fits = (tokens, draft), scale
                if tokens >= _FULL * budget or scale > _MOST_SCALE:
                    break
            if best is None:
                scale *= max(min(0.85 * budget / tokens, 0.7), 0.15)
            else:
                scale = (fits + fails) / 2 if fails else scale * max(min(0.9 * budget / tokens, 3.0), 1.3)
        if best is not None:
            return best[1]
        return outline(name, value, source.text, brief)
    except (TypeError, ValueError, RecursionError):
        return None
