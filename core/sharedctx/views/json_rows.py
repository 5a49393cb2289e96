"""JSON: arrays of objects as columns, everything else minified."""

from __future__ import annotations

from typing import Any

from .original import compact

LEAST_ROWS = 3


def is_rows(value: Any) -> bool:
    """Whether the value is an array of objects that mostly share their keys."""
    if (
        not isinstance(value, list)
        or len(value) < LEAST_ROWS
        or not all(isinstance(row, dict) and row for row in value)
    ):
        return False
    names = {name for row in value for name in row}
    return sum(len(row) for row in value) >= 0.5 * len(names) * len(value)


def columns(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Return a header that names columns and constants, and one JSON array a row; an absent key is ``~``.

    Trailing absent cells are left out of their row.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    same = {}
    for name in names:
        first = compact(rows[0][name]) if name in rows[0] else None
        if first is not None and all(name in row and compact(row[name]) == first for row in rows):
            same[name] = rows[0][name]
    varying = [name for name in names if name not in same]
    header = f"{len(rows)} rows; columns: {compact(varying)}"
    if same:
        header += f"; in every row: {compact(same)}"
    lines = []
    for row in rows:
        cells = [compact(row[name]) if name in row else "~" for name in varying]
        while cells and cells[-1] == "~":
            cells.pop()
        lines.append(",".join(cells))
    return header, lines
