"""Figures: what was timed in turns, its percentiles and ratios, and the tables and targets they are printed in."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

Job = Callable[[int], object]


class Timings:
    """Nanoseconds of one system's operations, round by round."""

    def __init__(self) -> None:
        self.rounds: list[array[int]] = []

    @property
    def all(self) -> list[int]:
        """All of them, ascending."""
        return sorted(took for each in self.rounds for took in each)

    def p(self, percent: float) -> float:
        """A percentile in microseconds."""
        return percentile(self.all, percent) / 1e3

    def mean(self) -> float:
        """The mean in microseconds, which checkpoints and flushes weigh on where a median hides them."""
        return fmean(self.all) / 1e3

    def ratio(self, base: Timings) -> float:
        """This median over that of ``base``, both over the whole run."""
        return self.p(50) / base.p(50)

    def spread(self, base: Timings) -> tuple[float, float]:
        """Quartiles of the ratio taken round by round: what the noise of the machine makes of it."""
        ratios = sorted(median(mine) / median(its) for mine, its in zip(self.rounds, base.rounds, strict=True))
        return percentile(ratios, 25), percentile(ratios, 75)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of the ordered values lie; the nearest one there is."""
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def in_turns(
    jobs: Mapping[str, Job],
    *,
    rounds: int,
    batch: int,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, Timings]:
    """Time each job ``batch`` times a round, all jobs in every round, each round starting with the next one.

    A job is given the number of the operation. ``before`` is called ahead of a job's batch, untimed.
    """
    names = list(jobs)
    found = {name: Timings() for name in names}
    clock = time.perf_counter_ns
    for number in range(rounds):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            job = jobs[name]
            if before is not None and name in before:
                before[name]()
            took = array("q")
            for index in range(number * batch, (number + 1) * batch):
                start = clock()
                job(index)
                took.append(clock() - start)
            found[name].rounds.append(took)
    return found


@dataclass(frozen=True)
class Target:
    """A figure beside what it should be: printed, never asserted."""

    what: str
    value: float
    limit: float
    unit: str
    least: bool = False
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        """Whether the figure is within the target."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    def cells(self) -> list[str]:
        """The target as a row of text."""
        sign = ">=" if self.least else "<="
        spread = "" if self.spread is None else f"{number(self.spread[0])} to {number(self.spread[1])}"
        verdict = "met" if self.met else "missed"
        return [self.what, f"{sign} {self.limit:g}{self.unit}", f"{number(self.value)}{self.unit}", spread, verdict]


@dataclass
class Table:
    """Rows of text under a title."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""

    def plain(self) -> str:
        """For a terminal."""
        widths = [max(len(row[at]) for row in [self.columns, *self.rows]) for at in range(len(self.columns))]
        lines = [self.title, "-" * len(self.title)]
        for row in [self.columns, *self.rows]:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *([self.note] if self.note else []), ""])

    def markdown(self) -> str:
        """For the documentation."""
        lines = [f"### {self.title}", "", *([self.note, ""] if self.note else [])]
        lines.append(_line(self.columns))
        lines.append("|" + "---|" + "---:|" * (len(self.columns) - 1))
        return "\n".join([*lines, *map(_line, self.rows), ""])


@dataclass
class Result:
    """What one case found: tables for people, figures for programs, and targets."""

    tables: list[Table] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __iadd__(self, other: Result) -> Result:
        self.tables += other.tables
        self.figures += other.figures
        self.targets += other.targets
        return self


def target_table(targets: Iterable[Target]) -> Table:
    """The targets beside what was reached."""
    rows = [target.cells() for target in targets]
    return Table(
        "Targets",
        ["what", "target", "reached", "by round, quartiles", ""],
        rows,
        "Printed, never asserted. The quartiles are of the ratio taken round by round.",
    )


def replace_section(page: Path, name: str, tables: Iterable[Table]) -> None:
    """Put the tables between the markers of ``name`` in ``page``; exits when it has none."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, begun, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not begun or not ended:
        raise SystemExit(f"{page} has no section between {begin} and {end}")
    body = "\n".join(table.markdown() for table in tables)
    page.write_text(f"{head}{begin}\n\n{body}\n{end}{tail}", encoding="utf-8")


def number(value: float) -> str:
    """Three digits or all before the point."""
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
