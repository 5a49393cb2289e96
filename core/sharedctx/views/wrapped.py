"""JSON that is little more than a frame around one long text, as tools and protocols answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from .columns.outline import step
from .kind import Source
from .plain import compact

_LEAST = 2000
_SHARE = 0.8
_HOPEFUL = 0.4
"""Of the characters as they are spelled in JSON: one text may be spelled with twice as many."""
_LARGEST_FRAME = 1500
_PARTS = 300
_BELOW = "…"


class Wrapped(NamedTuple):
    """The path to a text, the text, and the JSON around it with a sign in its place."""

    path: str
    text: str
    frame: str


def wrapped(source: Source) -> Wrapped | None:
    """Return the text that is most of a JSON value, or None. Looks at a bounded number of parts."""
    pending: list[tuple[str, Any]] = [("$", source.value)]
    longest, path = "", ""
    for _ in range(_PARTS):
        if not pending:
            break
        at, part = pending.pop()
        if isinstance(part, str) and len(part) > len(longest):
            longest, path = part, at
        elif isinstance(part, dict):
            pending += [(at + step(name), inner) for name, inner in list(part.items())[:_PARTS]]
        elif isinstance(part, list):
            pending += [(at + step(index), inner) for index, inner in enumerate(part[:_PARTS])]
    if pending or len(longest) < max(_LEAST, _HOPEFUL * len(source.text)):
        return None
    spelled = compact(longest)
    around = compact(source.value)
    frame = around.replace(spelled, compact(_BELOW), 1)
    if len(around) - len(spelled) > min((1 - _SHARE) * len(around), _LARGEST_FRAME):
        return None
    return Wrapped(path, longest, frame)
