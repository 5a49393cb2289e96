"""A JSON value as a tree of which a part is shown: what tells most for its tokens, and all that it lies in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..plain import compact
from ..text import word_start
from ..vocabulary import words_in
from . import literals
from .excerpt import end, start

_WORD = re.compile(r"\w(?:[\w.-]*\w)?")
_NAMES = re.compile(
    r"(?:.*[._-])?(?:name|title|id|key|login|path|kind|type|role|state|status|level|summary|operationId)", re.I
)
_MOST_PARTS, _MOST_MEMBERS = 60, 400
"""Of a longer array or object so many are looked at, evenly taken."""
_ODD = re.compile(r"['\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a text between single quotes must not have."""
_SHOWN = 160
_SHORT, _LONG = 60, 240
"""Characters of a string's start, in two steps."""
_FEW = 12
"""So many members that an object lacks are not mentioned."""
_DEEPER, _LATER, _LATER_NAMED = 0.85, 0.08, 0.03
"""How much less a part tells for each level that it is deeper, for each part before it in an array or an object."""
_NAMED, _NEW_NAME = 1.5, 0.5
"""Of names, titles and the like: how much more their words tell, and the least that a new one tells for a token."""
_OFTEN = 0.5
"""How much less a word tells each time that it is twice as frequent."""
_FOUND = 1000.0
_NONE: frozenset[Any] = frozenset()


Path = tuple[Any, ...]


class Tree:
    """The parts of a value, in its order. ``found`` are the paths of parts to be shown first, and where in the text of
    each something was found.

    A node is a number from 0, the whole; for each there is the node that it lies in and its place there, its name, how
    it is spelled without what is in it, or longer, what that costs, and what it tells for a token.
    """

    def __init__(self, value: Any, found: Mapping[Path, int], count: Callable[[str], int]) -> None:
        self._values: list[Any] = []
        self._above: list[int] = []
        self._places: list[int] = []
        self._labels: list[str] = []
        self._texts: list[str] = []
        self._longer: dict[int, str] = {}
        self._shares: list[float] = []
        self._costs: list[int] = []
        self._worths: list[float] = []
        self._costs_longer: dict[int, int] = {}
        self._worths_longer: dict[int, float] = {}
        first = self._grow(value, found)
        self._judge(compact(value), count)
        for at, rank in first.items():
            self._worths[at] = _FOUND - rank

    def _grow(self, value: Any, found: Mapping[Path, int]) -> dict[int, int]:
        """Number the nodes and spell them; return those that were found, by rank."""
        ranks = {path: rank for rank, path in enumerate(found)}
        on_way: dict[Path, set[Any]] = {}
        for path in found:
            for size in range(len(path)):
                on_way.setdefault(path[:size], set()).add(path[size])
        first: dict[int, int] = {}
        labels: dict[str, str] = {}
        spelled: dict[str, tuple[str, str]] = {}
        values, texts = self._values, self._texts
        # the node that a part lies in, its place there, its label, the part, its path if that may lead to one found
        pending: list[tuple[int, int, str, Any, Path | None, float]] = [(-1, 0, "", value, (), 1.0)]
        while pending:
            above, place, label, part, where, share = pending.pop()
            at = len(values)
            values.append(part)
            self._above.append(above)
            self._places.append(place)
            self._labels.append(label)
            self._shares.append(share)
            if where is not None and where in ranks:
                first[at] = ranks[where]
            kind = type(part)
            if kind is dict or kind is list:
                texts.append("{}" if kind is dict else "[]")
                also = on_way.get(where, _NONE) if where is not None else _NONE
                told = _SHARES_NAMED if kind is dict else _SHARES
                last = len(part) - 1 if kind is list else -1
                parts = []
                for inner, name in _taken(part, also):
                    label = ""
                    if kind is dict:
                        label = labels.get(name, "")
                        if not label:
                            label = labels[name] = literals.name(name) if len(name) <= _SHOWN else "…"
                    way = (*where, name) if also and where is not None and name in also else None
                    seat = 1 if inner == last else inner
                    left = told[seat] if seat < _SEATS else _share(kind, seat)
                    parts.append((at, inner, label, part[name], way, share * left))
                parts.reverse()
                pending += parts
                continue
            spot = found.get(where, -1) if where is not None else -1
            if kind is str and spot < 0:
                both = spelled.get(part)
                if both is None:
                    both = spelled[part] = _spelled(part, -1)
                text, longer = both
            else:
                text, longer = _spelled(part, spot)
            texts.append(text)
            if longer:
                self._longer[at] = longer
        return first

    def _judge(self, whole: str, count: Callable[[str], int]) -> None:
        """What each node costs, and how many words it has for it that stand in none before: the rarer ones in the
        whole count more."""
        times = words_in(whole)
        seen: set[str] = set()
        known: dict[str, int] = {}  # what a text costs: words of a text that was met before are not new

        def new(text: str) -> float:
            words = set(_WORD.findall(text)) - seen
            if not words:
                return 0.0
            seen.update(words)
            found = [times.get(word, 1) for word in sorted(words)]
            return sum([_WEIGHTS[often] if often < _SEATS else _weight(often) for often in found])

        named = {"{}", "[]"}
        naming = {label: bool(label and _NAMES.fullmatch(label)) for label in set(self._labels)}
        for at, (text, label, share) in enumerate(zip(self._texts, self._labels, self._shares, strict=True)):
            told = f"{label}:{text}" if label else text
            cost = known.get(told)
            novel = 0.0
            if cost is None:
                cost = known[told] = count(told) + 1
                novel = new(told) / cost
            if naming[label]:
                novel = max(_NAMED * novel, 0.0 if text in named else _NEW_NAME)
                named.add(text)
            self._costs.append(cost)
            self._worths.append(share * novel)
            longer = self._longer.get(at)
            if longer:
                if longer not in known:
                    known[longer] = count(longer) + 1
                if text not in known:
                    known[text] = count(text) + 1
                more = max(known[longer] - known[text], 1)
                self._costs_longer[at] = more
                self._worths_longer[at] = share * new(longer) / more

    def order(self) -> list[tuple[int, bool]]:
        """Nodes, and those in their longer form, the most telling first."""
        ranked: list[tuple[int, bool]] = []
        worths: list[float] = []
        last: list[tuple[int, bool]] = []
        longer = self._longer
        for at, worth in enumerate(self._worths):
            if worth > 0:
                ranked.append((at, False))
                worths.append(-worth)
            elif self._labels[at] or not _holds(self._values[at]):
                last.append((at, False))
            if at not in longer:
                continue
            if self._worths_longer[at] > 0:
                ranked.append((at, True))
                worths.append(-self._worths_longer[at])
            else:
                last.append((at, True))
        return [*(ranked[place] for place in sorted(range(len(ranked)), key=worths.__getitem__)), *last]

    def chosen(self, order: Sequence[tuple[int, bool]], tokens: float) -> dict[int, bool]:
        """The nodes that fit, with all that they lie in, and whether each is told in its longer form."""
        costs, above = self._costs, self._above
        shown = {0: False}
        left = tokens - costs[0]
        for at, longer in order:
            if left < 1:
                break
            if longer:
                cost = self._costs_longer[at]
                if at in shown and cost <= left:
                    shown[at] = True
                    left -= cost
                continue
            if costs[at] > left or at in shown:
                continue
            cost = 0
            way = []
            place = at
            while place not in shown:
                way.append(place)
                cost += costs[place]
                place = above[place]
            if cost <= left:
                shown.update(dict.fromkeys(way, False))
                left -= cost
        return shown

    def spelled(self, shown: dict[int, bool]) -> str:
        """The shown nodes; ``…3`` stands for three parts that are not shown."""
        inner: dict[int, list[int]] = {at: [] for at in shown}
        for at in sorted(shown)[1:]:
            inner[self._above[at]].append(at)
        return self._spelled(shown, inner, 0)

    def _spelled(self, shown: dict[int, bool], inner: dict[int, list[int]], at: int) -> str:
        value, text = self._values[at], self._texts[at]
        if not _holds(value):
            return self._longer[at] if shown[at] else text
        opening, closing = text[0], text[1]
        pieces = []
        next_place = told = 0
        for part in inner[at]:
            label, place, spelled = self._labels[part], self._places[part], self._spelled(shown, inner, part)
            if not label and place > next_place:
                pieces.append(f"…{place - next_place}")
            closed = spelled[:1] in "{[" and spelled[1:2] == "…" and not inner[part]
            pieces.append(label if label and closed else f"{label}:{spelled}" if label else spelled)
            next_place = place + 1
            told += 1
        left = len(value) - (next_place if opening == "[" else told)
        if left and (opening == "[" or not pieces or left > _FEW):
            pieces.append(f"…{left}")
        return opening + ",".join(pieces) + closing


