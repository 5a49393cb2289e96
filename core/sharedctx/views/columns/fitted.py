"""The most of a JSON value's standard view that fits a budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..kind import Brief, Draft
from .legend import legend
from .outline import outline
from .packing import pack_value
from .planner import Planner
from .pool import Pool
from .shortening import Limits, ShortWriter, Unit

_TRIES = 8
_LEAST_SCALE, _MOST_SCALE = 0.3, 4.0
_HOPELESS = 12
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
    brief: Brief,
    limits: Limits,
    unit: Unit | None = None,
    alone: bool = False,
    writer: Callable[..., ShortWriter] = ShortWriter,
    pool: Pool | None = None,
) -> Draft | None:
    """The standard view of a value, within the brief's budget where that can be done; None for what is no JSON.
    ``pool``: that of the value, if there is one already."""
    try:
        pool = pool or Pool(value)
        planner = Planner(pool, False)
        budget = brief.budget
        tight = budget is not None and budget < _TIGHT
        room = math.inf if budget is None else _ROWS * budget
        scale, fits, fails = 1.0, 0.0, 0.0
        best: tuple[int, Draft] | None = None
        for _ in range(_TRIES):
            own = writer(pool, planner, brief, limits.scaled(min(scale, 1.0), room * max(scale, 1.0)), unit, alone)
            body = own.finish(own.value(value, 0))
            draft = Draft(f"{legend(name, what, own.used, tight)}\n{body}", "columns", tuple(own.refs))
            if not own.refs:
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
        return outline(name, value, pool, brief)
    except (TypeError, ValueError, RecursionError):
        return None
