"""Parts of an array or an object that are shown by the same few members: these are named once, before their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

TOGETHER = "; *{a,b}:(1,2): a and b of each part"
"""What explains parts that are told by their values."""

_LEAST = 3
"""So many parts at least are told by what they share."""
_OFTEN = 0.3
"""A member that is shown of fewer of the parts is told where it stands."""

Cells = Mapping[str, str]
"""The shown members of one part by their paths within it."""


def told_together(labels: Sequence[str], parts: Sequence[Cells | None], whole: Sequence[str]) -> list[str] | None:
    """Return each part by its values alone, the first behind what the values are of; None where that is not shorter.

    ``labels`` are the names of the parts, empty in an array; ``whole`` is how each is spelled with its members, which
    is how those without cells (None), or with a rare one, remain.
    """
    times = Counter(path for cells in parts if cells is not None for path in cells)
    columns = [path for path, number in times.items() if number >= max(2, _OFTEN * len(parts))]
    if not columns:
        return None
    known = set(columns)
    rows = [cells if cells is not None and known.issuperset(cells) else None for cells in parts]
    if len(rows) - rows.count(None) < _LEAST:
        return None
    several = len(columns) > 1
    head = f"*{{{','.join(columns)}}}:" if several else f"*.{columns[0]}:"
    told = []
    for label, cells, spelled in zip(labels, rows, whole, strict=True):
        if cells is None:
            told.append(spelled)
            continue
        row = ",".join(cells.get(path, "") for path in columns).rstrip(",")
        row = f"({row})" if row and several else row
        told.append(head + (f"{label}:{row}" if label and row else label or row or "{}"))
        head = ""
    return told if sum(map(len, told)) < sum(map(len, whole)) else None
