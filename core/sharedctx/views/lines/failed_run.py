"""The output of a test runner in few tokens: which tests failed and why, by their sections, and how the run ended."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..fitting import rate, relevance, wanted, within
from ..kind import Brief, Draft
from ..parts import Novelty
from .picks import clip
from .result_lines import (
    FAILED,
    PASSED,
    PERCENT,
    SKIPPED,
    SUMMARY,
    Result,
    divided,
    is_captured,
    is_detail,
    is_noise,
    is_section,
    reason,
)

_SPACES = re.compile(r"\s+")
_RULED = re.compile(r"^[\s=_*-]{3,}|[\s=_*-]{3,}$")
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_CAUSE = re.compile(r"\s{0,8}E  |[\w.]{0,80}(?:Error|Exception|Failure)\b|panic: |.{0,80}panicked at|\s{0,8}Error:")
_PLACE = re.compile(r"\s{0,12}[\w./\\-]{1,200}\.\w{1,5}:\d+: \w")
_BANNER = re.compile(r"\s{0,8}={3,} ")
_WIDEST = 240
_TOKEN = 4
"""Characters, about."""
_SUMMED, _NAMED, _FAILS, _AGAIN = 10.0, 2.5, 1.0, 0.25
"""What is added for the last summary; what a name of a failed test is worth by its costs; what is added for the
first line of a section that says why; what another form of a told name is worth."""
_SHARES = {"cause": 1.5, "place": 1.2, "detail": 0.8, "code": 0.25, "reason": 1.0}
"""What a word is worth that stands in no line before."""


@dataclass(slots=True)
class _Unit:
    """Something that may be shown: its text, its rank, the unit that it needs (-1: none), and for a failed test what
    stands before its name."""

    text: str
    rank: float
    above: int = -1
    group: str = ""


def digest(lines: Sequence[str], results: Sequence[Result | None], source: str, brief: Brief, budget: int) -> Draft:
    """Return failed tests and why they failed, the most telling first, within the budget."""
    headed = {_plain(line).rpartition(".")[2] for line in lines if is_section(line)}
    units = [*_names(results, headed), *_counts(results)]
    units += _sections(lines, results, len(units), brief)
    ref = f"lines:1-{len(lines)}"
    note = brief.marks.omitted(f"the rest of {len(lines)} lines", ref)
    fixed = brief.count(note)
    price = rate(source, brief)
    costs = [len(unit.text) * price + 1.5 for unit in units]
    order = sorted(range(len(units)), key=lambda at: (-units[at].rank, at))

    def attempt(tokens: float) -> Draft:
        chosen: set[int] = set()
        groups: set[str] = set()
        left = tokens - fixed
        for at in order:
            unit = units[at]
            needs = [at, *([unit.above] if unit.above >= 0 and unit.above not in chosen else [])]
            cost = sum(costs[each] for each in needs)
            if unit.group and unit.group not in groups:
                cost += len(unit.group) * price + 2
            if cost <= left and at not in chosen:
                chosen.update(needs)
                groups.add(unit.group)
                left -= cost
        return Draft("\n".join([note, *_rows(units, chosen)]), "failures", (brief.marks.ref(ref),))

    return within(brief, budget, attempt)


def _counts(results: Sequence[Result | None]) -> Iterator[_Unit]:
    counts = Counter(found.outcome for found in results if found is not None and found.name)
    told = ", ".join(f"{counts[each]} {each}" for each in (PASSED, SKIPPED) if counts[each])
    if told:
        yield _Unit(f"[result lines: {told}]", _NAMED)


def _plain(line: str) -> str:
    """A heading without its rules."""
    return _SPACES.sub(" ", _RULED.sub("", line)).strip()


def _names(results: Sequence[Result | None], headed: Collection[str]) -> Iterator[_Unit]:
    """The failed tests that have no section, each once; of a parametrised test the name and then its forms."""
    first: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str]] = set()
    at = 0
    for found in results:
        if found is None or found.outcome != FAILED or not found.name:
            continue
        name = PERCENT.sub("", found.name).partition(" - ")[0]
        where, test = divided(name)
        where = f"{where}::" if where else ""
        if not where or (where, test) in seen or test in headed:
            continue
        seen.add((where, test))
        base, bracket, form = test.partition("[")
        group = f"{found.word} {where}"
        known = first.setdefault((where, base), at)
        if known != at and bracket:
            yield _Unit(f"[{form}", _AGAIN * _named(form), known, group)
        else:
            yield _Unit(test, _named(test), -1, group)
        at += 1


def _named(name: str) -> float:
    return _NAMED / (len(name) / _TOKEN + 1)


def _sections(lines: Sequence[str], results: Sequence[Result | None], first: int, brief: Brief) -> Iterator[_Unit]:
    """Headings and what stands below them; a line that was told before is told no more."""
    novelty = Novelty()
    seen: set[str] = set()
    last = max((index for index, line in enumerate(lines) if SUMMARY.match(line)), default=-1)
    at, above, caused = first, -1, False
    places: set[str] = set()  # what was raised where a place was told already
    for index, line in enumerate(lines):
        found = results[index]
        asked = 10 * wanted(line, brief) if brief.wanted else 0
        if found is not None and (found.outcome != FAILED or (found.name and " - " not in found.name)):
            why = reason(line) if found.outcome == SKIPPED else ""
            if not asked and not why:
                continue
            if _NUMBER.sub("#", why) in seen and not asked:
                continue
            seen.add(_NUMBER.sub("#", why))
        if is_noise(line):
            continue
        section = is_section(line) or is_captured(line)
        text = clip(_plain(line) if section or index == last else _SPACES.sub(" ", line.strip()), _WIDEST)
        mask = line if is_detail(line) else _NUMBER.sub("#", text)
        if (mask in seen and not section) or not text:
            continue
        seen.add(mask)
        if index == last:
            yield _Unit(text, _SUMMED)
        elif section:
            above, caused = at, False
            novelty.of(text)
            yield _Unit(f"{index + 1} {text}", (0 if _BANNER.match(line) else _named(text)) + asked)
        else:
            sort = (
                "cause" if _CAUSE.match(line) else "place" if _PLACE.match(line) else "detail" if is_detail(line)
                else "reason" if found is not None or relevance(line, brief) else "code"
            )  # fmt: skip
            told = novelty.of(text)
            rank = _SHARES[sort] * told + asked
            if sort == "cause" and not caused:
                rank, caused = rank + _FAILS, True
            if sort == "place" and (raised := text.rpartition(" ")[2]) not in places:
                rank += _FAILS
                places.add(raised)
            yield _Unit(text, rank, above)
        at += 1


def _rows(units: Sequence[_Unit], chosen: set[int]) -> Iterator[str]:
    """The names of failed tests in rows, then the other lines in order."""
    rows: dict[str, list[str]] = defaultdict(list)
    for at in sorted(chosen, key=lambda at: (units[at].above if units[at].group and units[at].above >= 0 else at, at)):
        unit = units[at]
        if not unit.group:
            continue
        row = rows[unit.group]
        if unit.above >= 0 and row:
            row[-1] += f" {unit.text}"
        else:
            row.append(unit.text)
    several = Counter(unit.group for unit in units if unit.above < 0)
    for group, names in rows.items():
        more = several[group] - len(names)
        yield f"{group} {', '.join(names)}{f' and {more} more' if more else ''}"
    for at in sorted(chosen):
        if not units[at].group:
            yield units[at].text
