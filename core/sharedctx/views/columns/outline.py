"""The smallest views of a JSON value: names, a few values, and one marker for the whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from ..kind import Brief, Draft
from . import literals
from .excerpt import NOTABLE, start
from .pool import Pool

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
_LONGEST_TOKEN = 8
"""Characters: a sketch of more than this for each token of the budget is over it."""
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


def outline(name: str, what: str, value: Any, pool: Pool, brief: Brief) -> Draft:
    """The most of an outline that fits the brief's budget, or the least."""
    marker = brief.marks.omitted("the rest", "all")
    found = list(_asked(value, pool, brief.wanted)) if brief.wanted else []
    if not found:
        found = list(_troubles(value, pool))
        found = found if len(found) < _MOST_FOUND else []  # words that stand everywhere tell of no trouble
    refs = (brief.marks.ref("all"),)
    text = marker
    most = math.inf if brief.budget is None else _LONGEST_TOKEN * brief.budget
    for depth, width, size, parts in _SIZES:
        sketch = _Sketch(width, size, parts, most).text(value, depth)
        if sketch is None:
            continue
        lines = [f"[[{name} outline: {what}; … is left out]]", sketch]
        lines += found[: max(depth, 1) * 2]
        text = "\n".join([*lines, marker])
        if brief.budget is None or brief.count(text) <= brief.budget:
            return Draft(text, "outline", refs)
    for part in ([*found[:1], marker], [marker]):
        text = "\n".join(part)
        if brief.budget is None or brief.count(text) <= brief.budget:
            break
    return Draft(text, "outline", refs)


class _Sketch:
    """A value with so many members of an object, characters of a string, parts of an array, and ``most`` characters."""

    def __init__(self, width: int, size: int, parts: int, most: float) -> None:
        self._width = width
        self._size = size
        self._parts = parts
        self._room = most
        self._pieces: list[str] = []

    def text(self, value: Any, depth: int) -> str | None:
        """The sketch down to a depth, or None where it is longer than it may be."""
        self._add(value, depth)
        return "".join(self._pieces) if self._room >= 0 else None

    def _say(self, piece: str) -> None:
        self._pieces.append(piece)
        self._room -= len(piece)

    def _add(self, value: Any, depth: int) -> None:
        kind = type(value)
        if kind is dict or kind is list:
            opening, closing = "{}" if kind is dict else "[]"
            most = self._width if kind is dict else self._parts
            if depth <= 0 and value:
                return self._say(f"{opening}…{len(value)}{closing}")
            before = opening
            for part in islice(value, most):
                if self._room < 0:
                    return None
                if kind is dict:
                    self._say(f"{before}{literals.name(part) if len(part) <= _SHOWN else '…'}:")
                    self._add(value[part], depth - 1)
                else:
                    self._say(before)
                    self._add(part, depth - 1)
                before = ","
            left = f",…{len(value) - most}" if len(value) > most else ""
            return self._say(f"{'' if value else opening}{left}{closing}")
        if kind is str:
            return self._say(_text(value, self._size))
        spelled = literals.scalar(value)
        return self._say(spelled if len(spelled) <= _SHOWN else "…")


def _text(text: str, size: int) -> str:
    return literals.string(text) if len(text) <= size else literals.quoted(start(text, size))[:-1] + '…"'


def _asked(value: Any, pool: Pool, wanted: Sequence[str]) -> Iterator[str]:
    """Members in whose path or text a word is found."""
    leaves = _leaves(value, pool, suspects=False)
    return _found(leaves, lambda low: next((low.find(word) for word in wanted if word in low), -1))


def _troubles(value: Any, pool: Pool) -> Iterator[str]:
    """Members in whose path or text there are signs of trouble."""
    leaves = _leaves(value, pool, suspects=True)
    return _found(leaves, lambda low: at.start() if (at := NOTABLE.search(low, 0, _SCANNED)) else -1)


def _leaves(value: Any, pool: Pool, *, suspects: bool) -> Iterator[tuple[str, Any]]:
    """Strings, numbers and the like with their paths, in order; all of them, or those that may be notable."""
    pending: list[tuple[str, Any, bool]] = [("$", value, not suspects)]
    while pending:
        path, part, told = pending.pop()
        if type(part) is not dict and type(part) is not list:
            yield path, part
            continue
        members: list[tuple[Any, Any]] = list(part.items() if type(part) is dict else enumerate(part))
        for name, inner in reversed(members):
            here = told or name in pool.suspect_names
            if here or pool.add(inner) in pool.suspects:
                pending.append((path + step(name), inner, here))


def _found(leaves: Iterator[tuple[str, Any]], find: Callable[[str], int]) -> Iterator[str]:
    """Of members those in whose path or text, in lower case, something is found, each with its path; one of each
    sort."""
    sorts: set[str] = set()
    for path, part in leaves:
        text = part if type(part) is str else literals.scalar(part)
        shown = path[-_SHOWN:]
        at = find(f"{shown} {text}".lower())
        if at < 0:
            continue
        sort = _DIGITS.sub("0", f"{shown} {text[:_SHOWN]}")
        if sort not in sorts:
            sorts.add(sort)
            begin = max(at - len(shown) - 1 - _SHOWN // 2, 0)
            told = text if len(text) <= _SHOWN else start(text[begin:], _SHOWN) + "…"
            yield f"{path}: {literals.string(told)}"
            if len(sorts) >= _MOST_FOUND:
                return
