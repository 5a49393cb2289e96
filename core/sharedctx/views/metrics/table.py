"""Blocks of samples as small tables: what is the same in a block stands once in its heading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ...errors import DecodeError
from .exposition import MOST_ALIKE, Block, Sample

_BARE = re.compile(r'[^\s"&^?]\S*')
_CELL = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"]\S*')
_HEADING = re.compile(r"@(\d{1,9}) ([a-z]+|-) ([a-zA-Z_:][\w:]*)(?:\|([\w:]+))?(\{)?", re.ASCII)
_ITEM = re.compile(r'([a-zA-Z_][\w.]*)(?:(\^)|(=\?)|="([^"\\]*(?:\\.[^"\\]*)*)")(,|\})', re.ASCII)
_END = re.compile(r" (\?|[-+\w.]+)(?: (-?[\d.]*\??))?(?: # (.+))?", re.ASCII)
_ANCHOR = re.compile(r"&(\d{1,9})(=?)(?: |$)", re.ASCII)
_WORTH = 40
"""Characters of cells that a name like &1 is given to."""
_LONG = 4
_Labels = tuple[tuple[str, str], ...]


class Writer:
    """Writes blocks; a heading and a row may lean on those before."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._known: dict[str, str] = {}
        self._anchors: dict[_Labels, int] = {}
        self._number: Counter[_Labels] = Counter()
        for block in blocks:
            varying = _varying(block)
            for sample in block.samples:
                self._number[_cells(sample, varying)] += 1

    def heading(self, block: Block, number: int) -> str:
        """The line that tells what the samples of a block share; ``?`` where their rows say it."""
        first = block.samples[0]
        varying = set(_varying(block))
        items = []
        for at, (key, value) in enumerate(first.labels or ()):
            if at in varying:
                items.append(f"{key}=?")
            elif self._known.get(key) == value:
                items.append(f"{key}^")
            else:
                items.append(f'{key}="{value}"')
            if at not in varying:
                self._known[key] = value
        name = f"{block.base}|{first.name[len(block.base) :]}" if block.base not in ("", first.name) else first.name
        labels = "" if first.labels is None else "{" + ",".join(items) + "}"
        value = first.value if _same(block, "value") else "?"
        time = _prefix(block)
        if not _same(block, "time"):
            time += "?"
        told = f" # {block.help}" if block.help else ""
        return f"@{number} {block.type or '-'} {name}{labels} {value}{' ' + time if first.time else ''}{told}"

    def rows(self, block: Block, chosen: Sequence[int]) -> Iterator[str]:
        """The lines of some samples of a block: the cells that vary, the value, the time."""
        varying = _varying(block)
        value_varies, time_varies = not _same(block, "value"), not _same(block, "time")
        if not varying and not value_varies and not time_varies:
            return
        prefix = len(_prefix(block))
        above: _Labels = ()
        for index in chosen:
            sample = block.samples[index]
            cells = _cells(sample, varying)
            pieces = [self._anchored(cells, above)] if cells else []
            above = cells
            if value_varies:
                pieces.append(sample.value)
            if time_varies:
                pieces.append(sample.time[prefix:])
            yield " ".join(pieces)

    def _anchored(self, cells: _Labels, above: _Labels) -> str:
        plain = " ".join(_spelled(value) for _, value in cells)
        if cells in self._anchors:
            return f"&{self._anchors[cells]}"
        pieces = [
            "^" if above and above[at][1] == value and len(value) >= _LONG else _spelled(value)
            for at, (_, value) in enumerate(cells)
        ]
        row = " ".join(pieces)
        if self._number[cells] > 1 and len(plain) >= _WORTH:
            self._anchors[cells] = len(self._anchors) + 1
            return f"&{len(self._anchors)}= {row}"
        return row


