"""The standard view of metrics: ranges of the families, with the samples at their ends and those unlike the rest."""

from __future__ import annotations

import math
from collections import Counter
from heapq import nlargest

from ..kind import Brief, Draft, Source
from .exposition import Block
from .table import Writer

_WHOLE = 2
"""Samples: a block of no more is shown whole."""
_ODD = 4
_TOP = 4
_LEAST = 6
"""Tokens that a block costs at least."""
_ABOUT = (
    ' of metrics (below, "@9 type name{a="x",b=?,c^} ? 17?" heads 9 samples: c^ is as in the heading above, ? is in'
    " their rows: labels, value, time after 17)"
)


class Ranges:
    """Chooses samples and writes them below their headings."""

    def __init__(self, source: Source, brief: Brief, blocks: list[Block]) -> None:
        self._source = source
        self._brief = brief
        self._blocks = blocks

    def draft(self) -> Draft | None:
        """The most that the budget allows; None where it allows nothing."""
        marks, total = self._brief.marks, len(self._source.lines)
        ref = f"lines:1-{total}"
        budget = self._brief.budget
        for level in (3, 2, 1, 0):
            if budget is not None and len(self._blocks) * _LEAST > budget:
                continue
            bodies = [self._body(block, writer, level) for writer in (Writer([]),) for block in self._blocks]
            shown = sum(number for _, number in bodies)
            about = _ABOUT if level else " of metrics"
            marker = marks.omitted(f"{total - shown} of {total} lines{about}", ref)
            text = "\n".join([marker, *(body for body, _ in bodies)])
            if budget is None or self._brief.count(text) <= budget:
                return Draft(text, "ranges", (marks.ref(ref),))
        marker = marks.omitted(f"{total} lines of metrics but the names of families", ref)
        return self._named(marker, budget or 0, marks.ref(ref))

    def _named(self, marker: str, budget: int, ref: str) -> Draft | None:
        names = list(dict.fromkeys(block.samples[0].name for block in self._blocks))
        while names:
            text = f"{marker}\n{', '.join(names)}"
            over = self._brief.count(text) - budget
            if over <= 0:
                return Draft(text, "families", (ref,))
            names = names[: len(names) - max(1, min(over // 8, len(names) // 2))]
        return None

    def _body(self, block: Block, writer: Writer, level: int) -> tuple[str, int]:
        number = len(block.samples)
        lines = f"lines {block.line}-{block.line + number - 1}" if number > 1 else f"line {block.line}"
        if level == 0:
            return f"{block.samples[0].name} x{number}{_range(block)}", 0
        chosen = self._chosen(block, level)
        if level < 3:
            block = Block(block.line, block.samples, block.base, block.type)
        head = writer.heading(block, number)
        rows = list(writer.rows(block, chosen))
        if rows and len(chosen) < number:
            rows.append(f"… {lines}{_range(block)}")
        return "\n".join([head, *rows]), len(chosen)

    def _chosen(self, block: Block, level: int) -> list[int]:
        samples = block.samples
        last = len(samples) - 1
        wanted = self._brief.wanted
        found = {
            index
            for index, sample in enumerate(samples)
            if wanted and any(word in str(sample).lower() for word in wanted)
        }
        found = set(sorted(found)[:50])
        if last < _WHOLE:
            return list(range(last + 1))
        if level == 1:
            return sorted(found)[:5]
        values = [_number(sample.value) for sample in samples]
        known = [index for index, value in enumerate(values) if not math.isnan(value)]
        if known:
            found |= {min(known, key=lambda index: values[index]), max(known, key=lambda index: values[index])}
        if level > 2 and len(set(values)) > _WHOLE:
            found |= set(nlargest(_TOP, known, key=lambda index: values[index]))
        if level > 2:
            found |= {0, last} | set(self._odd(values))
        return sorted(found)

    def _odd(self, values: list[float]) -> list[int]:
        """The few samples that are not a number, or not what nearly all of the block are."""
        odd = [index for index, value in enumerate(values) if not math.isfinite(value)]
        [(usual, number)] = Counter(values).most_common(1)
        if number > 0.5 * len(values):
            odd += [index for index, value in enumerate(values) if value != usual]
        return odd[:_ODD]


def _number(spelled: str) -> float:
    try:
        return float(spelled)
    except ValueError:
        return math.nan


def _range(block: Block) -> str:
    """`` 0..12, 7 of them 0`` for the values of a block."""
    spelled = {sample.value: _number(sample.value) for sample in block.samples}
    known = [each for each in spelled if not math.isnan(spelled[each])]
    if not known:
        return ""
    low, high = min(known, key=lambda each: spelled[each]), max(known, key=lambda each: spelled[each])
    zeros = sum(spelled[sample.value] == 0 for sample in block.samples)
    if spelled[low] == spelled[high]:
        return f" all {low}"
    return f" {low}..{high}" + (f", {zeros} of them 0" if zeros else "")
