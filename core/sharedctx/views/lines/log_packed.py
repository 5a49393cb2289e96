"""The lossless view of a log: each form once, each line as its cells."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ...errors import DecodeError
from ..packs import MOST, letters
from .log_forms import Form, Slot
from .log_survey import HEAD, LEVEL, trouble_of

_BARE = re.compile(r"[^\s\"'^&]\S*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_CELL = re.compile(r"""'?"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"']\S*""")
_ANCHOR = re.compile(r"&(\d{1,9})(=?)")
_PART = re.compile(r"<<|<>|<:>|<=(\d{1,9})>|[^<]+")
_HEADING = re.compile(r"@([A-Z]{1,6}) ")
_NAME = re.compile(r"([A-Z]{0,6})(?: |$)")
_LONG = 3
_ANCHORED = 30
"""Characters from which on a cell that repeats is named."""


class _Clock:
    """The last time of each make; the next is told from its first part that changed."""

    def __init__(self) -> None:
        self._last: dict[int, list[str]] = {}

    def tell(self, time: str) -> str:
        parts = time.split(":")
        last = self._last.get(len(parts), [])
        self._last[len(parts)] = parts
        if last == parts:
            return "^"
        same = next((at for at, (a, b) in enumerate(zip(last, parts, strict=False)) if a != b), 0)
        return ":".join(parts[same:])

    def read(self, told: str, number: int) -> str:
        last = self._last.get(number, [])
        parts = [] if told == "^" else told.split(":")
        parts = last[: number - len(parts)] + parts
        if len(parts) != number:
            raise DecodeError(f"log: {told!r} is no time that goes on from the one before")
        self._last[number] = parts
        return ":".join(parts)


AGAIN = 4000
"""Characters after which a form may be told again: what a line says is to stand near it."""
_AMPLE = 10
"""It is told again once its lines since then are so many times as long: a form of few lines would cost as much as they
save."""
_FEW = 24
"""So many errors of one form are told whole: far from the form, cells alone would say little."""


class Writer:
    """Writes lines, and forms at their first use; a whole text of up to ``MOST`` characters."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms = [form for form in forms if not _telling(form)]
        self._clock = _Clock()
        self._anchors: dict[str, int] = {}
        self._uses: Counter[str] = Counter()
        for form in forms:
            for slot in form.slots:
                cells = slot.cells
                self._uses.update(
                    cell
                    for at, cell in enumerate(cells)
                    if len(cell) >= _ANCHORED and (not at or cell != cells[at - 1])
                )

    def lines(self, lines: Sequence[str]) -> Iterator[str]:
        """The lines of the view below its legend."""
        of = {index: (number, row) for number, form in enumerate(self._forms) for row, index in enumerate(form.lines)}
        headings = [_heading(form) for form in self._forms]
        last = -1
        size = 0
        told: dict[int, int] = {}  # where each form was told
        since: dict[int, int] = {}  # how long its lines from there on are
        for index, line in enumerate(lines):
            if index not in of:
                size += len(line) + 2
                yield f"|{line}"
                continue
            number, row = of[index]
            form = self._forms[number]
            ample = _AMPLE * len(headings[number])
            again = number not in told or (size - told[number] > AGAIN and since[number] >= ample)
            if again:
                heading = f"@{letters(number)} {headings[number]}"
                size += len(heading) + 1
                told[number], since[number] = size, 0
                yield heading
            cells = self._cells(form, row, again)
            name = "" if number == last and cells else letters(number)
            last = number
            made = f"{name} {' '.join(cells)}" if cells else name
            size += len(made) + 1
            since[number] += len(made) + 1
            yield made

    def _cells(self, form: Form, row: int, again: bool) -> list[str]:
        told = []
        keep = 0
        for slot in form.slots:
            cell = slot.cells[row]
            if slot.clock:
                told.append(self._clock.tell(cell))
                keep = len(told)
            elif not again and slot.cells[row - 1] == cell and len(cell) >= _LONG:
                told.append("^")
            else:
                told.append(self._spelled(cell))
                keep = len(told)
        return told[: max(keep, 1)]

    def _spelled(self, cell: str) -> str:
        spelled = cell if _BARE.fullmatch(cell) or _STRING.fullmatch(cell) else "'" + json.dumps(cell)
        if self._uses[cell] > 1:
            if cell in self._anchors:
                return f"&{self._anchors[cell]}"
            self._anchors[cell] = len(self._anchors) + 1
            return f"&{len(self._anchors)}={spelled}"
        return spelled


