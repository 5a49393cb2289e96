"""What each line of a test runner's output is: a result, a summary, a part of a failure, or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..pieces import units_with

PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"

_OUTCOMES = {
    "PASSED": PASSED, "PASS": PASSED, "ok": PASSED, "Passed": PASSED, "XPASS": PASSED, "✓": PASSED, "✔": PASSED,
    "√": PASSED, "PASSING": PASSED, "OK": PASSED, ".": PASSED,
    "SKIPPED": SKIPPED, "SKIP": SKIPPED, "XFAIL": SKIPPED, "ignored": SKIPPED, "skipped": SKIPPED, "Skipped": SKIPPED,
    "○": SKIPPED, "expected failure": SKIPPED, "STARTED": SKIPPED,
    "FAILED": FAILED, "FAIL": FAILED, "ERROR": FAILED, "Failed": FAILED, "***Failed": FAILED, "not ok": FAILED,
    "✕": FAILED, "✗": FAILED, "✖": FAILED, "\u00d7": FAILED, "***Exception": FAILED, "***Timeout": FAILED,
}  # fmt: skip

_RESULTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s{0,8}(?P<name>[\w./\\-]{1,300}::.{1,1000}) (?P<outcome>PASSED|SKIPPED|XFAIL|XPASS|FAILED|ERROR)\b",
        r"\s{0,8}\[gw\d+\] \[ {0,2}\d+%\] (?P<outcome>PASSED|SKIPPED|XFAIL|XPASS|FAILED|ERROR) (?P<name>\S.{0,999})",
        r"\s{0,8}(?P<outcome>FAILED|ERROR) (?P<name>[\w./\\-]{1,300}(?:::.{1,1000}|\.py\b.{0,1000}))",
        r"\s{0,40}--- (?P<outcome>PASS|FAIL|SKIP): (?P<name>\S{1,500})",
        r"test (?P<name>\S.{0,500}) \.\.\. (?P<outcome>ok|ignored|FAILED)\b",
        r"(?P<name>\w{1,200} \([\w.]{1,300}\).{0,300}) \.\.\. (?P<outcome>ok|FAIL|ERROR|skipped|expected failure)\b",
        r"\s{0,40}(?P<outcome>[✓✔√○✕✗✖\u00d7]) (?P<name>\S.{0,500})",
        r"\s{0,40}(?P<outcome>not ok|ok) \d+\b(?: - )?(?P<name>.{0,500})",
        r"\s{0,8}\d+/\d+ Test +#\d+: (?P<name>\S{1,300}) \.{2,}\s{0,9}(?P<outcome>Passed|Skipped|\*\*\*\w{1,20})",
        r"(?P<name>\w[\w.$]{0,300} > \S.{0,300}) (?P<outcome>PASSED|FAILED|SKIPPED|STARTED)$",
        r"\s{0,4}(?P<outcome>Passed|Failed|Skipped) (?P<name>[\w.]{3,300}(?:\(.{0,300}\))?) \[.{1,20}\]",
        r"\s{0,8}(?P<outcome>PASS|FAIL) (?P<name>[\w@./\\-]{1,300}\.[a-z]{1,4})\b",
        r"(?P<outcome>ok|FAIL)\s{2,4}(?P<name>[\w./-]{1,300})\s",
    )
)
_DOTS = re.compile(
    r"\s{0,8}[\w./\\-]{1,300}\.py [.sx]{1,200}\s{0,200}(?:\[ {0,2}\d+%\])?$|\s{0,8}[.sx]{5,200}\s{0,99}\["
)
PERCENT = re.compile(r"\s{0,400}\[ {0,2}\d{1,3}%\]$")
"""How far a run is, at the end of a line."""
_SIGNS = (
    "PASS", "SKIP", "FAIL", "ERROR", "STARTED", "Passed", "kipped", "Failed", "Exception", "Timeout", "ok", "OK",
    "ignored", "expected failure", "✓", "✔", "√", "○", "✕", "✗", "✖", "\u00d7", ".py ", "%]",
)  # fmt: skip
"""What the lines that tell a result have."""
_NOISE = re.compile(
    r"=== (?:RUN|PAUSE|CONT|NAME)\b|\s{0,8}\?\s+\S+\s+\[no test files\]|\s{0,8}(?:Compiling|Downloaded|Downloading) \S"
    r"|\[INFO\] Tests run: .{0,40}Failures: 0, Errors: 0|running \d+ tests?$|\[INFO\] Running |\s{0,8}Start {1,4}\d+: "
    r"|# Subtest: |\[INFO\] (?:-+|)$"
)
SUMMARY = re.compile(
    r"\s{0,8}=+ .{0,200}\b(?:passed|failed|errors?)\b.{0,100}=+|test result: "
    r"|\s{0,4}(?:Tests|Test Suites|Test Files|Snapshots):?\s{1,6}\d"
    r"|Ran \d+ tests?|FAILED \(|OK(?: \(|$)|\s{0,8}\d+ (?:passing|failing|pending)|(?:\[\w+\] )?Tests run: \d"
    r"|.{0,20}\bBUILD (?:SUCCESS|FAIL)|# (?:tests|pass|fail|skipped) \d|\d+% tests passed|DONE \d+ tests|FAIL$|PASS$"
    r"|error: test failed|.{0,60}exit (?:code|status) [1-9]|\s{0,8}\d+ examples?, \d|Tests: \d"
    r"|\s{0,8}(?:Total|Failed)!? {0,9}[:-] "
    r"|.{0,100}\b\d+ tests? completed, \d+ failed"
)
"""A line that sums up a run."""
_SECTION = re.compile(
    r"\s{0,8}(?:_{3,} .{1,300} _{3,}$|={3,} .{1,100} ={3,}$|●|---- .{1,300} ----$|(?:FAIL|ERROR): \w|\d+\) \S)"
)
_SECTIONS = "_=\u25cf-FE"
_DETAIL = re.compile(
    r"\s{0,8}(?:E  |> )|\s{0,12}[\w./\\-]{1,200}\.\w{1,5}:\d+(?::|$)|\s{0,8}thread '.{1,200}' panicked|panic: "
    r"|\s{0,12}(?:left|right|expected|actual|received|got|want|but was)\s{0,4}[:=]"
    r"|\s{0,12}(?:Expected|Received|Actual|assert)\b"
    r"|[ \t|+]{0,24}(?:[\w.]{0,200}(?:Error|Exception|Failure|Failed))\b"
    r"|\s{0,12}Error Trace:|\s{0,12}Error:|\s{0,4}[+-] \S"
    r"|\s{0,12}Caused by|\s{0,12}Diff\b|failures:$"
)


_CAPTURED = re.compile(r"\s{0,8}-{3,} Captured \S.{0,60} -{3,}$")
_REASON = re.compile(r"\b(?:SKIPPED|SKIP|XFAIL|XPASS|skipped|expected failure)\b[ :]{1,3}(?:\[\d+\] )?(?=\S)(.{1,500})")
_WHY = ("SKIP", "XFAIL", "XPASS", "skipped", "expected failure")


class Result(NamedTuple):
    """The outcome of one test that a line tells of."""

    outcome: str
    name: str
    word: str
    """The outcome as the runner spells it."""


def result(line: str) -> Result | None:
    """The result that a line tells, or None."""
    for pattern in _RESULTS:
        found = pattern.match(line)
        if found is not None:
            return Result(_OUTCOMES.get(found["outcome"], FAILED), found["name"].strip(), found["outcome"])
    if _DOTS.match(line):
        return Result(PASSED, "", "")
    return None


def results(lines: Sequence[str]) -> list[Result | None]:
    """The result that each line tells; of many lines this is faster than one by one."""
    told: list[Result | None] = [None] * len(lines)
    for index in suspects(lines):
        told[index] = result(lines[index])
    return told


def suspects(lines: Sequence[str]) -> list[int]:
    """The places of the lines that may tell a result: the others do not."""
    return units_with(lines, _SIGNS)


def is_noise(line: str) -> bool:
    """Whether a line only says that something started or was built."""
    return not line.strip() or _NOISE.match(line) is not None


def is_section(line: str) -> bool:
    """Whether a line is the heading of a failure or of a part of the output."""
    start = line.lstrip()[:1]
    return (start in _SECTIONS or start.isdecimal()) and _SECTION.match(line) is not None


def is_captured(line: str) -> bool:
    """Whether a line is the heading of what a failed test printed or logged."""
    return _CAPTURED.match(line) is not None


def reason(line: str) -> str:
    """Why a test was skipped or was to fail, where a line says so; else nothing."""
    if not any(word in line for word in _WHY):
        return ""
    found = _REASON.search(line, 0, 2000)
    return PERCENT.sub("", found[1]) if found is not None else ""


def is_detail(line: str) -> bool:
    """Whether a line of a failure says what went wrong or where."""
    return _DETAIL.match(line) is not None


def divided(name: str) -> tuple[str, str]:
    """A test's name divided at its last ``::`` that is not inside the brackets of a parametrised test; without one
    nothing stands before it."""
    head, bracket, rest = name.partition("[")
    where, _, test = head.rpartition("::")
    return where, f"{test}{bracket}{rest}"
