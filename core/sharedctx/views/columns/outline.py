"""The smallest views of a JSON value: names, a few values, and one marker for the whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..fitting import within
from ..kind import Brief, Draft
from . import literals
from .excerpt import NOTABLE
from .tree import Tree

_STEP = re.compile(r"[^\W\d][\w-]*")
_DIGITS = re.compile(r"\d+")
_SCANNED = 2000
_MOST_FOUND = 8
_SHOWN = 160
_TIGHT = 100
"""Tokens: a smaller budget has no room for an explanation."""
_ABOUT = ": … and other members are left out; a name alone stands without its value"


def step(name: str | int) -> str:
    """One step of a path."""
    if type(name) is int:
        return f"[{name}]"
    text = str(name)
    return f".{text}" if _STEP.fullmatch(text) else f"[{json.dumps(text, ensure_ascii=False)}]"


def outline(name: str, value: Any, brief: Brief, telling: re.Pattern[str] | None = None) -> Draft:
    """The most of an outline that fits the brief's budget, or the least."""
    marker = brief.marks.omitted("the rest", "all")
    found = dict(_found(value, lambda low: next((low.find(word) for word in brief.wanted if word in low), -1)))
    if not found:
        found = dict(_found(value, lambda low: at.start() if (at := NOTABLE.search(low, 0, _SCANNED)) else -1))
        found = found if len(found) < _MOST_FOUND else {}  # words that stand everywhere tell of no trouble
    refs = (brief.marks.ref("all"),)
    tight = brief.budget is not None and brief.budget < _TIGHT
    head = f"[[{name} outline{'' if tight else _ABOUT}]]"
    tree = Tree(value, found, brief.count, telling)
    order = tree.order()
    fixed = brief.count(f"{head}\n\n{marker}")

    def attempt(tokens: float) -> Draft:
        if tokens <= fixed:
            return Draft(marker, "outline", refs)
        shown = tree.chosen(order, tokens - fixed)
        return Draft("\n".join([head, tree.spelled(shown), marker]), "outline", refs)

    if brief.budget is None:
        return attempt(math.inf)
    return within(brief, brief.budget, attempt)


def _found(value: Any, find: Callable[[str], int]) -> Iterator[tuple[tuple[Any, ...], int]]:
    """The paths of members in whose path or text, in lower case, something is found, and where in the text; one of each
    sort."""
    pending: list[tuple[str, tuple[Any, ...], Any]] = [("$", (), value)]
    sorts: set[str] = set()
    while pending and len(sorts) < _MOST_FOUND:
        path, steps, part = pending.pop()
        if type(part) is dict:
            pending += [(path + step(name), (*steps, name), inner) for name, inner in reversed(part.items())]
        elif type(part) is list:
            pending += [(path + step(at), (*steps, at), inner) for at, inner in reversed(list(enumerate(part)))]
        else:
            text = part if type(part) is str else literals.scalar(part)
            shown = path[-_SHOWN:]
            sort = _DIGITS.sub("0", f"{shown} {text[:_SHOWN]}")
            at = find(f"{shown} {text}".lower())
            if at >= 0 and sort not in sorts:
                sorts.add(sort)
                yield steps, max(at - len(shown) - 1, 0)
