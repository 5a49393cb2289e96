"""The kinds of content, in the order in which they are asked; a new kind is one line here."""

from __future__ import annotations

from . import text
from .kind import Kind, Source
from .kinds import (
    code,
    csv,
    diff,
    grep,
    html,
    json,
    jsonl,
    listing,
    log,
    markdown,
    metrics,
    rows,
    table,
    tests,
    trajectory,
)

JSON: tuple[Kind, ...] = (trajectory.KIND, rows.KIND, json.KIND)
"""Kinds of JSON: their sources have a value, and a lossless view of theirs gives it back."""
TEXT: tuple[Kind, ...] = (
    jsonl.KIND,
    csv.KIND,
    table.KIND,
    grep.KIND,
    listing.KIND,
    html.KIND,
    diff.KIND,
    tests.KIND,
    metrics.KIND,
    log.KIND,
    code.KIND,
    markdown.KIND,
    text.KIND,
)
"""Kinds of text: their sources have no value, and a lossless view of theirs gives the exact text back. The last one
takes what is of no other."""

DOCUMENT: Kind = json.KIND
"""The kind of JSON that is no table and no dialogue."""
LINES = log.KIND.name
"""The kind whose lossless view tells the lines of any text by the forms that they share."""

_CERTAIN = 0.9
"""As sure as this, a kind gets the source before the others are asked."""
_AT_MOST = {log.KIND.name: 0.8, markdown.KIND.name: 0.7, text.KIND.name: 0.01}
"""How sure these kinds are at most: they are not asked where another is as sure."""


def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    return {kind.name: kind for kind in (*JSON, *TEXT)}


def find(source: Source) -> Kind | None:
    """Return the kind that is surest of the source, the first of equals, or None where none is."""
    best, surest = None, 0.0
    for kind in JSON if source.value is not None else TEXT:
        if surest >= _AT_MOST.get(kind.name, 1.0):
            continue
        sure = kind.fits(source)
        if sure > surest:
            best, surest = kind, sure
        if surest >= _CERTAIN:
            break
    return best
