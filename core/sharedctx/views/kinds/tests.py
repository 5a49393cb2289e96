"""Output of test runners: passes are counted, failures kept, what repeats between failures told once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ..kind import Brief, Draft, Source
from ..lines.failed_run import digest
from ..lines.picks import Picks
from ..lines.result_lines import (
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
    result,
    results,
    suspects,
)
from ..pieces import evenly

_FEWEST = 6
_SAMPLE, _GLANCED = 400, 40
_MASK = re.compile(r"0x[0-9a-f]+|\d+")
_SESSION = re.compile(
    r"\s{0,8}=+ test session starts =+|running \d+ tests?$|=== RUN |TAP version \d|# Subtest"
    r"|^[.FEsxX]{8,400} {0,400}\[ {0,2}\d{1,3}%\]$|^={3,} (?:ERRORS|FAILURES) ={3,}$",
    re.M,
)
_BEGINNINGS = ("= test session", "running ", "=== RUN ", "TAP version ", "# Subtest", "%]", "= ERRORS", "= FAILURES")
"""Parts of how a run begins: found much faster."""
_SHARE, _LEAST = 0.3, 800
_ABOUT = " (the gaps between the numbers; what was told before is not repeated)"
_FILES = 40
_ROOMY = 0.1
"""A budget of a smaller share of the tokens has no room for all failures."""
_SAID, _REASONS = 5, 12


class TestsKind:
    """What pytest, unittest, go test, cargo test, jest, JUnit runners, TAP and others print."""

    name = "tests"

    def fits(self, source: Source) -> float:
        """By the share of lines that tell a result, or by how a runner begins."""
        head = source.text[:40_000].split("\n")
        middle = len(source.text) // 2
        lines = [
            line for line in [*head[:_SAMPLE], *source.text[middle : middle + 20_000].split("\n")[:_SAMPLE]] if line
        ]
        if len(lines) < _FEWEST:
            return 0.0
        start = source.text[:4000]
        begins = any(sign in start for sign in _BEGINNINGS) and _SESSION.search(start) is not None
        few = evenly(lines, _GLANCED)
        if not begins and sum(result(few[at]) is not None for at in suspects(few)) < 0.06 * len(few):
            return 0.0
        some = suspects(lines)
        if not begins and len(some) < 0.2 * len(lines):
            return 0.0
        told = 0
        for place, at in enumerate(some):
            told += result(lines[at]) is not None
            if not begins and told + len(some) - place - 1 < 0.2 * len(lines):
                return 0.0
        if told >= 5 and told >= 0.2 * len(lines):
            return 0.9
        if not begins:
            return 0.0
        details = (line for line in lines if is_section(line) or line.lstrip().startswith(("E   ", "> ")))
        return 0.85 if told >= 3 or len(list(islice(details, 5))) == 5 else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Return the failures, the summary and counts of the rest."""
        if len(source.lines) < _FEWEST:
            return None
        told = results(source.lines)
        budget = brief.budget
        if budget is None or budget >= _ROOMY * brief.count(source.text):
            whole = _Shortening(source, replace(brief, budget=None), told).draft()
            if budget is None or (whole is not None and brief.count(whole.text) <= budget):
                return whole
        return digest(source.lines, told, source.text, brief, budget)


