"""The lines of a text of no known kind that say most that is new, for a small budget."""

from __future__ import annotations

from collections.abc import Iterator

from .fitting import relevances
from .kind import Brief, Draft, Source
from .parts import Novelty, Part, chunks, fit

_LEAST = 40
"""Lines of a text that is worth it."""
_HEAD, _TAIL = 10, 3
_LOOKED = 400
"""Lines that are looked at, evenly taken, beside those that matter by their words."""
_FIRST, _LAST, _EARLY, _TROUBLE = 3.0, 2.0, 0.3, 0.7
"""What is added for the first line, the last, those near the first, and for a sign of trouble."""
_READ = 1000


def gist(source: Source, brief: Brief, budget: int) -> Draft | None:
    """Return the lines that tell most within the budget; None for a text of few lines."""
    lines = source.lines
    if len(lines) < _LEAST:
        return None
    found = relevances(lines, brief)
    step = max(len(lines) // _LOOKED, 1)
    looked = {*range(_HEAD), *range(0, len(lines), step), *range(len(lines) - _TAIL, len(lines))}
    looked.update([at for at, matters in enumerate(found) if matters][: 2 * _LOOKED])
    parts = list(_parts(lines, sorted(looked), found))
    return fit(parts, source.text, f"lines:1-{len(lines)}", brief, budget, "gist")


def _parts(lines: list[str], places: list[int], found: list[int]) -> Iterator[Part]:
    novelty = Novelty()
    last = max((at for at in places if lines[at].strip()), default=0)
    for at in places:
        matters = _TROUBLE if found[at] == 1 else found[at]
        placed = _FIRST * (at == 0) + _LAST * (at == last) + _EARLY * (0 < at < _HEAD)
        for number, chunk in enumerate(chunks(lines[at][:_READ])):
            new = novelty.of(chunk)
            rank = new + (0.0 if number else placed + (matters if new else 0.0))
            yield Part(chunk, rank, number > 0)