class Reader:
    """Reads what ``Writer`` wrote."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self._known: dict[str, str] = {}
        self._anchors: list[_Labels] = []

    def whole(self) -> Iterator[str]:
        """The original lines. Raises ``DecodeError``."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if line.startswith("@"):
                yield from self._block(line)
            else:
                yield line[1:] if line.startswith("'") else line

    def _block(self, line: str) -> Iterator[str]:
        found = _HEADING.match(line)
        if found is None:
            raise DecodeError(f"no heading of metrics: {line[:80]!r}")
        name = found[3] + (found[4] or "")
        labels, at = self._items(line, found.end()) if found[5] else (None, found.end())
        end = _END.fullmatch(line, at)
        if end is None:
            raise DecodeError(f"no heading of metrics: {line[:80]!r} lacks a value")
        if found[2] != "-":
            if end[3]:
                yield f"# HELP {found[3]} {end[3]}"
            yield f"# TYPE {found[3]} {found[2]}"
        varying = [key for key, value in labels or () if value is None]
        time = end[2] or ""
        rows = bool(varying) or end[1] == "?" or time.endswith("?")
        above: _Labels = ()
        if int(found[1]) > (len(self._lines) if rows else MOST_ALIKE):
            raise DecodeError(f"metrics: {found[1]} samples are more than there are")
        for _ in range(int(found[1])):
            cells, rest = self._row(varying, above) if rows else ((), [])
            above = cells
            own = iter(cells)
            value = rest.pop(0) if end[1] == "?" and rest else end[1]
            when = time[:-1] + rest.pop(0) if time.endswith("?") and rest else time
            if rest or "?" in value + when:
                raise DecodeError(f"metrics: a row near line {self._at} has not the cells of {name}")
            spelled = ""
            if labels is not None:
                pairs = ((key, next(own)[1] if given is None else given) for key, given in labels)
                spelled = "{" + ",".join(f'{key}="{given}"' for key, given in pairs) + "}"
            yield f"{name}{spelled} {value}{' ' + when if when else ''}"

    def _items(self, line: str, at: int) -> tuple[list[tuple[str, str | None]], int]:
        labels: list[tuple[str, str | None]] = []
        if line.startswith("}", at):
            return labels, at + 1
        while True:
            item = _ITEM.match(line, at)
            if item is None or (item[2] and item[1] not in self._known):
                raise DecodeError(f"no heading of metrics: {line[:80]!r} at character {at}")
            value = self._known[item[1]] if item[2] else item[4]
            labels.append((item[1], None if item[3] else value))
            if not item[3]:
                self._known[item[1]] = value
            at = item.end()
            if item[5] == "}":
                return labels, at

    def _row(self, varying: list[str], above: _Labels) -> tuple[_Labels, list[str]]:
        if self._at >= len(self._lines):
            raise DecodeError("metrics: the text ends before its last row")
        line = self._lines[self._at]
        self._at += 1
        anchor = _ANCHOR.match(line) if varying else None
        if anchor is not None and not anchor[2]:
            if not 0 < int(anchor[1]) <= len(self._anchors):
                raise DecodeError(f"metrics: &{anchor[1]} is not named")
            cells = self._anchors[int(anchor[1]) - 1]
            if [key for key, _ in cells] != varying:
                raise DecodeError(f"metrics: &{anchor[1]} is of other labels")
            return cells, _divide(line, anchor.end())
        found = _divide(line, anchor.end() if anchor is not None else 0)
        if len(found) < len(varying) or (not above and "^" in found[: len(varying)]):
            raise DecodeError(f"metrics: a row near line {self._at} lacks cells")
        values = (above[at][1] if cell == "^" else _value(cell) for at, cell in enumerate(found[: len(varying)]))
        cells = tuple(zip(varying, values, strict=True))
        if anchor is not None:
            self._anchors.append(cells)
        return cells, found[len(varying) :]


def _divide(line: str, at: int) -> list[str]:
    cells = []
    while at < len(line):
        cell = _CELL.match(line, at)
        if cell is None or (cell.end() < len(line) and line[cell.end()] != " "):
            raise DecodeError(f"metrics: {line[:80]!r} is no row")
        cells.append(cell[0])
        at = cell.end() + 1
    return cells


def _value(cell: str) -> str:
    return cell[1:-1] if cell.startswith('"') else cell


def _spelled(value: str) -> str:
    return value if _BARE.fullmatch(value) else f'"{value}"'


def _varying(block: Block) -> list[int]:
    first = block.samples[0].labels or ()
    columns = zip(*((value for _, value in sample.labels or ()) for sample in block.samples), strict=True)
    pairs = enumerate(zip(columns, first, strict=True))
    return [at for at, (column, (_, value)) in pairs if any(each != value for each in column)]


def _cells(sample: Sample, varying: Sequence[int]) -> _Labels:
    labels = sample.labels or ()
    return tuple(labels[at] for at in varying)


def _same(block: Block, name: str) -> bool:
    first = getattr(block.samples[0], name)
    return all(getattr(sample, name) == first for sample in block.samples)


def _prefix(block: Block) -> str:
    """What the times of a block start with: all of it where they are the same."""
    times = [sample.time for sample in block.samples]
    low, high = min(times), max(times)
    if low == high:
        return low
    same = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[: min(same, min(map(len, times)) - 1)]
