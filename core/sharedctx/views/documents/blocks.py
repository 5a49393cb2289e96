"""A document as blocks (headings, paragraphs, items, code, tables), of which a view shows the gist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from ..fitting import relevance
from ..kind import Brief, Draft
from ..parts import fit
from .fitted import DECLARATION, parts
from .gathered import gathered
from .sentences import gist, warning

_HEAD, _TAIL = 24, 8
"""The first and the last lines that stay of longer code; between them stay declarations, titles and failures."""
_NAMES = 40
"""More names of one paragraph are not looked at."""
_DENSE, _LIST = 0.5, 6
"""Where the gist is more of the source than this share, lists are cut from so many items on."""
_SURELY = 12
"""Characters for a token of the budget: more do not fit."""
_TIGHT = 200
"""Budgets below this have no room for a legend."""
_JOINED, _WIDTH = 30, 200
"""Items of a list shorter than this share a line up to this width."""
_DECLARES = re.compile(
    rf"[ \t]{{0,16}}(?:@\w|{DECLARATION}|[E>][ \t]|[_=-]{{3,}}[ \t]\S)",
)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document, made of its lines ``first`` to ``last`` (from 1).

    ``extra`` is left out of every view: markup, badges, link targets, what repeats the headings. ``level`` is that of
    a heading. ``names`` are code and links in a paragraph, which a shortened paragraph still mentions. A
    ``term`` is an item that the next one explains.
    """

    kind: Literal["heading", "note", "text", "item", "code", "table", "extra"]
    first: int
    last: int
    text: str
    level: int = 1
    names: tuple[str, ...] = ()
    term: bool = False


def draft(blocks: Sequence[Block], source: str, whole: str, brief: Brief, strategy: str) -> Draft:
    """The gist of the blocks within the brief's budget; ``whole`` is the reference that redeems all of ``source``."""
    every = blocks
    if brief.budget is not None:
        blocks = gathered(blocks, brief, brief.budget)
    short = list(_shortened(blocks, brief))
    chosen = set(range(len(blocks)))
    if brief.budget is None and sum(map(len, short)) > _DENSE * len(source):
        chosen -= set(_listed(blocks, short, brief))
    if brief.budget is None or (blocks is every and sum(map(len, short)) <= _SURELY * brief.budget):
        made = _assembled(blocks, short, chosen, source, whole, brief, strategy)
        if brief.budget is None or brief.count(made.text) <= brief.budget:
            return made
    told = list(parts(blocks, short, brief, brief.budget))
    return fit(told, source, whole, brief, brief.budget, strategy)


def _listed(blocks: Sequence[Block], short: Sequence[str], brief: Brief) -> Iterator[int]:
    """The middles of long lists, but for items with a sign of trouble."""
    for kind, run in groupby(range(len(blocks)), key=lambda place: blocks[place].kind):
        places = list(run)
        if kind == "item" and len(places) > _LIST:
            yield from (place for place in places[_LIST - 2 : -1] if not relevance(short[place], brief))


def _shortened(blocks: Sequence[Block], brief: Brief) -> Iterator[str]:
    seen: set[str] = set()
    mentioned: set[str] = set()
    warns = warning([block.text if block.kind in ("text", "item") else "" for block in blocks])
    for at, block in enumerate(blocks):
        if block.kind == "extra":
            yield ""
        elif block.kind in ("text", "item"):
            short = gist(block.text, brief, warns=at in warns)
            lost = [name for name in block.names[:_NAMES] if name not in mentioned and name not in short]
            mentioned.update(block.names)
            yield f"{short} ({'; '.join(lost)})" if lost and short != block.text else short
        elif block.kind == "code":
            yield _code(block.text, seen, brief)
        else:
            yield block.text


def _code(text: str, seen: set[str], brief: Brief) -> str:
    lines = [line for line in text.split("\n") if line.strip()]
    repeated = [len(line.strip()) > 3 and line.strip() in seen for line in lines]
    out: list[str] = []
    cut = False
    for place, line in enumerate(lines):
        outer = _HEAD <= place < len(lines) - _TAIL
        again = repeated[place] and (place > 0 and repeated[place - 1]) and (repeated[place + 1 : place + 2] != [False])
        if ((outer and not _DECLARES.match(line)) or again) and not relevance(line, brief):
            cut = True
            continue
        if cut:
            out.append("…")
        cut = False
        out.append(line)
    seen.update(line.strip() for line in lines)
    return "\n".join([*out, "…"] if cut else out)


def _note(whole: str, brief: Brief) -> str:
    tight = brief.budget is not None and brief.budget < _TIGHT
    return brief.marks.omitted("rest" if tight else 'rest at "…", link targets, markup (L9: line 9)', whole)


def _mark(item: str) -> str:
    """The bullet of an item with its indentation; empty for a numbered one."""
    indent = len(item) - len(item.lstrip())
    return item[: indent + 2] if item[indent : indent + 2] in ("- ", "* ", "+ ") else ""


def _assembled(
    blocks: Sequence[Block],
    short: Sequence[str],
    chosen: set[int],
    source: str,
    whole: str,
    brief: Brief,
    strategy: str,
) -> Draft:
    out: list[str] = []
    joins = False
    for place, (block, text) in enumerate(zip(blocks, short, strict=True)):
        if not text:
            continue
        if place not in chosen:
            if not out or out[-1] != "…":
                out.append("…")
            continue
        if block.kind == "heading":
            text = f"{'#' * block.level} {text} L{block.first}"
        joins, joined = block.kind == "item" and len(text) < _JOINED, joins
        if joins and joined and out and len(out[-1]) < _WIDTH and (_mark(text) or None) == _mark(out[-1]):
            out[-1] += f" · {text.lstrip()[2:]}"
        else:
            out.append(text)
    text = "\n".join(out)
    if text == source:
        return Draft(text, strategy)
    return Draft(f"{_note(whole, brief)}\n{text}", strategy, (brief.marks.ref(whole),))
