"""JSON documents: objects and arrays that are no single table."""

from __future__ import annotations

from typing import Any

from ..columns.fitted import shorten_value
from ..columns.packing import pack_value, unpack_value
from ..columns.shortening import NARROW, Limits
from ..kind import Brief, Draft, Source

_LIMITS = Limits(short=NARROW)


class JsonKind:
    """Any array or object."""

    name = "json"

    def fits(self, source: Source) -> float:
        """0.5 for any JSON array or object."""
        return 0.5 if type(source.value) in (dict, list) else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The document, with the telling rows of its tables and the telling parts of its strings."""
        return shorten_value("json", _what(source.value), source.value, source, brief, _LIMITS)

    def pack(self, source: Source) -> str | None:
        """The document with inner tables, and with names for what repeats."""
        packed = pack_value("json", _what(source.value), source.value, pool=source.pool)
        return packed if packed is not None and len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The document. Raises ``DecodeError``."""
        return unpack_value("json", text)


def _what(value: Any) -> str:
    return "JSON with few quotes"


KIND = JsonKind()
