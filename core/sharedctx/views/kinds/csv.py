"""Comma- and tab-separated text with a header line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...errors import DecodeError
from ..columns.fitted import shorten_value
from ..columns.packing import pack_value, unpack_value
from ..columns.shortening import Limits, Unit
from ..kind import Brief, Draft, Source
from ..lines.log_survey import TIME

_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_LEAST_LINES = 5
_SAMPLED = 100
_LIMITS = Limits(share=0.3, text=300, parts=12, fill=False)
_NUMBER = re.compile(r" *[0-9.]+ *")
_STYLE = re.compile(r"\[\[csv: (comma|tab|semicolon|bar)-separated( crlf)?( all-quoted)?( open-ended)?[;\]]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is spelled: ``quoted`` tells that every cell stands in quotes, ``ended`` that the last line ends."""

    delimiter: str
    ending: str = "\n"
    quoted: bool = False
    ended: bool = True

    @property
    def name(self) -> str:
        """The dialect as a legend tells it."""
        flags = (" crlf", self.ending != "\n"), (" all-quoted", self.quoted), (" open-ended", not self.ended)
        return f"{_DELIMITERS[self.delimiter]}-separated" + "".join(flag for flag, told in flags if told)

    def line(self, cells: list[str]) -> str:
        """One line without its ending."""
        line = self.delimiter.join(cells)
        bare = line.count(self.delimiter) < len(cells) and '"' not in line and "\n" not in line and "\r" not in line
        return line if bare and not self.quoted else self.delimiter.join(map(self._cell, cells))

    def _cell(self, text: str) -> str:
        if self.quoted or any(char in text for char in (self.delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text

    def write(self, names: list[str], rows: list[dict[str, str]]) -> str:
        """The whole text."""
        lines = [self.line(names), *(self.line(list(row.values())) for row in rows)]
        return self.ending.join(lines) + (self.ending if self.ended else "")


@dataclass(frozen=True, slots=True)
class Table:
    """A parsed text. ``exact``: its dialect gives the text back."""

    dialect: Dialect
    names: list[str]
    rows: list[dict[str, str]]
    exact: bool


def parse(text: str) -> Table | None:
    """Read a table with distinct names and no row that is longer than its header, or None."""
    head = text.split("\n", 1)[0].removesuffix("\r")
    delimiter = max(_DELIMITERS, key=head.count)
    if not head.count(delimiter):
        return None
    ending = "\r\n" if "\r\n" in text else "\n"
    if '"' in text:
        lines = _quoted_lines(text, delimiter)
        if lines is None:
            return None
    else:
        lines = [line.split(delimiter) for line in text.split(ending)]
    ended = lines[-1] == [""]
    if ended:
        lines.pop()
    names = lines[0]
    if len(lines) < 2 or len(set(names)) < len(names):
        return None
    rows = []
    for line in lines[1:]:
        if len(line) > len(names):
            return None
        rows.append(dict(zip(names, line, strict=False)))
    if '"' not in text:
        exact = text.count("\r") == text.count("\n") == text.count(ending) if ending != "\n" else "\r" not in text
        return Table(Dialect(delimiter, ending, False, ended), names, rows, exact)
    for quoted in (False, True):
        dialect = Dialect(delimiter, ending, quoted, ended)
        if dialect.write(names, rows) == text:
            return Table(dialect, names, rows, True)
    return Table(Dialect(delimiter, ending), names, rows, False)


def _quoted_lines(text: str, delimiter: str) -> list[list[str]] | None:
    mark = re.escape(delimiter)
    cell = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"{mark}\r\n]*))({mark}|\r?\n|\Z)')
    lines: list[list[str]] = [[]]
    at = 0
    while True:
        if not lines[-1]:  # most lines have no quotes
            end = text.find("\n", at)
            line = text[at:] if end < 0 else text[at:end].removesuffix("\r")
            if '"' not in line and "\r" not in line:
                lines[-1] = line.split(delimiter)
                if end < 0:
                    return lines
                lines.append([])
                at = end + 1
                continue
        found = cell.match(text, at)
        if found is None:
            return None
        lines[-1].append(found[1].replace('""', '"') if found[1] is not None else found[2])
        if found[3] == "":
            return lines
        if found[3] != delimiter:
            lines.append([])
        at = found.end()


def _starts(table: Table) -> list[int]:
    """The line on which each row starts, and the line after the last row."""
    starts = [2 + sum(name.count("\n") for name in table.names)]
    for row in table.rows:
        starts.append(starts[-1] + 1 + sum(cell.count("\n") for cell in row.values()))
    return starts


class CsvKind:
    """Separated text whose first line has the names."""

    name = "csv"

    def fits(self, source: Source) -> float:
        """0.8 and more for lines with the same number of delimiters and no spaces after them; half of that for what
        starts with a time in place of names, as logs whose times have a comma."""
        if source.value is not None:
            return 0.0
        lines = source.text[:65536].split("\n", _SAMPLED + 1)[:_SAMPLED]
        if len(source.text) > 65536 and len(lines) > 1:
            lines.pop()
        lines = [line.removesuffix("\r") for line in lines if line]
        if len(lines) < _LEAST_LINES:
            return 0.0
        delimiter = max(_DELIMITERS, key=lines[0].count)
        columns = lines[0].count(delimiter)
        names = [name.strip('"') for name in lines[0].split(delimiter)]
        if not columns or len(set(names)) < len(names) or not all(0 < len(name) <= 60 for name in names):
            return 0.0
        if any(name.count("(") != name.count(")") or _NUMBER.fullmatch(name) for name in names) and columns < 3:
            return 0.0  # a message or a count rather than names
        same = sum(line.count(delimiter) == columns for line in lines if '"' not in line)
        plain = sum('"' not in line for line in lines)
        spaced = sum(f"{delimiter} " in line for line in lines)
        if same < 0.95 * plain or (delimiter == "," and spaced > 0.5 * len(lines)):
            return 0.0
        if TIME.match(lines[0]) or (columns == 1 and plain <= 20):
            return 0.4
        return 0.9 if columns > 1 and plain > 20 else 0.8

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The columns, a summary of each, and the rows that tell most; markers count the text's lines."""
        table = parse(source.text)
        if table is None:
            return None
        unit, what = Unit("lines", 2), f"{table.dialect.name}; {len(table.rows)} rows, row 0 is line 2"
        if source.text.count("\n") > len(table.rows) + table.dialect.ended:  # cells of several lines
            unit, what = Unit("lines", 2, _starts(table)), f"{table.dialect.name}; {len(table.rows)} rows"
        draft = shorten_value("csv", what, table.rows, source, brief, _LIMITS, unit, True)
        if draft is None or draft.refs:
            return draft
        ref = f"lines:1-{len(source.lines)}"  # all cells are there, and how the text spells them is not
        marker = brief.marks.omitted(f"spelling of {len(source.lines)} lines", ref)
        return Draft(f"{draft.text.rstrip()}\n{marker}", draft.strategy, (brief.marks.ref(ref),))

    def pack(self, source: Source) -> str | None:
        """All rows, by columns; None for text that is not spelled in one style."""
        table = parse(source.text)
        if table is None or not table.exact or len(table.rows) < _LEAST_LINES - 1:
            return None
        packed = pack_value("csv", table.dialect.name, [table.names, table.rows], True)
        return packed if packed is not None and len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The text. Raises ``DecodeError``."""
        style = _STYLE.match(text)
        value = unpack_value("csv", text, True)
        if style is None or type(value) is not list or len(value) != 2 or type(value[1]) is not list:
            raise DecodeError("no lossless view of csv: the legend names no dialect")
        delimiter = next(mark for mark, name in _DELIMITERS.items() if name == style[1])
        dialect = Dialect(delimiter, "\r\n" if style[2] else "\n", bool(style[3]), not style[4])
        names, rows = value
        if not all(type(row) is dict and all(type(cell) is str for cell in row.values()) for row in rows):
            raise DecodeError("no lossless view of csv: a row is no row")
        return dialect.write(names, rows)


KIND = CsvKind()
