"""What searches print, divided into the rows of files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PATH = re.compile(r"((?:[A-Za-z]:[\\/])?[^:\n]{1,300}):([1-9]\d{0,8}):")
"""A path and the number of a line, as most searches begin a line."""
BARE = re.compile(r"([^\s:]{1,300}):(?!:)")
"""A path without a number."""
CONTEXT = re.compile(r"-([1-9]\d{0,8})-")
"""The number of a line beside a match."""
NUMBERED = re.compile(r"([1-9]\d{0,8})([:-])")
"""The number of a line below the heading of its file."""
LOOKS_LIKE_PATH = re.compile(r"(?=[^\s]{0,299}[A-Za-z])(?:[A-Za-z]:[\\/])?[^\s:]*(?:[/\\][^\s:]*|\.[A-Za-z]\w{0,9})")
"""What is taken for a path where no number follows it."""
REACH = 400
"""Characters of a line in which its path and number stand."""


@dataclass(slots=True)
class Row:
    """A line of a file: its number or None, ``:`` (match) or ``-`` (context), its text, its place in the source."""

    number: int | None
    mark: str
    text: str
    line: int


@dataclass(slots=True)
class Found:
    """The adjacent rows of one file, or one line that is no row (``path`` is None)."""

    path: str | None
    line: int
    rows: list[Row] = field(default_factory=list)
    raw: str = ""


def read(lines: list[str]) -> Iterator[Found]:
    """Divide lines of ``path:number:text`` and ``path-number-text`` into runs of one path."""
    known = {found[1] for line in lines if (found := PATH.match(line, 0, REACH))}
    now: Found | None = None
    for index, line in enumerate(lines):
        parsed = _row(line, known, now.path if now else None)
        if parsed is None:
            if now:
                yield now
                now = None
            yield Found(None, index, raw=line)
            continue
        path, number, mark, text = parsed
        if now is None or now.path != path:
            if now:
                yield now
            now = Found(path, index)
        now.rows.append(Row(number, mark, text, index))
    if now:
        yield now


def _row(line: str, known: set[str], path: str | None) -> tuple[str, int | None, str, str] | None:
    found = PATH.match(line, 0, REACH)
    for context in CONTEXT.finditer(line, 0, REACH):
        head = line[: context.start()]
        if (head == path or head in known) and (found is None or context.start() < found.end(1)):
            return head, int(context[1]), "-", line[context.end() :]
    if found:
        return found[1], int(found[2]), ":", line[found.end() :]
    bare = BARE.match(line)
    if bare and LOOKS_LIKE_PATH.fullmatch(bare[1]):
        return bare[1], None, ":", line[bare.end() :]
    return None


def read_headings(lines: list[str]) -> Iterator[Found]:
    """Divide ripgrep's output with headings: a path, its numbered lines, an empty line."""
    now: Found | None = None
    for index, line in enumerate(lines):
        found = NUMBERED.match(line)
        if found and now:
            now.rows.append(Row(int(found[1]), found[2], line[found.end() :], index))
            continue
        if line == "--" and now:
            continue
        if now:
            yield now
            now = None
        follows = lines[index + 1] if index + 1 < len(lines) else ""
        if line.strip() and not found and NUMBERED.match(follows):
            now = Found(line, index)
        else:
            yield Found(None, index, raw=line)
    if now:
        yield now
