"""The cells of a column as amounts: numbers, texts that spell one, and those with a unit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from operator import eq
from typing import Any

from .layout import Column
from .literals import NUMBER

_AMOUNT = 6
"""Digits of a whole number."""
_PLAIN = frozenset((int, float))
_LONGEST = 40
"""Characters of a text that is no number, whatever it spells."""
_COLUMN = re.compile(rf"{NUMBER.pattern}(?:\n{NUMBER.pattern})*")
_DIGITS = frozenset("-0123456789")
_MEASURE = re.compile(r"([$€£¥]?)(-?[0-9]{1,15}(?:\.[0-9]{1,9})?) ?(%|[A-Za-zµμ]{1,3})?")
_UNITS = {
    "": 1, "%": 1, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600,
    "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
"""Seconds or bytes, with the unit in lower case."""


def numbers(leaf: Column, alone: bool) -> list[float | None]:
    """The cells of a column as numbers, None for others."""
    if leaf.measured is not None:
        return leaf.measured
    if _PLAIN.issuperset(map(type, leaf.values)):
        plain = _floats(leaf.values)
        if plain is not None:
            leaf.measured = plain
            return plain
    alone = alone or (leaf.alone and _tells_amounts(leaf.values))
    distinct = dict(zip(leaf.numbers, leaf.values, strict=True))
    known = _spelled(distinct) if alone else None
    if known is None:
        known = dict.fromkeys(distinct)
        spells = NUMBER.fullmatch
        for at, value in distinct.items():
            if type(value) is not str:
                known[at] = number(value, alone)
            elif alone and value[:1] in _DIGITS and len(value) < _LONGEST and spells(value):
                known[at] = float(value)
    found = leaf.measured = [known[at] for at in leaf.numbers]
    return found


def _floats(values: Sequence[Any]) -> list[float | None] | None:
    """Numbers as such, all at once; None where some are none, or too large."""
    try:
        found: list[float | None] = list(map(float, values))
    except OverflowError:
        return None
    return found if all(map(eq, found, found)) else None


def _spelled(texts: dict[int, Any]) -> dict[int, float | None] | None:
    """What texts amount to if all spell numbers or are empty, seen at once; None for others."""
    if set(map(type, texts.values())) != {str} or max(map(len, texts.values())) >= _LONGEST:
        return None
    spelled = [text for text in texts.values() if text]
    joined = "\n".join(spelled)
    if not _COLUMN.fullmatch(joined) or joined.count("\n") >= len(spelled):
        return None
    return {at: float(text) if text else None for at, text in texts.items()}


def _tells_amounts(values: Sequence[Any]) -> bool:
    """Whether texts that spell numbers are amounts rather than names: some have a point or a sign, or they are short
    and of several lengths."""
    texts = [value for value in values if type(value) is str and value]
    if any("." in text or text[0] == "-" for text in texts):
        return True
    sizes = set(map(len, texts))
    return len(sizes) > 1 and max(sizes) <= _AMOUNT


def number(value: Any, alone: bool) -> float | None:
    """A value as a number; with ``alone`` also a string that spells one."""
    if type(value) is int or type(value) is float:
        try:
            return None if value != value else float(value)  # NaN is neither large nor small
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if alone and type(value) is str and value[:1] in _DIGITS and len(value) < _LONGEST and NUMBER.fullmatch(value):
        return float(value)
    return None


def measures(leaf: Column) -> list[float | None]:
    """The cells of a column of texts such as ``35ms``, ``1.5 GiB``, ``80%`` or ``$12.50`` as numbers in one unit, None
    for others; nothing where the first text is no such."""
    first = next((value for value in leaf.values if type(value) is str and value), "")
    if _measure(first) is None:
        return []
    return [_measure(value) if type(value) is str else None for value in leaf.values]


def _measure(text: str) -> float | None:
    found = _MEASURE.fullmatch(text)
    if found is None or not (found[1] or found[3]):
        return None
    unit = _UNITS.get((found[3] or "").lower())
    return None if unit is None else float(found[2]) * unit
