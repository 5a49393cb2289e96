"""Columns whose strings follow from other columns of the row: ``url~".../issues/{number}"``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .layout import Column

_HOLE = re.compile(r"\{([^{}]*)\}")
_FORBIDDEN = re.compile(r"[\ue000-\ue0ff]")
_LETTER = re.compile(r"[^\W_]")
_JOINS = re.compile(r"[\w.-]")
_GOES_ON = re.compile(r"[\w-]|\.\w*[0-9]")
_LONGEST_REFERENCE = 400
_REFERENCES = 8
_MOST_PAIRS = 40_000
_LEAST_LITERAL = 60
"""Characters, over all rows, that a template must save."""
_MARK = 0xE000


class Template:
    """A text with references to columns of the row, ``{number}`` or ``{month:02}``, and with ``{}`` for the cell."""

    def __init__(self, text: str) -> None:
        self.text = text
        start, self.hole, end = text.partition("{}")
        self._sides = _HOLE.split(start), _HOLE.split(end)

    @property
    def references(self) -> list[str]:
        """The columns that it names."""
        return [piece.partition(":")[0] for side in self._sides for piece in side[1::2]]

    def fill(self, value_of: Callable[[str], Any]) -> tuple[str | None, str | None]:
        """The texts before and after the cell; None where a column has no text in this row."""
        head, tail = self._sides
        return _filled(head, value_of), _filled(tail, value_of)


def _filled(pieces: list[str], value_of: Callable[[str], Any]) -> str | None:
    if len(pieces) == 1:
        return pieces[0]
    filled = []
    for at, piece in enumerate(pieces):
        if at % 2:
            path, _, form = piece.partition(":")
            text = text_of(value_of(path), form)
            if text is None:
                return None
            filled.append(text)
        else:
            filled.append(piece)
    return "".join(filled)


def text_of(value: Any, form: str) -> str | None:
    """How a value stands in a template: strings and integers, with ``02`` integers of two digits; others do not."""
    if type(value) is str:
        return value if not form else None
    if type(value) is int:
        return str(value) if not form else f"{value:02d}"
    return None


class _Candidate:
    """A column that templates may refer to."""

    def __init__(self, column: Column, form: str) -> None:
        self.column = column
        self.reference = (column.reference or "") + (f":{form}" if form else "")
        self.form = form

    def text(self, at: int) -> str | None:
        return text_of(self.column.values[at], self.form)


def find_templates(leaves: list[Column], targets: list[Column]) -> None:
    """Give a template to each target that has one; a template refers only to columns with shorter values."""
    size = len(leaves[0].numbers) if leaves else 0
    if size < 2:
        return
    places = sorted({0, size // 3, 2 * size // 3, size - 1, 1})
    ranked = []
    for leaf in leaves:
        if leaf.form == "cell" and leaf.rule not in ("const", "same"):
            sample = [value for place in places if type(value := leaf.values[place]) in (str, int)]
            ranked.append((sum(len(str(value)) for value in sample) / max(len(sample), 1), leaf))
    ranked.sort(key=lambda pair: pair[0])
    candidates: list[_Candidate] = []
    wanted = set(map(id, targets))
    room = _MOST_PAIRS
    for length, leaf in ranked:
        if id(leaf) in wanted and any(type(value) is str for value in leaf.values):
            room -= len(candidates)
            _template(leaf, candidates if room > 0 else [])
        if length <= _LONGEST_REFERENCE * 10 and leaf.reference:
            values = [leaf.values[place] for place in places]
            if len(set(map(str, values))) > 1 and all(type(value) in (str, int) for value in values):
                candidates.append(_Candidate(leaf, ""))
                if all(type(value) is int and 0 <= value <= 99 for value in values):
                    candidates.append(_Candidate(leaf, "02"))


def _template(leaf: Column, candidates: list[_Candidate]) -> None:
    values = leaf.values
    texts = [at for at, value in enumerate(values) if type(value) is str]
    if len(texts) < 0.6 * len(values) or len(texts) < 2:
        return
    size = len(texts)
    sample = [texts[at] for at in sorted({0, 1, size // 3, size // 2, 2 * size // 3, size - 1})]
    found = []
    for candidate in candidates:
        spelled = [candidate.text(at) for at in sample]
        hits = sum(bool(text) and (text or "") in values[at] for text, at in zip(spelled, sample, strict=True))
        if hits >= 0.8 * len(sample):
            found.append((sum(len(text or "") for text in spelled), candidate))
    found.sort(key=lambda pair: -pair[0])
    used = [candidate for _, candidate in found[:_REFERENCES]]
    if any(_FORBIDDEN.search(values[at]) for at in sample):
        return
    skeletons = [_skeleton(values[at], used, at) for at in sample]
    common = max(set(skeletons), key=lambda each: (skeletons.count(each), each))
    if skeletons.count(common) >= 0.6 * len(sample) and re.search(r"[\ue000-\ue0ff]", common):
        _settle(leaf, common, "", used, False, texts)
    if not leaf.rule:
        prefix = _cut(_common(skeletons), True)
        ends = [skeleton[len(prefix) :][::-1] for skeleton in skeletons]
        suffix = _cut(_common(ends)[::-1], False)
        literal = len(prefix) + len(suffix)
        if (literal >= 4 and literal * len(values) >= _LEAST_LITERAL) or re.search(r"[\ue000-\ue0ff]", prefix + suffix):
            _settle(leaf, prefix, suffix, used, True, texts)


def _replaced(value: str, text: str, mark: str, form: type) -> str:
    """The value with a mark for ``text`` where it is no part of a longer word, name or number; integers may be parts of
    dates."""
    joins, goes_on = (_LETTER, _LETTER) if form is int else (_JOINS, _GOES_ON)
    pieces: list[str] = []
    done, at = 0, value.find(text)
    while at >= 0:
        end = at + len(text)
        if (at and joins.match(value, at - 1)) or goes_on.match(value, end):
            at = value.find(text, at + 1)
        else:
            pieces += value[done:at], mark
            done, at = end, value.find(text, end)
    return "".join(pieces) + value[done:]


def _skeleton(value: str, found: list[_Candidate], at: int) -> str:
    for mark, candidate in enumerate(found):
        text = candidate.text(at)
        if text and text in value:
            value = _replaced(value, text, chr(_MARK + mark), type(candidate.column.values[at]))
    return value


def _common(texts: list[str]) -> str:
    """The longest start that all have."""
    low, high = min(texts), max(texts)
    size = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:size]


def _cut(text: str, start: bool) -> str:
    """Shorten a common start or end so that no word and no number is cut."""
    if start:
        while text and not _parts(text[-1]):
            text = text[:-1]
        return text
    while text and not (_parts(text[0]) and text[0] != "."):
        text = text[1:]
    return text


def _parts(char: str) -> bool:
    return char in "/:,= @#?&\n|" or _MARK <= ord(char) < _MARK + 256


def _settle(leaf: Column, prefix: str, suffix: str, used: list[_Candidate], hole: bool, texts: list[int]) -> None:
    """Take the template if enough values follow it."""
    spelled = prefix + ("{}" if hole else "") + suffix
    if re.search(r"[{}]", prefix + suffix):
        return
    marks = {chr(_MARK + at): candidate for at, candidate in enumerate(used)}
    template = Template("".join(f"{{{marks[char].reference}}}" if char in marks else char for char in spelled))
    scope = {candidate.column.reference or "": candidate.column for candidate in used}
    good = 0
    for at in texts:
        value = leaf.values[at]
        head, tail = template.fill(lambda path, at=at: scope[path].values[at])  # type: ignore[misc]
        if head is not None and tail is not None:
            if hole:
                good += len(value) >= len(head) + len(tail) and value.startswith(head) and value.endswith(tail)
            else:
                good += value == head
    if (hole and good >= 0.9 * len(texts)) or (not hole and good >= 0.6 * len(leaf.values)):
        leaf.rule, leaf.given, leaf.scope = "template", template, scope
        leaf.optional = not hole and good < len(leaf.values)
