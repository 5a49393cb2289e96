"""The standard view of metrics: ranges of the families, with the samples at their ends and those unlike the rest."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import pairwise

from ..kind import Brief, Draft, Source
from .digest import digest
from .exposition import Block, amount, span
from .table import Writer

_WHOLE = 2
"""Samples: a block of no more is shown whole."""
_ODD = 4
_TOP = 4
_LEAST = 6
"""Tokens that a block costs at least."""
_ROOMY = 0.1
"""A budget of a smaller share of the tokens has no room for all ranges."""
_ABOUT = (
    ' of metrics (below, "@9 type name{a="x",b=?,c^} ? 17?" heads 9 samples: c^ is as in the heading above, ? is in'
    " their rows: labels, value, time after 17; @9 ^: of the name above; at the end of a histogram its sum and count)"
)
_HELP = 60
"""Characters of HELP that are told."""


class Ranges:
    """Chooses samples and writes them below their headings."""

    def __init__(self, source: Source, brief: Brief, blocks: list[Block]) -> None:
        self._source = source
        self._brief = brief
        self._blocks = blocks
        self._ends = _all_ends(blocks)

    def draft(self) -> Draft | None:
        """The most that the budget allows; None where it allows nothing."""
        marks, total = self._brief.marks, len(self._source.lines)
        ref = f"lines:1-{total}"
        budget = self._brief.budget
        if budget is None or budget >= _ROOMY * self._brief.count(self._source.text):
            bodies = list(self._bodies())
            shown = sum(number for _, number in bodies)
            text = "\n".join(
                [marks.omitted(f"{total - shown} of {total} lines{_ABOUT}", ref), *(body for body, _ in bodies)]
            )
            if budget is None or self._brief.count(text) <= budget:
                return Draft(text, "ranges", (marks.ref(ref),))
        if len(self._blocks) * _LEAST <= budget:
            told = digest(self._blocks, self._source.text, self._brief, budget, ref)
            if told is not None:
                return told
        marker = marks.omitted(f"{total} lines of metrics but the names of families", ref)
        return self._named(marker, budget, marks.ref(ref))

    def _named(self, marker: str, budget: int, ref: str) -> Draft | None:
        names = list(dict.fromkeys(block.samples[0].name for block in self._blocks))
        while names:
            text = f"{marker}\n{', '.join(names)}"
            over = self._brief.count(text) - budget
            if over <= 0:
                return Draft(text, "families", (ref,))
            names = names[: len(names) - max(1, min(over // 8, len(names) // 2))]
        return None

    def _bodies(self) -> Iterator[tuple[str, int]]:
        """The text of each block and how many samples it shows; a histogram's sum and count stand with its buckets."""
        writer = Writer([])
        at, above = 0, ""
        while at < len(self._blocks):
            block = self._blocks[at]
            ends = self._ends.get(at, "")
            body, shown = self._body(block, writer, ends)
            name = block.samples[0].name
            if name == above:
                body = body.replace(f" {name}", " ^", 1)
            yield body, shown + 2 * bool(ends)
            at, above = at + 1 + 2 * bool(ends), name

    def _body(self, block: Block, writer: Writer, ends: str) -> tuple[str, int]:
        number = len(block.samples)
        lines = f"lines {block.line}-{block.line + number - 1}" if number > 1 else f"line {block.line}"
        chosen = self._chosen(block)
        block = Block(block.line, block.samples, block.base, block.type, _shortened(block.help))
        head = writer.heading(block, number)
        rows = list(writer.rows(block, chosen))
        if (rows or not chosen) and len(chosen) < number:
            rows.append(f"… {lines}{span(block)}{ends}")
        elif ends:
            rows.append(f"…{ends}")
        return "\n".join([head, *rows]), len(chosen)

    def _chosen(self, block: Block) -> list[int]:
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
        values = [amount(sample.value) for sample in samples]
        if _is_buckets(block):
            return sorted(found | _steps(values))
        known = [index for index, value in enumerate(values) if not math.isnan(value)]
        if known:
            found |= {min(known, key=lambda index: values[index]), max(known, key=lambda index: values[index])}
        if len(set(values)) > _WHOLE:
            found |= set(nlargest(_TOP, known, key=lambda index: values[index]))
        return sorted(found | {0, last} | set(self._odd(values)))

    def _odd(self, values: list[float]) -> list[int]:
        """The few samples that are not a number, or not what nearly all of the block are."""
        odd = [index for index, value in enumerate(values) if not math.isfinite(value)]
        [(usual, number)] = Counter(values).most_common(1)
        if number > 0.5 * len(values):
            odd += [index for index, value in enumerate(values) if value != usual]
        return odd[:_ODD]


def _is_buckets(block: Block) -> bool:
    """Whether a block is the buckets of one histogram, whose values count up."""
    first = block.samples[0]
    if not first.name.endswith("_bucket") or not first.labels or len(block.samples) < 3:
        return False
    series = {tuple(pair for pair in sample.labels or () if pair[0] != "le") for sample in block.samples}
    values = [amount(sample.value) for sample in block.samples]
    return len(series) == 1 and values[-1] < math.inf and all(0 <= a <= b for a, b in pairwise(values))


def _steps(values: list[float]) -> set[int]:
    """The buckets where the count starts, passes its half, and is full; none where all are the same."""
    if values[0] == values[-1]:
        return set()
    return {next(at for at, value in enumerate(values) if value and value >= values[-1] * part) for part in (0, 0.5, 1)}


def _all_ends(blocks: Sequence[Block]) -> dict[int, str]:
    """What stands behind the buckets of each histogram. Not of those with the largest sum and count of a family, and
    not of the last: their samples are told by their names."""
    found = {at: ends for at in range(len(blocks) - 3) if (ends := _ends(blocks, at))}
    families: dict[str, list[int]] = defaultdict(list)
    for at in found:
        families[blocks[at].samples[0].name].append(at)
    for places in families.values():
        if len(places) > _ODD:
            for behind in (1, 2):
                values = {at: amount(blocks[at + behind].samples[0].value) for at in places}
                largest = max((value for value in values.values() if not math.isnan(value)), default=math.nan)
                found.pop(next((at for at in places if values[at] == largest), -1), None)
    return found


def _ends(blocks: Sequence[Block], at: int) -> str:
    """What the two samples behind the buckets of a histogram tell, or nothing where they are something else."""
    if not _is_buckets(blocks[at]) or any(len(block.samples) > 1 for block in blocks[at + 1 : at + 3]):
        return ""
    first = blocks[at].samples[0]
    base = first.name.removesuffix("_bucket")
    labels = tuple(pair for pair in first.labels or () if pair[0] != "le")
    after = [block.samples[0] for block in blocks[at + 1 : at + 3]]
    if [each.name for each in after] != [f"{base}_sum", f"{base}_count"]:
        return ""
    if any((each.labels or ()) != labels or each.time != first.time for each in after):
        return ""
    return f"; sum {after[0].value} count {after[1].value}"


def _shortened(told: str) -> str:
    told = told.removeprefix("[ALPHA] ")
    if len(told) <= _HELP * 5 // 4:
        return told
    return told[: told.rfind(" ", 0, _HELP)] + "…" if " " in told[:_HELP] else ""
