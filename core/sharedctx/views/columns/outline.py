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
from ..vocabulary import sample
from . import literals
from .alike import TOGETHER
from .excerpt import NOTABLE
from .reach import Path
from .tree import Tree
from .troubles import suspected, told_of

_STEP = re.compile(r"[^\W\d][\w-]*")
_DIGITS = re.compile(r"\d+")
_SCANNED = 2000
_MOST_FOUND = 8
_SHOWN = 160
_PARTS = 1.5
"""Parts of the value that are looked at for each token of the budget."""
_TIGHT = 100
"""Tokens: a smaller budget has no room for an explanation."""
_ABOUT = ": … and other members are left out; a name alone stands without its value"


def step(name: str | int) -> str:
    """One step of a path."""
    if type(name) is int:
        return f"[{name}]"
    text = str(name)
    return f".{text}" if _STEP.fullmatch(text) else f"[{json.dumps(text, ensure_ascii=False)}]"


def outline(name: str, value: Any, text: str, brief: Brief) -> Draft:
    """The most of an outline that fits the brief's budget, or the least; ``text`` is where the value was read."""
    marker = brief.marks.omitted("the rest", "all")
    found = dict(_asked(value, brief.wanted)) if brief.wanted else {}
    if not found and told_of(text):
        found = dict(_troubles(value))
        found = found if len(found) < _MOST_FOUND else {}  # words that stand everywhere tell of no trouble
    refs = (brief.marks.ref("all"),)
    tight = brief.budget is not None and brief.budget < _TIGHT
    about = "" if tight else _ABOUT
    most = math.inf if brief.budget is None else _PARTS * brief.budget
    tree = Tree(value, sample(text), found, brief.count, most)
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


def _asked(value: Any, wanted: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """Members in whose path or text a word is found."""
    return _found(_leaves(value), lambda low: next((low.find(word) for word in wanted if word in low), -1))


def _troubles(value: Any) -> Iterator[tuple[Path, int]]:
    """Members in whose path or text there are signs of trouble."""
    return _found(suspected(value), lambda low: at.start() if (at := NOTABLE.search(low, 0, _SCANNED)) else -1)


def _leaves(value: Any) -> Iterator[tuple[Path, Any]]:
    """Strings, numbers and the like with their paths, in order."""
    pending: list[tuple[Path, Any]] = [((), value)]
    while pending:
        steps, part = pending.pop()
        if type(part) is not dict and type(part) is not list:
            yield steps, part
            continue
        members: list[tuple[Any, Any]] = list(part.items() if type(part) is dict else enumerate(part))
        pending += [((*steps, name), inner) for name, inner in reversed(members)]


def _found(leaves: Iterator[tuple[Path, Any]], find: Callable[[str], int]) -> Iterator[tuple[Path, int]]:
    """The paths of members in whose path or text, in lower case, something is found, and where in the text; one of each
    sort."""
    sorts: set[str] = set()
    for steps, part in leaves:
        text = part if type(part) is str else literals.scalar(part)
        shown = f"${''.join(map(step, steps))}"[-_SHOWN:]
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
