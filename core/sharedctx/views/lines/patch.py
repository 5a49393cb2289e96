"""Reading diffs: unified, git's (with its log around), combined, context and normal ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

TEXT, STAT, HEAD, REST, HUNK, CHANGE, CONTEXT = b"ts-i@+ "
"""Roles of lines: text around diffs, its summary by file, a file's name, the rest of its header, and the hunks."""

_NUMBER = 12
_HUNK = re.compile(rf"@@ -\d{{1,{_NUMBER}}}(?:,(\d{{1,{_NUMBER}}}))? \+\d{{1,{_NUMBER}}}(?:,(\d{{1,{_NUMBER}}}))? @@")
_COMBINED = re.compile(r"(@{3,20})(?: -\d+(?:,\d+)?)+ \+\d+(?:,\d+)? @{3}", re.ASCII)
_NORMAL = re.compile(r"\d{1,12}(?:,\d{1,12})?[acd]\d{1,12}(?:,\d{1,12})?\r?$", re.ASCII)
MARK = re.compile(r"\n(?:@@|\*{15}|\d{1,12}(?:,\d{1,12})?[acd]\d{1,12}(?:,\d{1,12})?\r?(?:\n|\Z))", re.ASCII)
"""The end of a line and, in the next, what stands above the changes in a diff of any form."""
_OLD_RANGE = re.compile(r"\*\*\* \d{1,12}(?:,\d{1,12})? \*{4}", re.ASCII)
_NEW_RANGE = re.compile(r"--- \d{1,12}(?:,\d{1,12})? -{4}", re.ASCII)
_STAT = re.compile(r" \S.{0,300} \| +(?:\d+|Bin)\b")
_START = ("diff --git ", "diff --cc ", "diff --combined ", "diff -", "Index: ", "Only in ")
FILE = (*_START, "--- ", "*** ")
"""How the header of a file starts, but for diffs without one."""
_MORE = (
    "index ", "old mode ", "new mode ", "new file mode ", "deleted file mode ", "similarity index ", "rename ", "copy ",
    "dissimilarity index ", "GIT binary patch", "Binary files ", "======", "Property changes on",
)  # fmt: skip
_TELLING = ("rename ", "copy ", "Binary files ", "GIT binary patch", "old mode ", "new mode ")


@dataclass(slots=True)
class Section:
    """The part of one file, or text between such parts: lines from 0, both ends included.

    ``name`` is the line that names the file, -1 in a text; ``path`` is what it names.
    """

    first: int
    last: int = -1
    name: int = -1
    path: str = ""


@dataclass(slots=True)
class Patch:
    """The role of each line of a text, and its sections."""

    roles: bytearray
    sections: list[Section] = field(default_factory=list)


