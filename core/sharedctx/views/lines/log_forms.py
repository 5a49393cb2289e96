"""Lines of a log divided into forms, which have the same text but for some cells."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_APART = re.compile(r"((?:[\s=()\[\]{}\"';|<>]|,(?!\d))+)")
_QUOTED = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?+')
"""A quoted string, or the rest of a line where the quote is not closed: so that no line is read again and again."""
_AGENT = re.compile(r'"[\w.-]{1,80}/[\d.]{1,40} \(')
_HELD = re.compile("\x01(\\d+)\x02")
RESERVED = re.compile("[\x01\x02]")
"""What a text must not hold to be divided."""
_CLOCK = re.compile(r"[A-Za-z]{0,8}(?:\d[^:\s]{0,30}[T:])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z?")
_DIGIT = re.compile(r"\d")
_EDGE = re.compile(r"[^\w.-]")
_ATOM = 20
_LONGEST = 20_000
_GROUPS = 12
_ALIKE = 0.5
_WORTH = 30
"""Characters that a form must save."""


@dataclass(slots=True)
class Slot:
    """Where the lines of a form differ: a cell, a time, or (``same``) the cell of an earlier slot again."""

    cells: list[str]
    clock: bool = False
    same: int | None = None


@dataclass(slots=True)
class Form:
    """The lines of one form: texts and slots in turn, and the indexes of the lines."""

    parts: list[str | Slot]
    lines: list[int]

    @property
    def slots(self) -> list[Slot]:
        """The slots whose cells are told."""
        return [part for part in self.parts if isinstance(part, Slot) and part.same is None]


def divide(text: str, lines: Sequence[str]) -> list[Form]:
    """The forms that save something, in the order of their first lines; the other lines stand alone."""
    atoms: list[str] = []
    words = [_words(line) for line in _hold(text, atoms).split("\n")]
    shapes: dict[str, list[int]] = defaultdict(list)
    for index, (line, found) in enumerate(zip(lines, words, strict=True)):
        if line and len(line) <= _LONGEST:
            shapes["\n".join(found[1::2])].append(index)
    forms = []
    for members in shapes.values():
        if len(members) > 1:
            formed = [_form(group, words, atoms) for group in _alike(members, words) if len(group) > 1]
            forms += _merged(formed, words, atoms)
    forms = [form for form in forms if _saves(form)]
    return sorted(forms, key=lambda form: form.lines[0])


def _hold(text: str, atoms: list[str]) -> str:
    """The text with quoted strings that repeat, and names of user agents, put into ``atoms``."""
    if '"' not in text:
        return text
    found = (quoted for quoted in _QUOTED.findall(text) if len(quoted) >= _ATOM and " " in quoted)
    counts = Counter(quoted for quoted in found if quoted.endswith('"'))
    numbers: dict[str, int] = {}

    def held(found: re.Match[str]) -> str:
        quoted = found[0]
        if counts[quoted] < 2 and not (quoted in counts and _AGENT.match(quoted)):
            return quoted
        number = numbers.setdefault(quoted, len(numbers))
        if number == len(atoms):
            atoms.append(quoted)
        return f"\x01{number}\x02"

    return _QUOTED.sub(held, text)


def _words(line: str) -> list[str]:
    """Words and what stands between them, in turn."""
    return _APART.split(line) if len(line) <= _LONGEST else [line]


def _alike(members: list[int], words: list[list[str]]) -> list[list[int]]:
    """Lines of one shape grouped by their words, numbers left out of account."""
    exact: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index in members:
        exact[tuple("" if _DIGIT.search(word) else word for word in words[index][::2])].append(index)
    groups: list[tuple[tuple[str, ...], list[int]]] = []
    for key, found in exact.items():
        for known, lines in groups[:_GROUPS]:
            plain = sum(1 for word in key if word)
            if sum(1 for a, b in zip(known, key, strict=True) if a and a == b) >= _ALIKE * plain:
                lines += found
                break
        else:
            groups.append((key, found))
    return [sorted(lines) for _, lines in groups]


def _merged(forms: list[Form], words: list[list[str]], atoms: list[str]) -> list[Form]:
    """The forms, those that read the same as one."""
    told: dict[tuple[object, ...], list[Form]] = defaultdict(list)
    for form in forms:
        told[tuple(part if isinstance(part, str) else (part.clock, part.same) for part in form.parts)].append(form)
    return [
        same[0] if len(same) == 1 else _form(sorted(line for form in same for line in form.lines), words, atoms)
        for same in told.values()
    ]


def _form(members: list[int], words: list[list[str]], atoms: list[str]) -> Form:
    parts: list[str | Slot] = []
    told: dict[tuple[str, ...], int] = {}
    columns = zip(*(words[index] for index in members), strict=True)
    for column in columns:
        first = column[0]
        if all(value == first for value in column):
            _append(parts, _restore(first, atoms))
            continue
        values = [_restore(value, atoms) for value in column]
        start, end = _shared(values)
        clock = all(_CLOCK.fullmatch(value[: len(value) - end]) for value in values)
        if clock:
            clock = len({(value.count(":"), value.find(":")) for value in values}) == 1
        start = 0 if clock else start
        cells = [value[start : len(value) - end] for value in values]
        _append(parts, values[0][:start])
        same = None if clock else told.get(tuple(cells))
        if same is None:
            number = sum(isinstance(part, Slot) and part.same is None for part in parts)
            told.setdefault(tuple(cells), number)
        parts.append(Slot(cells, clock, same))
        _append(parts, values[0][len(values[0]) - end :])
    return Form(parts, members)


def _append(parts: list[str | Slot], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def _restore(word: str, atoms: list[str]) -> str:
    return _HELD.sub(lambda found: atoms[int(found[1])], word) if "\x01" in word else word


def _shared(values: list[str]) -> tuple[int, int]:
    """How many characters all values start and end with, cut back to where no word or number is divided."""
    if any(" " in value or len(value) > 500 for value in values):
        return 0, 0
    low, high = min(values), max(values)
    start = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    while start and not _EDGE.match(low[start - 1]):
        start -= 1
    backward = [value[start:][::-1] for value in values]
    low, high = min(backward), max(backward)
    end = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    while end and not _EDGE.match(low[end - 1]):
        end -= 1
    return start, end


def _saves(form: Form) -> bool:
    text = sum(len(part) for part in form.parts if isinstance(part, str))
    text += sum(len(part.cells[0]) for part in form.parts if isinstance(part, Slot) and part.same is not None)
    return (len(form.lines) - 1) * text - 6 * len(form.parts) - 4 * len(form.lines) >= _WORTH
