"""The smallest views of a JSON value: names, a few values, and one marker for the whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..kind import Brief, Draft
from . import literals
from .excerpt import NOTABLE, start

_STEP = re.compile(r"[^\W\d][\w-]*")
_SIZES = tuple(
    (depth, width, size, parts)
    for depth, width, size in (
        (8, 60, 300), (6, 60, 160), (5, 40, 120), (4, 40, 100), (4, 24, 60), (3, 40, 60), (3, 16, 60), (3, 8, 40),
        (2, 30, 40), (2, 12, 30), (1, 30, 30), (1, 12, 20), (1, 5, 12), (0, 0, 0),
    )
    for parts in dict.fromkeys((max(width // 8, 1), min(3, max(width // 8, 1)), 1))
)  # fmt: skip
"""Depth, members of an object, characters of a string, parts of an array; from much to little."""
_DIGITS = re.compile(r"\d+")
_SCANNED = 2000
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
    found = list(_found(value, lambda low: next((low.find(word) for word in brief.wanted if word in low), -1)))
    if not found:
        found = list(_found(value, lambda low: at.start() if (at := NOTABLE.search(low, 0, _SCANNED)) else -1))
        found = found if len(found) < _MOST_FOUND else []  # words that stand everywhere tell of no trouble
    refs = (brief.marks.ref("all"),)
    text = marker
    for depth, width, size, parts in _SIZES:
        lines = [f"[[{name} outline: {what}; … is left out]]", _sketch(value, depth, width, size, parts)]
        lines += found[: max(depth, 1) * 2]
        text = "\n".join([*lines, marker])
        if brief.budget is None or brief.count(text) <= brief.budget:
            return Draft(text, "outline", refs)
    for part in ([*found[:1], marker], [marker]):
        text = "\n".join(part)
        if brief.budget is None or brief.count(text) <= brief.budget:
            break
    return Draft(text, "outline", refs)


def _sketch(value: Any, depth: int, width: int, size: int, most: int) -> str:
    if type(value) is str:
        return _text(value, size)
    if type(value) is dict:
        if depth <= 0 or not value:
            return f"{{…{len(value)}}}" if value else "{}"
        members = [
            f"{literals.name(name) if len(name) <= _SHOWN else '…'}:{_sketch(part, depth - 1, width, size, most)}"
            for name, part in _first(value.items(), width)
        ]
        return "{" + ",".join(members) + (f",…{len(value) - width}" if len(value) > width else "") + "}"
    if type(value) is list:
        if depth <= 0 or not value:
            return f"[…{len(value)}]" if value else "[]"
        parts = [_sketch(part, depth - 1, width, size, most) for part in value[:most]]
        return "[" + ",".join(parts) + (f",…{len(value) - most}" if len(value) > most else "") + "]"
    spelled = literals.scalar(value)
    return spelled if len(spelled) <= _SHOWN else "…"


def _first(items: Any, most: int) -> Iterator[Any]:
    for _, item in zip(range(most), items, strict=False):
        yield item


def _text(text: str, size: int) -> str:
    return literals.string(text) if len(text) <= size else literals.quoted(start(text, size))[:-1] + '…"'


def _found(value: Any, find: Callable[[str], int]) -> Iterator[str]:
    """Members in whose path or text, in lower case, something is found, each with its path; one of each sort."""
    pending: list[tuple[str, Any]] = [("$", value)]
    sorts: set[str] = set()
    while pending and len(sorts) < _MOST_FOUND:
        path, part = pending.pop()
        if type(part) is dict:
            pending += [(path + step(name), inner) for name, inner in reversed(part.items())]
        elif type(part) is list:
            pending += [(path + step(at), inner) for at, inner in reversed(list(enumerate(part)))]
        else:
            text = part if type(part) is str else literals.scalar(part)
            shown = path[-_SHOWN:]
            at = find(f"{shown} {text}".lower())
            sort = _DIGITS.sub("0", f"{shown} {text[:_SHOWN]}")
            if at >= 0 and sort not in sorts:
                sorts.add(sort)
                begin = max(at - len(shown) - 1 - _SHOWN // 2, 0)
                told = text if len(text) <= _SHOWN else start(text[begin:], _SHOWN) + "…"
                yield f"{path}: {literals.string(told)}"
