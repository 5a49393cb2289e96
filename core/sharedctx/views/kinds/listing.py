"""Listings of files: paths (find, tar) as a tree, the long lines of ``ls -l``, the drawings of ``tree``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...errors import DecodeError
from ..fitting import rate, wanted, within
from ..kind import Brief, Draft, Source
from ..paths import ls_lines, tree_lines
from ..paths.path_tree import Branch, Leaf, grow, read, render
from ..pieces import assemble, evenly, select

_LEGEND = '[[listing: "dir/" before the names in it ("dir/.": dir itself is listed too), deeper ones indented below]]'
_LEGEND_CRLF = _LEGEND.replace("]]", "; lines end in CRLF]]")
_LONG = re.compile(r'\[\[listing: a letter stands for the start of a line, "\^" for the date above; (\{.*\})\]\]')
_DRAWN = re.compile(r"\[\[listing: a space for each level of a (tree[\w ]{0,40})\]\]")
_MARKER = 30
_GLANCED = 40
_VARIES = re.compile(r"[0-9a-f]{8,}|\d+", re.I)
_MANY = 8
_PATH = re.compile(r"[^\s:;,=(){}<>\"'`|*?!]{1,400}")


class ListingKind:
    """Lists of files."""

    name = "listing"

    def fits(self, source: Source) -> float:
        """Of the first lines, how many are paths, long lines of ls or branches of a tree."""
        sample = [line.rstrip("\r") for line in source.text[:40_000].split("\n")[:400] if line.strip()]
        if len(sample) < 5:
            return 0.0
        if _form(sample):
            return 0.9
        if sum(["/" in line for line in sample]) < 0.5 * len(sample):
            return 0.0
        paths = sum(1 for line in sample if _PATH.fullmatch(line))
        return 0.85 if paths >= 0.9 * len(sample) else 0.0

    def pack(self, source: Source) -> str | None:
        """The exact listing with each directory, each common start or each level named once; None if not shorter."""
        form = _form(source.lines)
        packed = _packed(form, source.lines) if form else None
        if packed is None:
            text, returns = source.text, source.text.count("\r")
            crlf = bool(returns) and returns == text.count("\r\n") == text.count("\n")
            lines = text.replace("\r\n", "\n").split("\n") if crlf else source.lines
            packed = [_LEGEND_CRLF if crlf else _LEGEND, *render(grow(lines))]
        joined = "\n".join(packed)
        return joined if len(joined) < len(source.text) else None

    def unpack(self, text: str) -> str:
        """Return the exact text of a lossless view; raises ``DecodeError``."""
        legend, *lines = text.split("\n")
        if not lines:
            raise DecodeError("this is no lossless view of a listing: nothing follows its first line")
        if legend in (_LEGEND, _LEGEND_CRLF):
            return ("\n" if legend == _LEGEND else "\r\n").join(read(lines))
        long, drawn = _LONG.fullmatch(legend), _DRAWN.fullmatch(legend)
        if long:
            try:
                return "\n".join(ls_lines.unfold(json.loads(long[1]), lines))
            except (ValueError, RecursionError):
                raise DecodeError("the legend of a listing does not say what its letters stand for") from None
        if drawn:
            return "\n".join(tree_lines.unfold(drawn[1], lines))
        raise DecodeError("this is no lossless view of a listing: its first line is not the legend")

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Every directory; of many names that differ in digits alone the first and the last, the rest by reference."""
        form = _form(source.lines)
        if form:
            return _by_lines(form, source, brief)
        tree = grow([line.rstrip("\r") for line in source.lines])
        shown = _typical(tree, brief)
        whole = _draft(tree, shown, source, brief)
        exact = self.pack(source) if len(shown) == sum(map(bool, source.lines)) else None
        if exact and (brief.budget is None or brief.count(exact) <= brief.budget):
            return Draft(exact, "tree")
        if brief.budget is None or brief.count(whole.text) <= brief.budget:
            return whole
        return within(brief, brief.budget, _budgeted(tree, source, brief))


def _form(lines: Sequence[str]) -> str:
    """ "long" or "drawn" if most of the first lines are of that form, else nothing."""
    sample = [line for line in lines[:400] if line.strip()]
    few = evenly(sample, _GLANCED)
    for form, known in (("long", ls_lines.known), ("drawn", tree_lines.known)):
        if 5 * known(few) > len(few) and 2 * known(sample) > len(sample):
            return form
    return ""


def _packed(form: str, lines: Sequence[str]) -> list[str] | None:
    if form == "long":
        heads, rows = ls_lines.fold(lines)
        legend = (
            f'[[listing: a letter stands for the start of a line, "^" for the date above; {ls_lines.spelled(heads)}]]'
        )
        return [legend, *rows]
    rows = tree_lines.fold(lines)
    for style in tree_lines.STYLES:
        if tree_lines.unfold(style, rows) == list(lines):
            return [f"[[listing: a space for each level of a {style}]]", *rows]
    return None


