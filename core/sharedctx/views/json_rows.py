"""JSON: arrays of objects as columns, everything else minified."""

from __future__ import annotations

from typing import Any

from ..errors import DecodeError
from .kind import Brief, Draft, Source
from .originals import parse
from .pieces import assemble, select
from .plain import compact
from .text import DEFAULT_TOKENS

LEAST_ROWS = 3
_LEGEND = "[[json: minified]]\n"


class Json:
    """The kind of every JSON array or object that is of no other."""

    name = "json"

    def fits(self, source: Source) -> float:
        """A floor: any kind that is surer gets it."""
        return 0.01 if source.value is not None else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Rows as columns under a header with what is the same in all; the first, the last and the notable of many."""
        limit = DEFAULT_TOKENS if brief.budget is None else brief.budget
        if not is_rows(source.value):
            return None
        header, lines = columns(source.value)
        whole = "\n".join([header, *lines])
        if brief.count(whole) <= limit:
            return Draft(whole, "columnar")
        marker = brief.count(brief.marks.omitted("rows 100000-100000", "rows:100000-100000")) + 1
        room = limit - brief.count(header) - 2 * marker
        chosen = select(lines, room, brief.count, brief.wanted, marker) if room > 0 else []
        if not chosen:
            return None
        pieces, refs = assemble(lines, chosen, brief.marks, "rows", 0)
        return Draft("\n".join([header, *pieces]), "columnar", tuple(refs))

    def pack(self, source: Source) -> str | None:
        """Minify."""
        return _LEGEND + compact(source.value) if source.value is not None else None

    def unpack(self, text: str) -> Any:
        """Parse what ``pack`` minified."""
        value = parse(text.removeprefix(_LEGEND)) if text.startswith(_LEGEND) else None
        if value is None:
            raise DecodeError("the lossless view is damaged: it is no minified JSON")
        return value


KIND = Json()


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