def read(lines: Sequence[str]) -> Patch:
    """Give every line its role; what is no part of a diff is text. Linear."""
    reader = _Reader(lines)
    index = 0
    while index < len(lines):
        index = reader.step(index)
    for section, after in zip(reader.patch.sections, reader.patch.sections[1:], strict=False):
        section.last = after.first - 1
    if reader.patch.sections:
        reader.patch.sections[-1].last = len(lines) - 1
    for section in reader.patch.sections:
        if section.name < 0 and section.path == "?":
            section.name, section.path = section.first, lines[section.first]
    return reader.patch


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self.patch = Patch(bytearray([TEXT]) * len(lines))
        self._in_head = False  # between the first line of a file's header and its first hunk

    def step(self, index: int) -> int:
        """Read a header or a hunk, or one line; return where to go on."""
        lines, roles = self._lines, self.patch.roles
        line = lines[index]
        after = lines[index + 1] if index + 1 < len(lines) else ""
        if line.startswith(_START):
            self._file(index)
            self._in_head = True
            roles[index] = HEAD if line.startswith("Only in ") else REST
            return index + 1
        if self._starts_names(line, after):
            return self._names(index)
        if self._in_file():
            if unified := _HUNK.match(line):
                roles[index], self._in_head = HUNK, False
                return self._unified(index + 1, int(unified[1] or 1), int(unified[2] or 1))
            if combined := _COMBINED.match(line):
                roles[index], self._in_head = HUNK, False
                return self._combined(index + 1, len(combined[1]) - 1)
            if line.startswith("***************") and _OLD_RANGE.match(after):
                roles[index], self._in_head = HUNK, False
                return self._context(index + 1)
            if self._in_head and line.startswith(_MORE):
                roles[index] = HEAD if line.startswith(_TELLING) else REST
                return index + 1
        if _NORMAL.match(line) and after[:1] in ("<", ">") and after[:1]:
            if not self._in_file():
                self._file(index)
            roles[index] = HUNK
            return self._normal(index + 1)
        return self._text(index)

    def _in_file(self) -> bool:
        return bool(self.patch.sections) and self.patch.sections[-1].path != ""

    def _file(self, index: int) -> None:
        self.patch.sections.append(Section(index, path="?"))

    def _starts_names(self, line: str, after: str) -> bool:
        return (line.startswith("--- ") and after.startswith("+++ ")) or (
            line.startswith("*** ") and after.startswith("--- ") and not _OLD_RANGE.match(line)
        )

    def _names(self, index: int) -> int:
        """Read the two lines that name the old and the new file; the new name alone is shown where it says all."""
        if not self._in_head or self.patch.sections[-1].name >= 0:
            self._file(index)
        self._in_head = True
        old, new = (_path(line) for line in self._lines[index : index + 2])
        section, roles = self.patch.sections[-1], self.patch.roles
        roles[index] = REST if old == new else HEAD
        roles[index + 1] = HEAD
        if old != new:
            for line in range(section.first, index):
                roles[line] = REST
        section.name, section.path = index + 1, new if new != "/dev/null" else old
        return index + 2

    def _unified(self, index: int, old: int, new: int) -> int:
        lines, roles = self._lines, self.patch.roles
        while index < len(lines) and (old > 0 or new > 0 or lines[index][:1] == "\\"):
            sign = lines[index][:1]
            if sign in ("+", "-", "\\"):
                roles[index] = CHANGE
            elif sign in (" ", "", "\r"):
                roles[index] = CONTEXT
            else:
                break
            old -= sign != "+" and sign != "\\"
            new -= sign != "-" and sign != "\\"
            index += 1
        return index

    def _combined(self, index: int, parents: int) -> int:
        lines, roles = self._lines, self.patch.roles
        while index < len(lines) and lines[index][:1] in ("+", "-", " ", "\\", ""):
            signs = lines[index][:parents]
            roles[index] = CHANGE if "+" in signs or "-" in signs else CONTEXT
            index += 1
        return index

    def _context(self, index: int) -> int:
        lines, roles = self._lines, self.patch.roles
        while index < len(lines):
            line = lines[index]
            if _OLD_RANGE.match(line) or _NEW_RANGE.match(line):
                roles[index] = HUNK
            elif line[:2] in ("! ", "+ ", "- ") or line.rstrip("\r") in ("!", "+", "-"):
                roles[index] = CHANGE
            elif line[:2] == "  " or line[:1] == "\\" or not line.strip():
                roles[index] = CONTEXT
            else:
                break
            index += 1
        return index

    def _normal(self, index: int) -> int:
        lines, roles = self._lines, self.patch.roles
        while index < len(lines):
            if lines[index][:1] in ("<", ">") and lines[index][:1]:
                roles[index] = CHANGE
            elif lines[index].rstrip("\r") == "---" or lines[index][:1] == "\\":
                roles[index] = CONTEXT
            else:
                break
            index += 1
        return index

    def _text(self, index: int) -> int:
        sections = self.patch.sections
        if self._in_file() and not self._lines[index].strip():
            self.patch.roles[index] = CONTEXT
            return index + 1
        if not sections or sections[-1].path:
            sections.append(Section(index))
        self._in_head = False
        self.patch.roles[index] = STAT if _STAT.match(self._lines[index]) else TEXT
        return index + 1


def _path(line: str) -> str:
    """The path of a line such as ``+++ b/core/a.py<tab>time``."""
    path = line[4:].partition("\t")[0].rstrip()
    return path[2:] if path[:2] in ("a/", "b/") else path
