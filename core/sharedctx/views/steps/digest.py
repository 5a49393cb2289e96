"""A transcript in few tokens: what the agent did, what failed and how it ended, then what else says something new."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..columns.excerpt import NOTABLE, suspects
from ..fitting import afford, by_rank, rate, wanted, within
from ..kind import Brief, Draft
from ..parts import Novelty, chunks
from .spoken import DONE, RULES, SAID, TOLD, Line, lines

_WORTH = {DONE: 2.5, SAID: 1.0, TOLD: 0.5, RULES: 0.2}
_OTHER = 0.4
"""What a new word for each token is worth, by the sort of its line."""
_FAILED, _TROUBLE, _FIRST, _LAST = 2.5, 1.5, 2.0, 3.0
"""What is added for a line that tells a failure, for one with signs of trouble, for the first line of what was done in
a step, for the last words."""
_LEAST_NEW = 0.02
"""New words for each token that a line must have for that."""
_FAILS = re.compile(r"\W{0,4}(?:[\w.]{0,80}(?:Error|Exception)\b|(?i:error|fatal|panic|failed|traceback)\b)")
"""How a line starts that is itself what failed."""
_READ = 2000
_SIGNS = {DONE: ">", SAID: "", TOLD: "<", RULES: "<"}


class _Part(NamedTuple):
    """A line or a part of a long one, its rank, and whether the part before is of the same line."""

    line: Line
    text: str
    rank: float
    goes_on: bool


def digest(value: Any, brief: Brief, budget: int, source: str) -> Draft | None:
    """The lines that tell most, under the numbers of their steps; None where not one fits."""
    parts = list(_parts(list(lines(value)), brief))
    ref = f"rows:0-{len(value) - 1}" if type(value) is list else "all"
    total = len(value) if type(value) is list else sum(len(each) for each in value.values() if type(each) is list)
    note = brief.marks.omitted(f"of {total} steps (3>: done in step 3; 3<: told) the rest", ref)
    fixed = brief.count(note)
    price = rate(source, brief)
    costs = [len(part.text) * price + 2.5 for part in parts]
    order = by_rank([part.rank for part in parts])

    def attempt(tokens: float) -> Draft:
        chosen = afford(costs, order, tokens - fixed)
        return Draft("\n".join([note, *_rows(parts, chosen)]), "digest", (brief.marks.ref(ref),))

    made = within(brief, budget, attempt)
    return made if "\n" in made.text and brief.count(made.text) <= budget else None


def _parts(told: Sequence[Line], brief: Brief) -> Iterator[_Part]:
    """All lines in their order. What was done is judged first: the words that announce it are not new then."""
    troubled = set(suspects([line.text for line in told]))
    novelty = Novelty()
    seen: set[str] = set()
    acted: set[tuple[str, int]] = set()
    found: dict[int, list[_Part]] = {}
    last = next((line.step for line in reversed(told) if line.step >= 0 and line.sort in (SAID, DONE)), -1)
    for index in sorted(range(len(told)), key=lambda index: told[index].sort != DONE):
        line = told[index]
        text = line.text.strip()
        if text in seen:
            continue
        seen.add(text)
        added = 0.0
        if index in troubled and line.sort != RULES and NOTABLE.search(text, 0, _READ):
            added += _FAILED if _FAILS.match(text) else _TROUBLE
        if line.sort == DONE and (line.array, line.step) not in acted:
            acted.add((line.array, line.step))
            added += _FIRST
        if line.step == last and line.sort in (SAID, TOLD):
            added += _LAST
            last = -1 if line.step == told[-1].step else told[-1].step
        found[index] = []
        for number, chunk in enumerate(chunks(text[:_READ])):
            new = novelty.of(chunk)
            rank = _WORTH.get(line.sort, _OTHER) * new + 10 * wanted(chunk, brief)
            if new > _LEAST_NEW and not number:
                rank += added
            found[index].append(_Part(line, chunk, rank, number > 0))
    for index in sorted(found):
        yield from found[index]


def _rows(parts: Sequence[_Part], chosen: set[int]) -> Iterator[str]:
    """The chosen parts in order; the array and the step are named where they change."""
    array, step, row = "", -1, ""
    for at, part in enumerate(parts):
        if at not in chosen:
            if part.goes_on and row and at - 1 in chosen:
                row += " …"
            continue
        if part.goes_on and at - 1 in chosen:
            row += f" {part.text}"
            continue
        if row:
            yield row
        line = part.line
        if line.array != array and line.array:
            yield f"{line.array[1:]}:"
        named = (line.array, line.step) != (array, step) and line.step >= 0
        head = f"{line.step if named else ''}{_SIGNS.get(line.sort, '')}"
        array, step = line.array, line.step
        row = f"{head}{' ' if head else ''}{'… ' if part.goes_on else ''}{part.text}"
    if row:
        yield row
