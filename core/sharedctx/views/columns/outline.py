"""The smallest views of a JSON value: names, a few values, and one marker for the whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..fitting import within
from ..kind import Brief, Draft
from ..text import word_start
from . import literals
from .alike import TOGETHER
from .excerpt import NOTABLE
from .pool import Pool
from .tree import Path, Tree

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


def outline(name: str, value: Any, pool: Pool, brief: Brief) -> Draft:
    """The most of an outline that fits the brief's budget, or the least."""
    marker = brief.marks.omitted("the rest", "all")
    found = dict(_asked(value, pool, brief.wanted)) if brief.wanted else {}
    if not found:
        found = dict(_troubles(value, pool))
        found = found if len(found) < _MOST_FOUND else {}  # words that stand everywhere tell of no trouble
    refs = (brief.marks.ref("all"),)
    tight = brief.budget is not None and brief.budget < _TIGHT
    about = "" if tight else _ABOUT
    tree = Tree(value, found, brief.count)
    order = tree.order()
    fixed = brief.count(f"[[{name} outline{about}]]\n\n{marker}")

    def attempt(tokens: float) -> Draft:
        if tokens <= fixed:
            return Draft(marker, "outline", refs)
        shown = tree.chosen(order, tokens - fixed)
        spelled = tree.spelled(shown)
        also = TOGETHER if tree.together and not tight else ""
        return Draft(f"[[{name} outline{about}{also}]]\n{spelled}\n{marker}", "outline", refs)

    if brief.budget is None:
        return attempt(math.inf)
    return within(brief, brief.budget, attempt)


def _asked(value: Any, pool: Pool, wanted: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """Members in whose path or text a word is found."""
    leaves = _leaves(value, pool, suspects=False)
    return _found(leaves, lambda low: next((low.find(word) for word in wanted if word in low), -1))


def _troubles(value: Any, pool: Pool) -> Iterator[tuple[Path, int]]:
    """Members in whose path or text there are signs of trouble."""
    leaves = _leaves(value, pool, suspects=True)
    return _found(leaves, lambda low: at.start() if (at := NOTABLE.search(low, 0, _SCANNED)) else -1)


def _leaves(value: Any, pool: Pool, *, suspects: bool) -> Iterator[tuple[Path, str, Any]]:
    """Strings, numbers and the like with their paths, in order; all of them, or those that may be notable."""
    pending: list[tuple[Path, str, Any, bool]] = [((), "$", value, not suspects)]
    while pending:
        steps, path, part, told = pending.pop()
        if type(part) is not dict and type(part) is not list:
            yield steps, path, part
            continue
        members: list[tuple[Any, Any]] = list(part.items() if type(part) is dict else enumerate(part))
        for name, inner in reversed(members):
            here = told or name in pool.suspect_names
            if here or pool.add(inner) in pool.suspects:
                pending.append(((*steps, name), path + step(name), inner, here))


def _found(leaves: Iterator[tuple[Path, str, Any]], find: Callable[[str], int]) -> Iterator[tuple[Path, int]]:
    """The paths of members in whose path or text, in lower case, something is found, and where in the text; one of each
    sort."""
    sorts: set[str] = set()
    for steps, path, part in leaves:
        text = part if type(part) is str else literals.scalar(part)
        shown = path[-_SHOWN:]
        at = find(f"{shown} {text}".lower())
        if at < 0:
            continue
        place = max(at - len(shown) - 1, 0)
        begin = word_start(text, place - _SHOWN // 2) if place > _SHOWN // 2 else 0
        around = text[begin : begin + _SHOWN]
        sort = _DIGITS.sub("0", f"{shown} {around}")
        if sort not in sorts:
            sorts.add(sort)
            yield steps, place
            if len(sorts) >= _MOST_FOUND:
                return