def _by_lines(form: str, source: Source, brief: Brief) -> Draft:
    packed = _packed(form, source.lines)
    if packed and (brief.budget is None or brief.count("\n".join(packed)) <= brief.budget):
        return Draft("\n".join(packed), form)
    if form == "long":
        heads, rows = ls_lines.fold(source.lines, dates=False)
        legend = f"[[a letter stands for the start of a line: {ls_lines.spelled(heads)}]]"
    else:
        legend, rows = "", tree_lines.fold(source.lines)
    whole = f"lines:1-{len(rows)}"
    note = brief.marks.omitted("branches", whole)
    if brief.budget is None:
        return Draft("\n".join([note, *rows]), form, (brief.marks.ref(whole),))
    if 4 * brief.count(legend) > brief.budget:
        legend, rows = "", source.lines

    def attempt(tokens: float) -> Draft:
        room = int(tokens) - brief.count(legend) - _MARKER
        chosen = select(rows, max(room, 0), brief.count, brief.wanted, _MARKER)
        pieces, refs = assemble(rows, chosen, brief.marks, "lines", 1)
        if not refs:
            pieces, refs = [note, *pieces], [brief.marks.ref(whole)]
        return Draft("\n".join([legend, *pieces] if legend else pieces), form, tuple(refs))

    return within(brief, brief.budget, attempt)


def _typical(tree: Sequence[Leaf | Branch], brief: Brief) -> set[int]:
    """The places of the names to show when there is room."""
    shown: set[int] = set()
    pending = [tree]
    while pending:
        inner = pending.pop()
        alike: dict[str, list[Leaf]] = {}
        pending += [each.inner for each in inner if isinstance(each, Branch)]
        leaves = [each for each in inner if isinstance(each, Leaf)]
        forms = _VARIES.sub("0", "\n".join([leaf.name[:400] for leaf in leaves])).split("\n")
        for leaf, form in zip(leaves, forms, strict=False):  # of no leaves there is one form, the empty one
            alike.setdefault(form, []).append(leaf)
        for some in alike.values():
            shown.update(leaf.index for leaf in (some if len(some) < _MANY else [*some[:2], some[-1]]))
        if brief.wanted:
            shown.update(leaf.index for leaf in leaves if wanted(leaf.name, brief))
    return shown


def _budgeted(tree: Sequence[Leaf | Branch], source: Source, brief: Brief) -> Callable[[float], Draft]:
    """What makes a draft of so many tokens: shallow directories before deep ones, each one's first names before its
    others, words of the query first."""
    price = rate(source.text, brief)
    fixed = brief.count(_note(len(source.lines), len(source.lines), brief)) + 2
    units: list[tuple[float, int, float, Leaf | Branch]] = []  # minus the rank, the unit that it stands in, its cost
    pending: list[tuple[Sequence[Leaf | Branch], int, int]] = [(tree, -1, 0)]
    while pending:
        inner, above, depth = pending.pop()
        for place, each in enumerate(inner):
            rank = 1 / (2 + place) + 5 * wanted(each.name, brief)
            cost = len(each.name) * price + 1
            if isinstance(each, Branch):
                rank += 2 - depth / 10
                pending.append((each.inner, len(units), depth + 1))
                cost += 4
            units.append((-rank, above, cost, each))
    order = sorted(range(len(units)), key=lambda unit: (units[unit][0], units[unit][3].index))
    least = min([cost for _, _, cost, _ in units], default=0.0)

    def attempt(tokens: float) -> Draft:
        left = tokens - fixed
        chosen: set[int] = set()
        for unit in order:
            if left < least:
                break
            path = []
            while unit >= 0 and unit not in chosen:
                path.append(unit)
                unit = units[unit][1]
            cost = sum(units[each][2] for each in path)
            if cost <= left:
                left -= cost
                chosen.update(path)
        kept = {id(units[unit][3]) for unit in chosen}
        shown = {units[unit][3].index for unit in chosen if isinstance(units[unit][3], Leaf)}
        return _draft(_pruned(tree, kept), shown, source, brief)

    return attempt


def _pruned(tree: Sequence[Leaf | Branch], kept: set[int]) -> tuple[Leaf | Branch, ...]:
    """The kept branches with their own names before the branches in them: each is then spelled once."""
    found: list[Leaf | Branch] = []
    for each in tree:
        if isinstance(each, Leaf):
            found.append(each)
        elif id(each) in kept:
            found.append(replace(each, inner=_pruned(each.inner, kept)))
        else:
            found.append(Leaf(-1, each.name, each.size))
    return tuple(sorted(found, key=lambda each: isinstance(each, Branch)))


def _note(left_out: int, total: int, brief: Brief) -> str:
    return brief.marks.omitted(f'{left_out} of {total} names ("+5": five of them)', f"lines:1-{total}")


def _draft(tree: Sequence[Leaf | Branch], shown: set[int], source: Source, brief: Brief) -> Draft:
    total = len(source.lines)
    left_out = 0

    def say(leaves: Sequence[Leaf]) -> list[str]:
        nonlocal left_out
        names: list[str] = []
        gap = 0
        for leaf in leaves:
            if not leaf.name:  # an empty line
                continue
            if leaf.index in shown:
                if gap:
                    names.append(f"+{gap}")
                names.append(leaf.name)
                gap = 0
            else:
                gap += leaf.size
                left_out += leaf.size
        return [*names, f"+{gap}"] if gap else names

    lines = list(render(tree, say))
    return Draft("\n".join([_note(left_out, total, brief), *lines]), "tree", (brief.marks.ref(f"lines:1-{total}"),))


KIND = ListingKind()
