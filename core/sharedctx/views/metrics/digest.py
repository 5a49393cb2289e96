"""Metrics in few tokens: families with their ranges, and samples by the labels that tell them apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..fitting import rate, wanted, within
from ..kind import Brief, Draft
from ..parts import Novelty
from .exposition import Block, amount, span

_FAMILY, _OUTER, _END, _OTHER, _SHARED = 2.0, 3.0, 1.0, 0.2, 0.5
"""What a family is worth, the first and the last sample of all, the ends of a family, a word of another sample, a word
of what all samples of a family have in common."""
_MOST = 40
"""Samples of a family that are looked at beside its ends."""


class _Unit(NamedTuple):
    """A line, its rank, and the unit above it (-1: none)."""

    text: str
    rank: float
    above: int = -1


def digest(blocks: Sequence[Block], source: str, brief: Brief, budget: int, ref: str) -> Draft | None:
    """Return families and samples, the most telling first; None where the budget allows hardly any family."""
    units = list(_units(blocks, brief))
    note = brief.marks.omitted("of metrics the rest", ref)
    fixed = brief.count(note)
    price = rate(source, brief)
    costs = [len(unit.text) * price + 1.5 for unit in units]
    order = sorted(range(len(units)), key=lambda at: (-units[at].rank, at))

    def attempt(tokens: float) -> Draft:
        chosen: set[int] = set()
        left = tokens - fixed
        for at in order:
            needs = [each for each in (at, units[at].above) if each >= 0 and each not in chosen]
            cost = sum(costs[each] for each in needs)
            if cost <= left:
                chosen.update(needs)
                left -= cost
        return Draft("\n".join([note, *(units[at].text for at in sorted(chosen))]), "families", (brief.marks.ref(ref),))

    made = within(brief, budget, attempt)
    return made if "\n" in made.text and brief.count(made.text) <= budget else None


def _units(blocks: Sequence[Block], brief: Brief) -> Iterator[_Unit]:
    novelty = Novelty()
    at = 0
    for place, block in enumerate(blocks):
        samples = block.samples
        family, many = at, len(samples) > 1
        text = f"{samples[0].name} x{len(samples)}{span(block)}" if many else f"{samples[0].name} {samples[0].value}"
        yield _Unit(text, _FAMILY + novelty.of(text) + 10 * wanted(text, brief))
        at += 1
        shared = set(samples[0].labels or ()).intersection(*(sample.labels or () for sample in samples))
        shared = shared if many else set()
        if shared:
            common = f" all: {_labels(pair for pair in samples[0].labels or () if pair in shared)}"
            yield _Unit(common, _SHARED * novelty.of(common) + 10 * wanted(common, brief), family)
            at += 1
        for index, added in _ranked(block, place == 0, place == len(blocks) - 1):
            labels = _labels(pair for pair in samples[index].labels or () if pair not in shared)
            if not labels:
                continue
            text = f" {samples[index].value} {labels}" if many else f" {labels}"
            yield _Unit(text, added + _OTHER * novelty.of(text) + 10 * wanted(text, brief), family)
            at += 1


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs)


def _ranked(block: Block, first: bool, last: bool) -> Iterator[tuple[int, float]]:
    """The samples of a family in order, and what is added to their ranks."""
    values = [amount(sample.value) for sample in block.samples]
    known = [index for index, value in enumerate(values) if not math.isnan(value)]
    low = min(known, key=lambda index: values[index], default=0)
    high = max(known, key=lambda index: values[index], default=0)
    varied = len(set(values)) > 1
    size = len(values)
    for index in dict.fromkeys([*range(min(size, _MOST)), *sorted({low, high, size - 1})]):
        outer = (first and index == 0) or (last and index == size - 1)
        yield index, _OUTER if outer else _END if varied and index in (low, high) else 0.0
