"""Scores: tokens saved, facts kept and time of every contestant, item by item and kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from contestants import Contestant, Failed
from facts import Item, Needle
from figures import Table, number, percentile

from sharedctx.errors import InvalidValue
from sharedctx.tokens import TokenCounter
from sharedctx.views import expand

ANSWER = 600
"""Tokens that the answer to a follow-up question may have."""


@dataclass(frozen=True)
class Score:
    """What one contestant made of one item; ``missed`` are the facts that its view does not show."""

    item: Item
    before: int
    after: int
    ms: float
    missed: tuple[Needle, ...]
    failure: str = ""


@dataclass
class Scores:
    """All scores of one contestant, or those of some kinds."""

    each: list[Score] = field(default_factory=list)

    def of(self, kind: str) -> Scores:
        """Those of one kind."""
        return Scores([score for score in self.each if score.item.kind == kind])

    @property
    def saved(self) -> float:
        """Percent of the tokens that the views do without, weighted by tokens."""
        return 100 * (1 - sum(score.after for score in self.each) / sum(score.before for score in self.each))

    @property
    def mean_saved(self) -> float:
        """Percent of the tokens saved, each item counting alike."""
        return 100 * fmean(1 - score.after / score.before for score in self.each)

    @property
    def speed(self) -> float:
        """Milliseconds for a million characters."""
        return sum(score.ms for score in self.each) / sum(len(score.item.text) for score in self.each) * 1e6

    def recall(self, critical: bool) -> float | None:
        """Percent of the facts that the views show; None where there are none."""
        found = [_recalled(score, critical) for score in self.each]
        shown, known = sum(each[0] for each in found), sum(each[1] for each in found)
        return 100 * shown / known if known else None

    def mean_recall(self, critical: bool) -> float | None:
        """Percent of the facts shown, each item that has any counting alike."""
        found = [_recalled(score, critical) for score in self.each]
        shares = [shown / known for shown, known in found if known]
        return 100 * fmean(shares) if shares else None


def _recalled(score: Score, critical: bool) -> tuple[int, int]:
    known = sum(needle.critical == critical for needle in score.item.needles)
    return known - sum(needle.critical == critical for needle in score.missed), known


def scored(contestant: Contestant, each: Item, count: TokenCounter) -> Score:
    """Score one view; a contestant that fails at a text leaves it untouched."""
    before = count(each.text)
    try:
        view, ms = contestant.view(each.text)
    except Failed as error:
        return Score(each, before, before, 0.0, (), str(error))
    missed = () if view == each.text else tuple(needle for needle in each.needles if not needle.stands_in(view))
    return Score(each, before, count(view), ms, missed)


def kinds(items: Iterable[Item]) -> list[str]:
    """The kinds there are, in alphabetic order."""
    return sorted({each.kind for each in items})


def table(found: dict[str, Scores], items: Sequence[Item]) -> Table:
    """Tokens saved, with critical and look-up recall in brackets."""
    made = Table(
        "Tokens saved, % (facts shown: critical, look-up, %)",
        ["kind", *found],
        note="`all` weighs items by their tokens; in `mean of items` every item counts alike.",
    )
    for kind in kinds(items):
        parts = {name: scores.of(kind) for name, scores in found.items()}
        cells = [_cell(part.saved, part.recall(True), part.recall(False)) for part in parts.values()]
        made.rows.append([kind, *cells])
    made.rows.append(
        ["all", *(_cell(part.saved, part.recall(True), part.recall(False)) for part in found.values())],
    )
    made.rows.append(
        [
            "mean of items",
            *(_cell(part.mean_saved, part.mean_recall(True), part.mean_recall(False)) for part in found.values()),
        ],
    )
    return made


def speeds(found: dict[str, Scores], items: Sequence[Item]) -> Table:
    """Time of every contestant."""
    made = Table("Processor time, ms for a million characters", ["kind", *found])
    for kind in kinds(items):
        made.rows.append([kind, *(number(scores.of(kind).speed) for scores in found.values())])
    made.rows.append(["all", *(number(scores.speed) for scores in found.values())])
    return made


def beaten(mine: Scores, theirs: Scores, items: Sequence[Item]) -> list[str]:
    """The kinds in which ``mine`` saves less and also shows fewer facts of either sort."""
    worse = []
    for kind in kinds(items):
        my, its = mine.of(kind), theirs.of(kind)
        fewer = any((my.recall(sort) or 0) < (its.recall(sort) or 0) for sort in (True, False))
        if fewer and my.saved < its.saved:
            worse.append(kind)
    return worse


def _cell(saved: float, crit: float | None, lookup: float | None) -> str:
    shown = ", ".join("-" if share is None else f"{share:.0f}" for share in (crit, lookup))
    return f"{saved:.1f} ({shown})"


@dataclass(frozen=True)
class Answer:
    """What one follow-up question found."""

    kind: str
    found: bool
    tokens: int


def follow_up(scores: Scores, count: TokenCounter, said: Callable[[str], object]) -> list[Answer]:
    """Ask once, by its words, for every look-up fact that a view does not show."""
    answers = []
    for score in scores.each:
        for needle in score.missed:
            if needle.critical:
                continue
            try:
                text = expand(score.item.text, f"query:{needle.words}", max_tokens=ANSWER)
            except InvalidValue as error:
                said(f"{score.item.name}: {error}")
                text = ""
            answers.append(Answer(score.item.kind, needle.stands_in(text), count(text)))
    return answers


def follow_up_table(answers: Sequence[Answer]) -> Table:
    """Share found and size of the answers, kind by kind."""
    made = Table(
        "One question for each look-up fact that the standard view does not show",
        ["kind", "facts", "found %", "mean tokens", "p95 tokens", "most tokens"],
    )
    for kind in [*sorted({answer.kind for answer in answers}), "all"]:
        part = [answer for answer in answers if kind in (answer.kind, "all")]
        if not part:
            continue
        sizes = sorted(answer.tokens for answer in part)
        found = 100 * fmean(answer.found for answer in part)
        figures = (fmean(sizes), percentile(sizes, 95), sizes[-1])
        made.rows.append([kind, str(len(part)), f"{found:.1f}", *(f"{figure:.0f}" for figure in figures)])
    return made
