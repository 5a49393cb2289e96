"""The smallest views of a JSON value: names, a few values, and one marker for the whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..kind import Brief, Draft
from . import literals
from .excerpt import start

_STEP = re.compile(r"[^\W\d][\w-]*")
_SIZES = (
    (8, 60, 300), (6, 60, 160), (5, 40, 120), (4, 40, 100), (4, 24, 60), (3, 40, 60), (3, 16, 60), (3, 8, 40),
    (2, 30, 40), (2, 12, 30), (1, 30, 30), (1, 12, 20), (1, 5, 12), (0, 0, 0),
)  # fmt: skip
"""Depth, members of an object, characters of a string; from much to little."""
_MOST_FOUND = 8
_SHOWN = 160


def step(name: str | int) -> str:
    """One step of a path."""
    if type(name) is int:
        return f"[{name}]"
    text = str(name)
    return f".{text}" if _STEP.fullmatch(text) else f"[{json.dumps(text, ensure_ascii=False)}]"


def outline(name: str, what: str, value: Any, brief: Brief) -> Draft:
    """The most of an outline that fits the brief's budget, or the least."""
    marker = brief.marks.omitted("the rest", "all")
    found = list(_found(value, brief.wanted)) if brief.wanted else []
    refs = (brief.marks.ref("all"),)
    text = marker
    for depth, width, size in _SIZES:
        lines = [f"[[{name} outline: {what}; … is left out]]", _sketch(value, depth, width, size)]
        lines += found[: max(depth, 1) * 2]
        text = "\n".join([*lines, marker])
        if brief.budget is None or brief.count(text) <= brief.budget:
            return Draft(text, "outline", refs)
    for part in ([*found[:1], marker], [marker]):
        text = "\n".join(part)
        if brief.budget is None or brief.count(text) <= brief.budget:
            break
    return Draft(text, "outline", refs)


def _sketch(value: Any, depth: int, width: int, size: int) -> str:
    if type(value) is str:
        return _text(value, size)
    if type(value) is dict:
        if depth <= 0 or not value:
            return f"{{…{len(value)}}}" if value else "{}"
        members = [
            f"{literals.name(name) if len(name) <= _SHOWN else '…'}:{_sketch(part, depth - 1, width, size)}"
            for name, part in _first(value.items(), width)
        ]
        return "{" + ",".join(members) + (f",…{len(value) - width}" if len(value) > width else "") + "}"
    if type(value) is list:
        if depth <= 0 or not value:
            return f"[…{len(value)}]" if value else "[]"
        most = max(width // 8, 1)
        parts = [_sketch(part, depth - 1, width, size) for part in value[:most]]
        return "[" + ",".join(parts) + (f",…{len(value) - most}" if len(value) > most else "") + "]"
    spelled = literals.scalar(value)
    return spelled if len(spelled) <= _SHOWN else "…"


def _first(items: Any, most: int) -> Iterator[Any]:
    for _, item in zip(range(most), items, strict=False):
        yield item


def _text(text: str, size: int) -> str:
    return literals.string(text) if len(text) <= size else literals.quoted(start(text, size))[:-1] + '…"'


def _found(value: Any, wanted: Sequence[str]) -> Iterator[str]:
    """Members with words of the query, each with its path."""
    pending: list[tuple[str, Any]] = [("$", value)]
    left = _MOST_FOUND
    while pending and left:
        path, part = pending.pop()
        if type(part) is dict:
            pending += [(path + step(name), inner) for name, inner in reversed(part.items())]
        elif type(part) is list:
            pending += [(path + step(at), inner) for at, inner in reversed(list(enumerate(part)))]
        else:
            text = part if type(part) is str else literals.scalar(part)
            low = f"{path[-_SHOWN:]} {text}".lower()
            at = next((low.find(word) for word in wanted if word in low), -1)
            if at >= 0:
                left -= 1
                begin = max(at - len(path[-_SHOWN:]) - 1 - _SHOWN // 2, 0)
                shown = text if len(text) <= _SHOWN else start(text[begin:], _SHOWN) + "…"
                yield f"{path}: {literals.string(shown)}"
