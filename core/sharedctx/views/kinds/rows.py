"""JSON arrays of objects: tables."""

from __future__ import annotations

from typing import Any

from ..columns.fitted import shorten_value
from ..columns.packing import pack_value, unpack_value
from ..columns.shortening import NARROW, SHORT_ROW, Limits, Unit
from ..kind import Brief, Draft, Source

_LEAST = 3
_SAMPLED = 200
_WIDE = Limits(share=0.7, short=NARROW)


class RowsKind:
    """An array of at least three objects that share names."""

    name = "rows"

    def fits(self, source: Source) -> float:
        """0.9 for an array of objects that mostly have the same names, less for others."""
        value = source.value
        if type(value) is not list or len(value) < _LEAST:
            return 0.0
        sample = value[:: max(len(value) // _SAMPLED, 1)]
        rows = [row for row in sample if type(row) is dict and row]
        names = {name for row in rows for name in row}
        if len(rows) < 0.8 * len(sample):
            return 0.0
        return 0.9 if sum(map(len, rows)) >= 0.4 * len(names) * len(rows) else 0.3

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The columns, a summary of each, and the rows that tell most."""
        limits = _WIDE if len(source.text) > SHORT_ROW * len(source.value) else NARROW
        return shorten_value("rows", f"{len(source.value)} rows", source.value, source, brief, limits, Unit("rows"))

    def pack(self, source: Source) -> str | None:
        """All rows, by columns."""
        packed = pack_value("rows", f"{len(source.value)} rows", source.value, pool=source.pool)
        return packed if packed is not None and len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The array. Raises ``DecodeError``."""
        return unpack_value("rows", text)


KIND = RowsKind()
