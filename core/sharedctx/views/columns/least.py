"""How long the view of a JSON value is at the least that leaves no member of an object out."""

from __future__ import annotations

from typing import Any

_TEXT, _NUMBER = 150, 4
"""Characters of a long string that stay, and of a number, about."""
_WHOLE, _ROWS = 16, 3
"""Longer arrays, and those of more objects, are shown by their ends."""
_MAP = 8
"""An object of so many objects, or arrays, is shown by its ends as well."""


def least(value: Any, enough: float) -> int:
    """Return about how many characters that is; it stops counting where it is more than ``enough``."""
    pending = [value]
    size = 0
    while pending and size <= enough:
        part = pending.pop()
        kind = type(part)
        if kind is dict:
            parts = list(part.values())
            kinds = set(map(type, parts[:_MAP]))
            if len(parts) >= _MAP and (kinds == {dict} or kinds == {list}):
                pending += (parts[0], parts[-1])
                continue
            size += 2 + sum(map(len, part)) + 2 * len(part)
            pending += parts
        elif kind is list:
            size += 2
            ends = len(part) > _WHOLE or (len(part) > _ROWS and type(part[0]) is dict)
            pending += (part[0], part[-1]) if ends else part
        else:
            size += min(len(part), _TEXT) + 1 if kind is str else _NUMBER
    return size