class _Shortening:
    """The standard view, as long as it wants to be."""

    def __init__(self, source: Source, brief: Brief, told: list[Result | None]) -> None:
        self._lines = source.lines
        self._brief = brief
        self._picks = Picks(source, brief)
        self._results = told
        whole = brief.count(source.text)
        self._must = int(max(0.6 * whole, 3000))
        self._should = int(max(_SHARE * whole, _LEAST))

    def draft(self) -> Draft | None:
        picks, lines = self._picks, self._lines
        wanted = self._brief.wanted
        intro = self._intro(self._must // 2)
        spare = self._brief.count(intro)
        must, should = self._must - spare, self._should - spare
        for index, line in enumerate(lines):
            if wanted and any(word in line.lower() for word in wanted):
                picks.add(index, must // 2)
        picks.patient()
        for index in (0, len(lines) - 1, len(lines) - 2):
            if lines[index].strip():
                picks.add(index, must)
        for index, line in enumerate(lines):
            if SUMMARY.match(line):
                picks.add(index, must)
        picks.patient()
        seen: set[str] = set()
        rest = []
        for index, line in enumerate(lines):
            found = self._results[index]
            if found is not None and (found.outcome != FAILED or self._told(found)):
                continue
            if is_noise(line):
                continue
            mask = line if is_detail(line) else _MASK.sub("#", line[:1000])  # what was compared tells by its numbers
            section = is_section(line)
            if mask in seen and not section:
                continue
            seen.add(mask)
            if found is not None or section or is_detail(line):
                picks.add(index, must)
            else:
                rest.append(index)
        picks.patient()
        for index in self._said():
            picks.add(index, must)
        picks.patient()
        for index in self._reasons():
            picks.add(index, must)
        picks.patient()
        for index in self._ranked(rest):
            picks.add(index, should)
        return picks.draft("failures", _ABOUT, intro)

    def _said(self) -> Iterator[int]:
        """The headings and the last lines of what failed tests printed and logged."""
        for start, line in enumerate(self._lines):
            if not is_captured(line):
                continue
            end = start + 1
            while end < len(self._lines) and not (is_captured(self._lines[end]) or is_section(self._lines[end])):
                end += 1
            told = [index for index in range(start + 1, end) if self._lines[index].strip()]
            yield from [start, *told[-_SAID:]]

    def _reasons(self) -> list[int]:
        """The first lines with each reason for which tests were skipped or were to fail."""
        first: dict[str, int] = {}
        for index, line in enumerate(self._lines):
            if why := reason(line):
                first.setdefault(_MASK.sub("#", why), index)
        return list(first.values())[:_REASONS]

    def _told(self, found: Result) -> bool:
        """Whether the list of failed tests has all that a line says."""
        return "::" in found.name and " - " not in found.name

    def _ranked(self, rest: list[int]) -> list[int]:
        """The lines near a failure first: those within a section of one, in order."""
        inside: list[int] = []
        outside: list[int] = []
        failing = False
        at = 0
        for index in rest:
            for place in range(at, index):
                found = self._results[place]
                if found is not None:
                    failing = found.outcome == FAILED
                elif is_section(self._lines[place]):
                    failing = True
            at = index
            (inside if failing else outside).append(index)
        return inside + outside

    def _intro(self, limit: int) -> str:
        """Counts of the results and the names of the tests that failed, by file and class, within ``limit`` tokens."""
        counts: Counter[str] = Counter()
        files: Counter[str] = Counter()
        failed: dict[str, dict[str, None]] = defaultdict(dict)
        reasons: set[str] = set()
        for found in self._results:
            if found is None or not found.name:
                continue
            name, dash, reason = PERCENT.sub("", found.name).partition(" - ")
            where, test = divided(name)
            if found.outcome != FAILED:
                counts[found.outcome] += 1
                files[where.split("::")[0]] += found.outcome == PASSED
            elif where and (not dash or (mask := _MASK.sub("#", f"{name} {reason}"[:1000])) in reasons):
                failed[f"{found.word} {where}::"][test] = None
            elif where:
                reasons.add(mask)  # the first that fails for a reason is told with it
        pieces = []
        if counts:
            told = ", ".join(f"{counts[each]} {each}" for each in (PASSED, SKIPPED) if counts[each])
            named = [(file, number) for file, number in files.most_common(_FILES) if file and number]
            by_file = "; passed by file: " + ", ".join(f"{file} {number}" for file, number in named) if named else ""
            pieces.append(f"[result lines: {told}{by_file}]")
            if self._brief.count(pieces[0]) > limit:
                pieces = [f"[result lines: {told}]"]
        for where, tests in failed.items():
            pieces.append(f"{where} {_joined(list(tests))}")
            left = limit - self._brief.count("\n".join(pieces))
            if left < 0:
                few = max(len(tests) * (self._brief.count(pieces[-1]) + left) // self._brief.count(pieces[-1]) - 2, 0)
                pieces[-1] = f"{where} {_joined(list(tests)[:few])} and {len(tests) - few} more"
                break
        return "\n".join(pieces)


def _joined(tests: list[str]) -> str:
    """Names with commas; of a parametrised test the name once, then its brackets."""
    pieces: list[str] = []
    last = ""
    for test in tests:
        base, bracket, rest = test.partition("[")
        if bracket and base == last:
            pieces[-1] += f" [{rest}"
        else:
            pieces.append(test)
        last = base
    return ", ".join(pieces)


KIND = TestsKind()
