"""Tables that commands print: a line of names, and below it lines of as many cells, apart by spaces."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from ..columns.fitted import shorten_value
from ..columns.shortening import NARROW, Unit
from ..kind import Brief, Draft, Source
from ..lines.log_survey import TIME

_LEAST_LINES = 8
_LEAST_COLUMNS = 3
_SAMPLED = 200
_WIDE_GAP = re.compile(r" {2,}|\t+ *")
_NAME = re.compile(r"[%#]?[A-Z][\w()%./:+ -]{0,30}|[%a-z][\w%./-]{0,20}")
_WORD = re.compile(r"\S+")
_RULE = re.compile(r"[-=+ ]*")
_FITTING = 0.95
_BELOW = 0.7

Cut = Callable[[str], list[str]]


def _gaps(line: str) -> list[str]:
    return _WIDE_GAP.split(line.strip())


def _cells(head: str, lines: list[str]) -> tuple[list[str], Cut] | None:
    """The names, and how a line is cut: by gaps of two spaces, or by words that stand below their names."""
    told = [line for line in lines if not _RULE.fullmatch(line)]
    by_gaps = _gaps(head)
    if _named(by_gaps) and sum(len(_gaps(line)) == len(by_gaps) for line in told) >= _FITTING * len(told):
        return by_gaps, _gaps
    names = head.split()
    if not _named(names) or len(by_gaps) < 2:
        return None
    last = len(names) - 1
    spans = [found.span() for found in _WORD.finditer(head)]

    def words(line: str) -> list[str]:
        return line.split(None, last)

    def below(line: str) -> bool:
        cells = [found.span() for found in islice(_WORD.finditer(line), last + 1)]
        return len(cells) > last and all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(spans, cells, strict=True))

    if sum(map(below, told)) < _BELOW * len(told):
        return None
    if sum(len(words(line)) == len(names) for line in told) < _FITTING * len(told):
        return None
    return names, words


def _named(names: list[str]) -> bool:
    """Whether these are names rather than values or words of a sentence."""
    distinct = _LEAST_COLUMNS <= len(names) == len(set(names))
    return distinct and all(map(_NAME.fullmatch, names)) and not TIME.match(" ".join(names))


class TableKind:
    """What commands such as ps, df and kubectl get print."""

    name = "table"

    def fits(self, source: Source) -> float:
        """0.85 for a line of names above lines with as many cells; no line is empty."""
        head, _, rest = source.text[:65_536].partition("\n")
        lines = rest.split("\n", _SAMPLED)[:_SAMPLED]
        if len(source.text) > 65_536 and len(lines) > 1:
            lines.pop()
        if lines[-1:] == [""]:
            lines.pop()
        if lines.count("") > 1 or len(lines) < _LEAST_LINES or len(head) > 400 or _cells(head, lines) is None:
            return 0.0
        return 0.85

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The columns, a summary of each, and the lines that tell most; markers count the text's lines."""
        head, *lines = source.text.rstrip("\n").split("\n")
        found = _cells(head, lines)
        if found is None:
            return None
        names, cut = found
        rows = [
            dict(zip(names, cells, strict=True)) if len(cells := cut(line)) == len(names) else line for line in lines
        ]
        what = f"{len(rows)} lines under names, row 0 is line 2"
        draft = shorten_value("table", what, rows, source, brief, NARROW, Unit("lines", 2), True)
        if draft is None or draft.refs:
            return draft
        ref = f"lines:1-{len(source.lines)}"  # all cells are there, and how far apart they stand is not
        marker = brief.marks.omitted(f"spelling of {len(source.lines)} lines", ref)
        return Draft(f"{draft.text.rstrip()}\n{marker}", draft.strategy, (brief.marks.ref(ref),))


KIND = TableKind()
