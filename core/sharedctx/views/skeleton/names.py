"""A program in few tokens: the names of all it declares, what fails, what it uses, and signatures while they fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..fitting import rate, within
from ..kind import Brief, Draft
from .plan import FAILURE, FUNCTION, IMPORT, MEMBER, NESTED, TYPE, Plan, width

_STRATEGY = "names"
_LEGEND = re.compile(r"\[\[[^\n\]]{1,60} of \d{1,9} lines by names; the rest omitted")
_TYPES = r"class|interface|struct|enum|union|trait|impl|mod|module|namespace|record|object|protocol|extension"
_TYPE = re.compile(rf"\b(?:{_TYPES})\b")
_KEYWORD = re.compile(
    rf"\b(?:{_TYPES}|type|function|func|fun|fn|def|const|let|var|val|static|macro_rules!)[ \t*]+"
    r"(?:\([^()\n]{0,200}\)[ \t]*)?([\w$]+)"
)
_CALLED = re.compile(r"([\w$~]+)[ \t]*(?:<[^()\n]{0,120}>)?[ \t]*\(")
_SELF = ("(self,", "(self)")
_WORD = re.compile(r"[\w$]+")
_ANGLES = re.compile(r"<[^<>]*>")
_INSIDE = re.compile(r"(?<=[(\[]) | (?=[)\]])|,(?= ?[)\]])")
_GAPS = ("( ", "[ ", " )", " ]", ",)", ",]")
_CUT_END = re.compile(r"[\w$.-]{1,80}$")
_CLOSES = (")", "]", "}", ">")
_LONGEST, _HEADER, _FAILING = 240, 80, 100
"""Characters of a signature, of a type above its members, of a line that fails."""
_WIDTH = 400
_AGAIN = 400
"""Characters of signatures after which it is said again what they are of."""
_ALIKE, _SHARED = 8, 80
"""From so many names on what stands behind all of them is told once, if it has no more than so many characters."""
_COMMA, _NUMBER = 1.2, 3.5
"""Tokens behind a name, and of the number of a line."""
_ROW = 4
"""Tokens that a new row costs."""
_WORTH = {TYPE: 0.35, FUNCTION: 0.3, MEMBER: 0.3, NESTED: 0.1, FAILURE: 1.0, IMPORT: 0.4}
"""What a name is worth, of a failure or an import each new word of it by its costs."""
_DEEP = 1000
_LABEL = re.compile(r"#|[ \t]*(?:\{|where\b|\w+:[ \t]*$)")
"""What stands within a block as far to the left as its header."""


@dataclass(slots=True)
class _Piece:
    """Something that may be shown: its line, how much it matters, the section that it stands in (-1: the first; else a
    type's line), what stands before its name, its name, and what stands behind it. Without a name it is a line."""

    line: int
    rank: float
    section: int
    before: str
    name: str
    rest: str = ""

    @property
    def text(self) -> str:
        """The shortest form."""
        return self.name or self.before


def is_names(first: str) -> bool:
    """Whether a text with this first line is such a view already."""
    return _LEGEND.match(first[:200]) is not None


def outline(plan: Plan, what: str, text: str, brief: Brief, budget: int) -> Draft | None:
    """The names and more of the program ``text`` within a budget; None where not even some names fit."""
    pieces = list(_pieces(plan))
    _share(pieces)
    ref = f"lines:1-{len(plan.lines)}"
    head = brief.marks.omitted(f"{what} of {len(plan.lines)} lines by names; the rest", ref)
    fixed = brief.count(head) + 1
    price = rate(text, brief)
    costs = [_COMMA + price * len(piece.text) for piece in pieces]
    longer = [_NUMBER + price * len(each.name + each.rest) if each.rest else 0 for each in pieces]
    order = _order(pieces, costs, longer)
    before = {piece.before: brief.count(piece.before) + 2 if "…" in piece.before else _ROW for piece in pieces}
    heads = {piece.section: at for at, piece in enumerate(pieces) if piece.section == piece.line and not piece.name}

    def attempt(tokens: float) -> Draft:
        left = tokens - fixed
        shown: dict[int, bool] = {}
        rows: set[tuple[int, str]] = set()
        for at, long in order:
            row = pieces[at].section, pieces[at].before
            cost = (longer if long else costs)[at] - (costs[at] if at in shown else 0)
            cost += 0 if row in rows else before[row[1]]
            head_at = heads.get(row[0], at)
            above = costs[head_at] if head_at != at and head_at not in shown else 0
            if cost + above <= left and not shown.get(at):
                rows.add(row)
                shown.setdefault(head_at, False)
                shown[at] = long
                left -= cost + above
        return Draft("\n".join([head, *_lines(pieces, shown)]), _STRATEGY, (brief.marks.ref(ref),))

    made = within(brief, budget, attempt)
    return made if "\n" in made.text and brief.count(made.text) <= budget else None


def _share(pieces: Sequence[_Piece]) -> None:
    """Tell what stands behind many names of one sort alike, types in angles aside, before them."""
    rests = [piece.rest if piece.name and len(piece.rest) <= _SHARED else "" for piece in pieces]
    rests = [_ANGLES.sub("", rest) if "<" in rest else rest for rest in rests]
    keys = [(piece.section, piece.before, rest) for piece, rest in zip(pieces, rests, strict=True)]
    times = Counter(keys)
    for piece, key in zip(pieces, keys, strict=True):
        rest = key[2]
        if rest and times[key] >= _ALIKE:
            piece.before = f"{piece.before} …{rest}"
            piece.rest = "" if rest == piece.rest else piece.rest


def _order(pieces: Sequence[_Piece], costs: Sequence[float], longer: Sequence[float]) -> list[tuple[int, bool]]:
    """Pieces in their short and long forms by what they tell for a token: names of types, of functions and of members,
    and how many words stand in a signature or another line that stand in none before it."""
    seen = {piece.name for piece in pieces}
    worth: list[tuple[float, int, bool]] = []
    for at, piece in enumerate(pieces):
        new = set(_WORD.findall(piece.rest or piece.before)) - seen
        seen |= new
        stated = not piece.name and piece.section > piece.line  # a failure or an import
        worth.append((piece.rank * (len(new) / costs[at] if stated else 1), at, False))
        if longer[at]:
            worth.append((len(new) / max(longer[at] - costs[at], 1), at, True))
    return [(at, long) for _, at, long in sorted(worth, key=lambda each: (-each[0], each[1], each[2]))]


def _lines(pieces: Sequence[_Piece], shown: Mapping[int, bool]) -> Iterator[str]:
    """Names in rows behind what they are declared by, signatures below them, members below their type."""
    rows: dict[int, dict[str, list[int]]] = {}
    for at in sorted(shown):
        rows.setdefault(pieces[at].section, {}).setdefault(pieces[at].before, []).append(at)
    for section in sorted(rows):
        indent = ""
        for before, members in rows[section].items():
            if not pieces[members[0]].name:
                yield before
                indent = " "
                continue
            start = f"{indent}{before}: " if before else indent
            row = start
            for name in (pieces[at].name for at in members if not shown[at]):
                if len(row) > _WIDTH:
                    yield row
                    row = start
                row += name if row == start else f", {name}"
            if row != start:
                yield row
            since = 0 if row != start else _AGAIN
            for at in members:
                if shown[at]:
                    if since >= _AGAIN and before:
                        yield f"{indent}{before}:"
                        since = 0
                    line = f"{indent} {pieces[at].line + 1} {pieces[at].name}{pieces[at].rest}"
                    since += len(line)
                    yield line


def _pieces(plan: Plan) -> Iterator[_Piece]:
    lines = plan.lines
    runs = list(_runs(plan))
    closing = _closing(plan, runs)
    types: list[tuple[int, int]] = []  # lines of types around a place, and their indentation
    seen: set[tuple[int, str]] = set()
    for at, (first, last, rank) in enumerate(runs):
        text = _joined(lines[first : last + 1])
        indent = width(lines[first])
        while types and types[-1][1] >= min(indent, closing[at]):
            types.pop()
        if rank > TYPE:
            yield _Piece(first, rank, -2, lines[first].rstrip("\r")[:_LONGEST], "")
        elif rank >= NESTED:
            section = types[-1][0] if types else -1
            text = text.rstrip("{:").rstrip()
            keyword = _KEYWORD.search(text)
            named = keyword or _CALLED.search(text)
            after = min(width(lines[runs[at + 1][0]]), closing[at + 1]) if at + 1 < len(runs) else 0
            if after > indent and _TYPE.search(text):
                types.append((first, indent))
                yield _Piece(first, _WORTH[TYPE], first, _clipped(text, _HEADER), "")
            elif named is not None and (section, named[1]) not in seen:
                seen.add((section, named[1]))
                before = text[: named.start(1)].strip() if keyword else ""
                rest = _clipped(text[named.end(1) :], _LONGEST)
                before = before[-_HEADER:] + " (self)" * rest.startswith(_SELF)
                yield _Piece(first, _WORTH[rank], section, before, named[1], rest)
        else:
            section, text = len(lines) + rank, _clipped(text, _FAILING)
            if (section, text) not in seen:
                seen.add((section, text))
                yield _Piece(first, _WORTH[rank], section, text, "")


def _closing(plan: Plan, runs: Sequence[tuple[int, int, int]]) -> list[int]:
    """For each run how little the lines between it and the one before are indented: what is as little is at its end."""
    found = []
    end = 0
    for first, last, _ in runs:
        least = _DEEP
        for line in plan.lines[end:first]:
            if line[:least].isspace():
                continue
            if (own := width(line)) < least and line.strip() and not _LABEL.match(line):
                least = own
                if not own:
                    break
        found.append(least)
        end = last + 1
    return found


def _runs(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """The first and the last line of each declaration, failure and import, and its rank."""
    lines, ranks = plan.lines, plan.ranks
    at = 0
    while at < len(lines):
        rank, first = ranks[at], at
        at += 1
        if rank > TYPE:
            yield first, first, rank
        elif rank >= IMPORT and first not in plan.notes:
            if rank >= NESTED and lines[first].lstrip()[:1] in ("@", "#"):
                continue
            indent = width(lines[first])
            while at < len(lines) and ranks[at] == rank and _continues(lines[at], indent):
                at += 1
            yield first, at - 1, rank


def _continues(line: str, indent: int) -> bool:
    return width(line) > indent or line.lstrip()[:1] in _CLOSES or line.lstrip()[:6].rstrip() == "where"


def _joined(lines: list[str]) -> str:
    text = " ".join(" ".join(lines).split())
    return _INSIDE.sub("", text) if any(gap in text for gap in _GAPS) else text


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{_CUT_END.sub('', text[:most]).rstrip()} …"
