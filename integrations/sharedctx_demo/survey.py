"""What an agent notes of a source: the lines that declare, head or fail, as rows."""

from __future__ import annotations

import re
from typing import TypedDict

_KINDS = {
    "trouble": re.compile(r"\b(?:error|exception|fatal|critical|warning|failed|refused)\b|Traceback", re.IGNORECASE),
    "declaration": re.compile(r"^\s*(?:async def|def|class|func|function|fn|struct|interface|type|impl)\b"),
    "heading": re.compile(r"^(?:#{1,6} |commit [0-9a-f]{7}|\[[^\]]+\]\s*$)"),
}
_LONGEST = 160


class Row(TypedDict):
    """A line worth knowing of."""

    source: str
    line: int
    kind: str
    text: str


def survey(source: str, text: str) -> list[Row]:
    """Return the lines of a text that declare something, head a part or speak of trouble; else its first one."""
    found = [
        Row(source=source, line=number, kind=kind, text=line.strip()[:_LONGEST])
        for number, line in enumerate(text.splitlines(), 1)
        for kind in [next((name for name, pattern in _KINDS.items() if pattern.search(line)), None)]
        if kind is not None
    ]
    return found or [Row(source=source, line=1, kind="text", text=text.strip()[:_LONGEST])]
