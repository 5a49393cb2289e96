"""Which lines of a program a view shows: by rank, what a query asks for first, within a budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice

from ..kind import Brief, Draft, Source
from .names import outline
from .plan import NOTE, STATED, STATEMENT, LineNumbers, Plan
from .spelling import spell

_WANTED, _HIT = 20, 11
_MUCH = ((STATEMENT, 0.4), (NOTE, 0.36), (STATED, 0.6))
"""Where a skeleton is more of a program than this share, lines of a rank are left out."""
_SMALL = 600
"""So many characters more are no matter."""
_WIDE = 400
_COMMON = 400
_WHOLE_FUNCTIONS, _LONGEST_FUNCTION, _MOST_HITS = 3, 80, 60
_SHARE = 0.6
"""How much of a budget whole functions may take."""
_SURELY = 10
"""Characters of lines for a token of the budget: more do not fit."""
_STRATEGY = "skeleton"


def select(plan: Plan, name: str, source: Source, brief: Brief) -> Draft | None:
    """Return the draft of a program by the ranks of its lines; None where it would not be shorter."""
    lines, ranks = plan.lines, plan.ranks
    if brief.wanted:
        _promote(plan, source.text, brief)
    size = len(source.text)
    shown = [index for index, rank in enumerate(ranks) if rank]
    sizes = [min(len(line), _WIDE) + 1 for line in lines]
    for rank, most in _MUCH:
        if sum([sizes[index] for index in shown]) > most * size + _SMALL:
            shown = [index for index in shown if ranks[index] > rank]
    if brief.budget is None or sum([sizes[index] for index in shown]) <= _SURELY * brief.budget:
        draft = spell(plan, shown, name, brief.marks)
        if brief.budget is None:
            return draft if shown and len(draft.text) < size else None
        if shown and brief.count(draft.text) <= brief.budget:
            return draft
    return outline(plan, name, source.text, brief, brief.budget) or _within(plan, name, source, brief, brief.budget)


def _within(plan: Plan, name: str, source: Source, brief: Brief, budget: int) -> Draft:
    """The best ranked lines that fit a budget, or nothing but a reference to all."""
    lines, ranks = plan.lines, plan.ranks
    price = brief.count(source.text) / max(len(source.text), 1)
    ordered = sorted((index for index, rank in enumerate(ranks) if rank), key=lambda index: (-ranks[index], index))
    most, cost = 0, 0.0
    while most < len(ordered) and cost <= 2 * budget:
        cost += min(len(lines[ordered[most]]), _WIDE) * price
        most += 1
    last = len(lines)
    best = Draft(
        brief.marks.omitted(f"{name} of {last} lines", f"lines:1-{last}"),
        _STRATEGY,
        (brief.marks.ref(f"lines:1-{last}"),),
    )
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        draft = spell(plan, sorted(ordered[:middle]), name, brief.marks)
        if brief.count(draft.text) <= budget:
            best, least = draft, middle
        else:
            most = middle - 1
    return best


def _promote(plan: Plan, text: str, brief: Brief) -> None:
    """Raise the lines with words of the query, and whole the functions that have most of them, if they are short."""
    places = _places(text.lower(), brief.wanted)
    owner: dict[int, int] = {}
    functions = sorted(plan.functions)
    for number, (first, last) in enumerate(functions):
        if last - first < _LONGEST_FUNCTION:
            owner.update(dict.fromkeys(range(first, last + 1), number))
    scores: defaultdict[int, float] = defaultdict(float)
    hits: defaultdict[int, float] = defaultdict(float)
    for found in places:
        weight = 1 + 1 / len(found)
        for line in found:
            hits[line] += weight
        for number in {owner[line] for line in found if line in owner}:
            scores[number] += weight
    room = float("inf")
    price = 0.0
    if brief.budget is not None:
        room, price = _SHARE * brief.budget, brief.count(text) / max(len(text), 1)
    for number in islice(sorted(scores, key=lambda number: (-scores[number], number)), _WHOLE_FUNCTIONS):
        first, last = functions[number]
        cost = price * sum(len(line) + 1 for line in plan.lines[first : last + 1])
        if cost <= room:
            room -= cost
            plan.keep(first, last, _WANTED)
    for line in islice(sorted(hits, key=lambda line: (-hits[line], line)), _MOST_HITS):
        plan.keep(line, line, _HIT)


def _places(low: str, wanted: Sequence[str]) -> list[list[int]]:
    """For each word that is not too common, the lines that have it."""
    found: list[list[int]] = []
    for word in wanted:
        lines: list[int] = []
        numbers = LineNumbers(low)
        at = low.find(word) if word else -1
        while at >= 0 and len(lines) <= _COMMON:
            lines.append(numbers.of(at))
            end = low.find("\n", at)
            at = low.find(word, end) if end >= 0 else -1
        if 0 < len(lines) <= _COMMON:
            found.append(lines)
    return found
