"""Markdown, reStructuredText and plain prose: headings, first sentences, code, tables, warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from ..documents.blocks import draft
from ..documents.gathered import enough
from ..documents.markup import DIRECTIVE, FENCE, ITEM, RULE, heading, read
from ..kind import Brief, Draft, Source

_LETTERS = re.compile(r"[\"'(*_`]{0,3}[^\W\d_]{1,30}(?:['\u2019-][^\W\d_]{1,30}){0,4}[.,;:!?)\"'*_`]{0,4}")
_CODE = re.compile(
    r"(?:import|from|def|class|package|func|fn|pub|use|export|const|public|private|#include|@\w+|diff --git"
    r"|---(?!-)|\+\+\+(?!\+))"
    r"\s*[\w.({<\"'*+-]|\w+ = |__\w+|[)}\]]|(?:\[?\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\[\d)"
)


class MarkdownKind:
    """Documents written for people: Markdown, reStructuredText and plain prose."""

    name = "markdown"

    def fits(self, source: Source) -> float:
        """Of the first lines, how many are sentences, and which signs of markup stand among them."""
        lines = [line[:500] for line in source.text[:40_000].split("\n")[:600]]
        filled = [line for line in lines if line.strip()]
        if not filled:
            return 0.0
        outside = list(_outside(lines))
        most = 1 + len(filled) // 60
        code = (line for line in outside if _CODE.match(line) and not _is_prose(line))
        if next(islice(code, most, None), None) is not None:
            return 0.0
        flush = [line for line in outside if line.strip() and line[:4].strip()]
        titles = sum(1 for line in outside if "#" in line[:4] and heading(line))
        rules = sum(1 for a, b in pairwise(outside) if b[:1] == b[1:2] and a[:1].strip() and RULE.match(b))
        signs = [
            titles > 1,
            rules > 1,
            len(outside) < len(lines),
            any(".." in line and DIRECTIVE.match(line) for line in outside),
            any(a.rstrip().endswith("::") and not b.strip() for a, b in pairwise(outside)),
            len(list(islice(filter(ITEM.match, outside), 3))) > 2,
        ]
        if not any(signs):
            return 0.5 if _share_of_prose(flush, 0.6, 0.6) >= 0.6 else 0.0
        several = sum(signs) >= 2
        prose = _share_of_prose(flush, 0.1 if several else 0.2, 0.2)
        if prose >= 0.2:
            return 0.7 if several else 0.6
        return 0.55 if several and prose >= 0.1 else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Headings with their lines, the first sentences of paragraphs, code, tables and warnings."""
        total = len(source.lines)
        blocks = read(source.lines, enough(brief))
        return draft(blocks, source.text, f"lines:1-{total}", brief, "outline")


def _outside(lines: list[str]) -> Iterator[str]:
    """The lines that stand in no fence."""
    fence = ""
    for line in lines:
        found = FENCE.match(line) if "```" in line or "~~~" in line else None
        if fence:
            if found and found[1].startswith(fence):
                fence = ""
        elif found:
            fence = found[1]
        else:
            yield line


def _share_of_prose(lines: list[str], least: float, enough: float) -> float:
    """Which share of the lines are sentences; 0 as soon as that cannot be ``least``, and what was found as soon as that
    is ``enough``."""
    found = 0
    for at, line in enumerate(lines):
        found += _is_prose(line)
        if found >= enough * len(lines):
            return found / len(lines)
        if found + len(lines) - at - 1 < least * len(lines):
            return 0.0
    return found / max(len(lines), 1)


def _is_prose(line: str) -> bool:
    words = line.split()
    return len(words) >= 5 and sum(map(bool, map(_LETTERS.fullmatch, words))) >= 0.75 * len(words)


KIND = MarkdownKind()
