"""Which rows of a table tell most, and what its columns hold."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Any

from ..pieces import fold
from .amounts import measures, numbers
from .excerpt import notable, suspects
from .layout import ABSENT, Column, Layout
from .pool import Pool

_RARE = 0.03
_FEW = 25
_MOST_ERRORS, _WORST = 8, 2
_SCANNED = 2000
_PART = 0.05
"""How much a rare part of an array tells beside a rare cell."""
_TROUBLE = re.compile(r"err(or)?s?|exceptions?|failures?|fail(ed)?|reason|warnings?", re.I)
_TIME = re.compile(r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}")


class Sample:
    """Ranks the rows of one table, the most telling first; without a pool those of scalars alone."""

    def __init__(self, layout: Layout, pool: Pool | None, wanted: Sequence[str], alone: bool) -> None:
        self._layout = layout
        self._pool = pool
        self._wanted = wanted
        self._alone = alone
        self._rows = [place for place, at in enumerate(layout.place) if at is not None]

    def ranked(self, fill: bool) -> list[int]:
        """Rows: those that tell something; then some from the start and the end, or with ``fill`` all others, the most
        unusual first."""
        known = self._layout.ranked.get(fill)
        if known is not None:
            return known
        size = len(self._layout.rows)
        order = [*self.telling(), 1, size - 2, 2]
        if fill:
            unusual = self._unusual(self._layout)
            order += sorted(range(size), key=lambda place: (-round(unusual.get(place, 0.0), 6), place))
        found = self._layout.ranked[fill] = [place for place in dict.fromkeys(order) if 0 <= place < size]
        return found

    def telling(self) -> list[int]:
        """The first row, those with words of the query, the worst errors, the last, extremes, other errors, rare
        values."""
        layout, size = self._layout, len(self._layout.rows)
        order = [0]
        if self._wanted:
            hits = self._matching(layout, self._asked)
            order += [self._rows[at] for at in sorted(hits, key=lambda at: (-hits[at], at))]
        errors = self._matching(layout, self._troubled, trouble=True)
        worst = [self._rows[at] for at in sorted(errors, key=lambda at: (-round(errors[at], 6), at))[:_MOST_ERRORS]]
        order += [*worst[:_WORST], size - 1]
        order += [place for place, at in enumerate(layout.place) if at is None][:4]
        order += [self._rows[at] for at in self._extremes(layout)]
        order += worst
        order += [self._rows[at] for at in self._rare(layout)]
        return list(dict.fromkeys(order))

    def _unusual(self, layout: Layout) -> dict[int, float]:
        """For each row how rare its values are in columns whose values mostly repeat, and the parts of its arrays."""
        found: dict[int, float] = {}
        for leaf in layout.leaves:
            if _derived(leaf):
                continue
            if leaf.inner is None and list in set(map(type, leaf.values)):
                for at, weight in _part_weights(leaf.values).items():
                    found[self._rows[at]] = found.get(self._rows[at], 0.0) + weight
                continue
            times = Counter(leaf.numbers)
            if len(times) <= 0.5 * len(leaf.numbers):
                for at, known in enumerate(leaf.numbers):
                    place = self._rows[at]
                    found[place] = found.get(place, 0.0) + 1 / times[known]
        return found

    def _extremes(self, layout: Layout) -> list[int]:
        found: list[int] = []
        inside: list[int] = []
        for leaf in layout.leaves:
            if leaf.inner is not None and leaf.rule not in ("const", "same"):
                owners = _owners(leaf)
                inside += [owners[at] for at in self._extremes(leaf.inner) if at in owners]
            elif not _derived(leaf):
                values = numbers(leaf, self._alone)
                some = [value for value in values if value is not None]
                if not some and (values := measures(leaf)):
                    some = [value for value in values if value is not None]
                if len(some) >= 0.3 * len(values) and len(set(some)) > 3:
                    found += [values.index(max(some)), values.index(min(some))]
        found += inside
        return list(dict.fromkeys(found))

    def _asked(self, leaf: Column) -> set[int]:
        """The cells, by their numbers, that have a word of the query."""
        first = dict(zip(leaf.numbers, leaf.values, strict=True))
        return {
            known
            for known, value in first.items()
            if value is not ABSENT and any(word in text for text in [fold(_text(value))] for word in self._wanted)
        }

    def _troubled(self, leaf: Column) -> set[int]:
        """The cells, by their numbers, that have signs of trouble."""
        if leaf.key:
            return {leaf.numbers[at] for at in suspects(leaf.values) if notable(leaf.values[at])}
        if self._pool is None:
            known = dict(zip(leaf.values, leaf.numbers, strict=True))
            texts = [value for value in known if type(value) is str]
            return {known[texts[at]] for at in suspects(texts) if notable(texts[at])}
        some = self._pool.suspects.intersection(leaf.numbers)
        if not some:
            return some
        first = dict(zip(leaf.numbers, leaf.values, strict=True))
        return {known for known in some if notable(_text(first[known]))}

    def _matching(self, layout: Layout, test: Callable[[Column], set[int]], trouble: bool = False) -> dict[int, float]:
        """Places of rows with cells that pass, and how much that says: little where many rows have such cells."""
        found: dict[int, float] = {}

        def add(places: Collection[int]) -> None:
            for at in places:
                found[at] = found.get(at, 0.0) + 1 / len(places)

        for leaf in layout.leaves:
            if leaf.rule in ("const", "same"):
                continue
            if leaf.inner is not None:
                owners = _owners(leaf)
                for at, weight in self._matching(leaf.inner, test, trouble).items():
                    if at in owners:
                        found[owners[at]] = found.get(owners[at], 0.0) + weight
                continue
            passed = test(leaf)
            if passed:
                add([at for at, known in enumerate(leaf.numbers) if known in passed])
            if trouble and _TROUBLE.fullmatch(leaf.name):
                told = [at for at, value in enumerate(leaf.values) if value not in (ABSENT, None, "", False, 0)]
                if len(told) <= 0.3 * len(leaf.values):
                    add(told)
        return found

    def _rare(self, layout: Layout) -> list[int]:
        size = len(self._rows)
        most = max(1, int(_RARE * size))
        found: list[int] = []
        for leaf in layout.leaves:
            if _derived(leaf):
                continue
            kinds = Counter(map(type, leaf.values))
            for kind, times in kinds.items():
                if times <= most:
                    found.append(next(at for at, value in enumerate(leaf.values) if type(value) is kind))
            if float in kinds:
                found += islice((at for at, value in enumerate(leaf.values) if value != value), 1)  # the first NaN
            times_of = Counter(leaf.numbers) if leaf.inner is None and 2 <= len(set(leaf.numbers)) <= _FEW else {}
            for known, times in times_of.items():
                if times <= most and len(_text(leaf.values[at := leaf.numbers.index(known)])) <= 80:
                    found.append(at)
            if list in kinds and leaf.inner is None:
                found += _rare_parts(leaf.values, most)
        return list(dict.fromkeys(found))


def _derived(leaf: Column) -> bool:
    """Whether other columns, or the header, tell what the cells are."""
    return leaf.rule in ("const", "same") or (leaf.rule == "template" and not leaf.spelled)


def _part_weights(values: list[Any]) -> dict[int, float]:
    """For each array how rare its parts are among those of all arrays."""
    parts = {at: {_text(part) for part in value[:_FEW]} for at, value in enumerate(values) if type(value) is list}
    times = Counter(part for own in parts.values() for part in own)
    return {at: _PART * sum(1 / times[part] for part in sorted(own)) for at, own in parts.items()}


def _rare_parts(values: list[Any], most: int) -> list[int]:
    """Places of arrays with a part that hardly any other array has."""
    times: Counter[str] = Counter()
    first: dict[str, int] = {}
    for at, value in enumerate(values):
        for part in {_text(part) for part in value[:_FEW]} if type(value) is list else ():
            times[part] += 1
            first.setdefault(part, at)
    rare = sorted(at for part, at in first.items() if times[part] <= most)
    return rare[:6] if len(rare) < 0.3 * len(times) + 2 else []


def _owners(leaf: Column) -> dict[int, int]:
    """For each row of the inner table a row that has it."""
    owners: dict[int, int] = {}
    inner = leaf.inner
    if inner is None:
        return owners
    for at, known in enumerate(leaf.numbers):
        start = inner.starts.get(known)
        if start is not None:
            parts = 1 if leaf.form == "record" else len(leaf.values[at])
            for place in inner.place[start : start + parts]:
                if place is not None:
                    owners.setdefault(place, at)
    return owners


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    try:
        return json.dumps(value, ensure_ascii=False)[:_SCANNED]
    except (TypeError, ValueError, RecursionError):
        return ""


def summary(layout: Layout, alone: bool, most: int, size: float = math.inf) -> str:
    """A line that tells, for each of up to ``most`` columns, its range or its most frequent values: those that fit into
    ``size`` characters."""
    if layout.told is None:
        layout.told = tell(layout, alone)
    fitting = []
    for each in layout.told[:most]:
        if len(each) + 2 <= size:
            fitting.append(each)
            size -= len(each) + 2
    return "; ".join(fitting)


def tell(layout: Layout, alone: bool) -> list[str]:
    """What each column holds that a summary tells of."""
    some = [leaf for leaf in layout.leaves if leaf.rule not in ("const", "same", "steps")]
    told = [(leaf.name, _told(leaf, alone)) for leaf in some if leaf.inner is None and not leaf.key]
    return [f"{name}: {text}" for name, text in told if text]


def _told(leaf: Column, alone: bool) -> str:
    values = [value for value in leaf.values if value is not ABSENT and value is not None]
    measured = [value for value in numbers(leaf, alone) if value is not None]
    if values and len(measured) > 0.8 * len(values):
        low, high = min(measured), max(measured)
        return f"{_short(low)}..{_short(high)} mean {sum(measured) / len(measured):.4g}" if low < high else ""
    texts = [value for value in values if type(value) is str]
    if not texts or len(texts) < 0.8 * len(values):
        return ""
    times = Counter(texts)
    if len(times) <= 12 and max(map(len, times)) <= 40 and not any("\n" in text for text in times):
        return ", ".join(f"{value} x{count}" for value, count in times.most_common())
    if leaf.rule == "template":
        return ""
    if all(_TIME.match(text) and len(text) < 40 for text in (texts[0], texts[-1], texts[len(texts) // 2])):
        low_text, high_text = min(texts), max(texts)
        return f"{low_text}..{high_text}" if max(len(low_text), len(high_text)) < 40 else ""
    top, count = times.most_common(1)[0]
    often = f", {top} x{count}" if count > 1 and len(top) <= 40 and "\n" not in top else ""
    return f"{len(times)} distinct{often}" if len(times) < len(texts) else ""


def _short(value: float) -> str:
    return f"{value:.10g}"