def _telling(form: Form) -> bool:
    """Whether a form is of a few errors of a log."""
    heading = _heading(form)
    timed = any(slot.clock for slot in form.slots) or LEVEL.search(heading, 0, HEAD) is not None
    return timed and len(form.lines) <= _FEW and trouble_of(heading)[0] > 1


def _heading(form: Form) -> str:
    pieces = []
    for part in form.parts:
        if isinstance(part, str):
            pieces.append(part.replace("<", "<<"))
        elif part.same is not None:
            pieces.append(f"<={part.same + 1}>")
        elif part.clock:
            pieces.append("<:>" * part.cells[0].count(":"))
        else:
            pieces.append("<>")
    return "".join(pieces)


class Reader:
    """Reads what ``Writer`` wrote."""

    def __init__(self) -> None:
        self._parts: dict[str, list[str | Slot]] = {}
        self._above: dict[str, list[str]] = {}
        self._anchors: list[str] = []
        self._clock = _Clock()
        self._last = ""
        self._size = 0

    def lines(self, lines: Sequence[str]) -> Iterator[str]:
        """The original lines. Raises ``DecodeError``."""
        for line in lines:
            if self._size > MOST:
                raise DecodeError(f"log: the text is over {MOST} characters")
            if line.startswith("|"):
                yield line[1:]
            elif line.startswith("@"):
                self._form(line)
            else:
                yield self._line(line)

    def _form(self, line: str) -> None:
        head = _HEADING.match(line)
        if head is None:
            raise DecodeError(f"log: {line[:80]!r} is no form")
        parts: list[str | Slot] = []
        at = head.end()
        told = 0
        while at < len(line):
            found = _PART.match(line, at)
            if found is None:
                raise DecodeError(f"log: {line[:80]!r} is no form at character {at}")
            at = found.end()
            if found[0] == "<:>":
                if parts and isinstance(parts[-1], Slot) and parts[-1].clock:
                    parts[-1].cells.append("")
                    continue
                parts.append(Slot([""], clock=True))
                told += 1
            elif found[0] == "<>":
                parts.append(Slot([]))
                told += 1
            elif found[1]:
                if not 0 < int(found[1]) <= told:
                    raise DecodeError(f"log: {line[:80]!r} repeats a cell that is not there")
                parts.append(Slot([], same=int(found[1]) - 1))
            else:
                parts.append("<" if found[0] == "<<" else found[0])
        self._parts[head[1]] = parts
        self._above.pop(head[1], None)

    def _line(self, line: str) -> str:
        named = _NAME.match(line)
        name = (named[1] or self._last) if named is not None else ""
        if named is None or name not in self._parts:
            raise DecodeError(f"log: {line[:80]!r} is of no form")
        self._last = name
        told = _divide(line, named.end())
        above = self._above.get(name)
        cells: list[str] = []
        pieces = []
        for part in self._parts[name]:
            if isinstance(part, str):
                pieces.append(part)
                continue
            if part.same is None:
                at = len(cells)
                cell = told[at] if at < len(told) else "^"
                cells.append(self._cell(part, cell, above[at] if above is not None else None))
            pieces.append(cells[-1 if part.same is None else part.same])
        if len(told) > max(len(cells), 1) or (told and not cells):
            raise DecodeError(f"log: {line[:80]!r} has more cells than its form")
        self._above[name] = cells
        self._size += sum(map(len, pieces))
        return "".join(pieces)

    def _cell(self, slot: Slot, told: str, above: str | None) -> str:
        if slot.clock:
            return self._clock.read(told, len(slot.cells) + 1)
        if told == "^":
            if above is None:
                raise DecodeError("log: ^ in the first line of a form")
            return above
        anchor = _ANCHOR.match(told) if told.startswith("&") else None
        if anchor is None:
            return _value(told)
        if anchor[2]:
            self._anchors.append(_value(told[anchor.end() :]))
            return self._anchors[-1]
        if not 0 < int(anchor[1]) <= len(self._anchors):
            raise DecodeError(f"log: {told} is not named")
        return self._anchors[int(anchor[1]) - 1]


def _divide(line: str, at: int) -> list[str]:
    cells = []
    while at < len(line):
        anchor = _ANCHOR.match(line, at)
        start = anchor.end() if anchor is not None and anchor[2] else at
        cell = _CELL.match(line, start)
        end = cell.end() if cell is not None else start
        if cell is None or (end < len(line) and line[end] != " "):
            raise DecodeError(f"log: {line[:80]!r} has a cell that does not end")
        cells.append(line[at:end])
        at = end + 1
    return cells


def _value(cell: str) -> str:
    if not cell.startswith("'"):
        return cell
    try:
        return str(json.loads(cell[1:]))
    except ValueError:
        raise DecodeError(f"log: {cell[:80]!r} is no cell") from None