def _holds(value: Any) -> bool:
    return type(value) is dict or type(value) is list


def _share(kind: type, place: int) -> float:
    """How much a part at a place of an object or an array tells of what the whole does; the last is told as the
    second."""
    return _DEEPER / (1 + (_LATER_NAMED if kind is dict else _LATER) * place)


def _weight(often: int) -> float:
    """How much a word tells that stands so often."""
    return 1 / (1 + _OFTEN * math.log2(often or 1))


_SEATS = 512
_SHARES, _SHARES_NAMED = ([_share(kind, place) for place in range(_SEATS)] for kind in (list, dict))
_WEIGHTS = [_weight(often) for often in range(_SEATS)]
"""The same for small numbers, which nearly all are."""


def _spelled(value: Any, at: int) -> tuple[str, str]:
    """A scalar, a long text by its start or by what is around a place; and longer, or nothing."""
    if type(value) is not str:
        spelled = literals.scalar(value)
        return spelled if len(spelled) <= _SHOWN else "…", ""
    if len(value) <= _SHORT * 5 // 4 or (at >= 0 and len(value) <= _SHOWN):
        return f"'{value}'" if '"' in value and not _ODD.search(value) else literals.string(value), ""
    if at >= 0:
        begin = word_start(value, at - _SHOWN // 2) if at > _SHOWN // 2 else 0
        return ("…" if begin else "") + literals.quoted(start(value[begin:], _SHOWN))[:-1] + '…"', ""
    return _cut(value, _SHORT), literals.string(value) if len(value) <= _LONG * 5 // 4 else _cut(value, _LONG)


def _cut(text: str, size: int) -> str:
    """The start of a text, of an address or a path the end."""
    if " " not in text and "/" in text:
        return '"…' + literals.quoted(end(text, size))[1:]
    return literals.quoted(start(text, size))[:-1] + '…"'


def _taken(part: Any, also: set[Any] | frozenset[Any]) -> Iterable[tuple[int, Any]]:
    """Places and names of the parts to look at: all, or some from the start to the end and those ``also``."""
    most = _MOST_MEMBERS if type(part) is dict else _MOST_PARTS
    named = enumerate(part if type(part) is dict else range(len(part)))
    if len(part) <= most:
        return named
    step = (len(part) - 1) / (most - 1)
    places = {round(step * at) for at in range(most)}
    return [each for each in named if each[0] in places or each[1] in also]
