"""JSON lines: an object on each line."""

from __future__ import annotations

import json
import re
from typing import Any

from ...errors import DecodeError
from ..columns.fitted import shorten_value
from ..columns.packing import pack_value, unpack_value
from ..columns.shortening import NARROW, Unit
from ..kind import Brief, Draft, Source

_LEAST = 3
_SAMPLED = 20
_STYLES = {"compact": (",", ":"), "spaced": (", ", ": ")}
_STYLE = re.compile(r"\[\[jsonl: (compact|spaced)( ascii)? lines( open-ended)?[;\]]")


def _spelled(value: Any, style: str, ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, separators=_STYLES[style])


def _object(line: str) -> Any:
    """The object on a line, or the line itself."""
    if line[:1] != "{":
        return line
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


class JsonlKind:
    """Text whose lines are JSON objects."""

    name = "jsonl"

    def fits(self, source: Source) -> float:
        """0.95 for text whose first lines are objects."""
        if source.value is not None or source.text[:1] != "{":
            return 0.0
        lines = source.text.split("\n", _SAMPLED)[:_SAMPLED]
        lines = [line for line in lines if line]
        if len(lines) < _LEAST:
            return 0.0
        objects = sum(type(_object(line)) is dict for line in lines)
        return 0.95 if objects >= 0.9 * len(lines) else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The columns, a summary of each, and the lines that tell most; markers count the text's lines."""
        lines = source.text.removesuffix("\n").split("\n")
        if len(lines) < 2:
            return None  # paths and rows lead into a single line, not into the list of it
        value = [_object(line) for line in lines]
        what = f"{len(value)} lines, row 0 is line 1"
        return shorten_value("jsonl", what, value, source, brief, NARROW, Unit("lines", 1))

    def pack(self, source: Source) -> str | None:
        """All lines, by columns; lines that are not spelled like the others stand as they are."""
        ended = source.text.endswith("\n")
        lines = source.text.removesuffix("\n").split("\n")
        values = [_object(line) for line in lines]
        first = next((line for line, value in zip(lines, values, strict=True) if type(value) is dict and value), "")
        style = "spaced" if re.match(r'\{"(?:[^"\\]|\\.)*": ', first) else "compact"
        ascii_only = any("\\u" in line for line in lines) and source.text.isascii()
        try:
            for at, line in enumerate(lines):
                if type(values[at]) is dict and _spelled(values[at], style, ascii_only) != line:
                    values[at] = line
        except (ValueError, RecursionError):
            return None
        if sum(type(value) is dict for value in values) < _LEAST:
            return None
        what = f"{style}{' ascii' if ascii_only else ''} lines{'' if ended else ' open-ended'}"
        packed = pack_value("jsonl", what, values)
        return packed if packed is not None and len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The text. Raises ``DecodeError``."""
        style = _STYLE.match(text)
        values = unpack_value("jsonl", text)
        if style is None or type(values) is not list:
            raise DecodeError("no lossless view of jsonl: the legend names no style")
        lines = [value if type(value) is str else _spelled(value, style[1], bool(style[2])) for value in values]
        return "\n".join(lines) + ("" if style[3] else "\n")


KIND = JsonlKind()
