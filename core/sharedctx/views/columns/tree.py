"""A JSON value as a tree of which a part is shown: what tells most for its tokens, and all that it lies in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..vocabulary import words_in
from . import literals
from .alike import told_together
from .reach import Path, Reached, reach
from .scalars import SHOWN, spelled_scalar

_WORD = re.compile(r"\w(?:[\w.-]*\w)?")
_NAMES = re.compile(
    r"(?:.*[._-])?(?:name|title|id|key|login|path|kind|type|role|state|status|level|summary|operationId)", re.I
)
_FEW = 12
"""So many members that an object lacks are not mentioned."""
_NAMED, _NEW_NAME = 1.5, 0.6
"""Of names, titles and the like: how much more their words tell, and the least that a new one tells for a token."""
_OFTEN = 0.5
"""How much less a word tells each time that it is twice as frequent."""
_MAP, _APART = 4, 2
"""Members of an object that is a map where all are objects: their names are names. So many parts that have a member
name it each."""
_BRIEF = 40
"""Characters of a text whose tokens are counted; those of a longer one are estimated."""
_FOUND = 1000.0


class Tree:
    """The parts of a value, in its order, ``most`` of them about. ``text`` is where the value was read, or some of it:
    what is rare in it tells more. ``found`` are the paths of parts to be shown first, and where in the text of each
    something was found.

    A node is a number from 0, the whole; for each there is the node that it lies in and its place there, its name, how
    it is spelled without what is in it, or longer, what that costs, and what it tells for a token.
    """

    def __init__(
        self, value: Any, text: str, found: Mapping[Path, int], count: Callable[[str], int], most: float = math.inf
    ) -> None:
        self.together = False
        self._values: list[Any] = []
        self._above: list[int] = []
        self._places: list[int] = []
        self._labels: list[str] = []
        self._texts: list[str] = []
        self._longer: dict[int, str] = {}
        self._shares: list[float] = []
        self._costs: list[float] = []
        self._worths: list[float] = []
        self._costs_longer: dict[int, float] = {}
        self._again: list[bool] = []
        self._maps: set[int] = set()
        self._worths_longer: dict[int, float] = {}
        first = self._grow(value, found, most)
        self._judge(text, count)
        for at, rank in first.items():
            self._worths[at] = _FOUND - rank

    def _grow(self, value: Any, found: Mapping[Path, int], most: float) -> dict[int, int]:
        """Number the nodes and spell them; return those that were found, by rank."""
        ranks = {path: rank for rank, path in enumerate(found)}
        reached = reach(value, found, most)
        first: dict[int, int] = {}
        labels: dict[str, str] = {}
        spelled: dict[str, tuple[str, str]] = {}
        # the node that a part lies in, its label, the part as it was reached, a number of the place in the parts of an
        # array or map that it has in its own
        pending: list[tuple[int, str, Reached, int]] = [(-1, "", reached, 0)]
        numbers: dict[tuple[int, str], int] = {}
        times = [0]
        while pending:
            above, label, each, member = pending.pop()
            part, where = each.part, each.path
            at = len(self._values)
            times[member] += 1
            self._again.append(times[member] > _APART)
            self._values.append(part)
            self._above.append(above)
            self._places.append(each.place)
            self._labels.append(label)
            self._shares.append(each.share)
            if where in ranks:
                first[at] = ranks[where]
            kind = type(part)
            if kind is dict or kind is list:
                self._texts.append("{}" if kind is dict else "[]")
                parts = []
                mapped = kind is dict and len(part) >= _MAP and all(type(one) is dict for one in part.values())
                if mapped:
                    self._maps.add(at)
                alike = len(times) if mapped or kind is list else -1
                if alike > 0:
                    times.append(0)
                for inner in each.inner:
                    name = inner.name
                    if kind is dict and name not in labels:
                        labels[name] = literals.name(name) if len(name) <= SHOWN else "…"
                    label = labels[name] if kind is dict else ""
                    number = alike
                    if number < 0:
                        number = numbers.setdefault((member, label), len(times))
                        if number == len(times):
                            times.append(0)
                    parts.append((at, label, inner, number))
                pending += parts[::-1]
                continue
            spot = found.get(where, -1) if where is not None else -1
            if kind is str and spot < 0:
                if part not in spelled:
                    spelled[part] = spelled_scalar(part, -1)
                text, longer = spelled[part]
            else:
                text, longer = spelled_scalar(part, spot)
            self._texts.append(text)
            if longer:
                self._longer[at] = longer
        return first

    def _judge(self, whole: str, count: Callable[[str], int]) -> None:
        """About what each node costs, and how many words it has for it that stand in none before: the rarer ones in
        the whole count more."""
        times = words_in(whole)
        price = count(whole) / max(len(whole), 1)
        seen: set[str] = set()
        known: dict[str, float] = {}  # what a text costs: words of a text that was met before are not new

        def new(text: str) -> float:
            told = 0.0
            for word in _WORD.findall(text):
                if word not in seen:
                    seen.add(word)
                    often = times.get(word, 1)
                    told += 1.0 if often == 1 else 1 / (1 + _OFTEN * math.log2(often))
            return told

        named = {"{}", "[]"}
        naming = {label: bool(label and _NAMES.fullmatch(label)) for label in set(self._labels)}
        for at, text in enumerate(self._texts):
            label = self._labels[at]
            share = self._shares[at]
            entry = self._above[at] in self._maps
            if self._again[at]:  # likely to be told together with others
                told = text if text != "{}" else label if entry else ""
            else:
                told = f"{label}:{text}" if label else text
            cost = known.get(told)
            novel = 0.0
            if cost is None:
                cost = known[told] = count(told) + 1 if len(told) < _BRIEF else len(told) * price + 1.5
                novel = new(told) / cost
            if naming[label] or entry:
                novel = max(_NAMED * novel, 0.0 if text in named else _NEW_NAME)
                named.add(text)
            self._costs.append(cost)
            self._worths.append(share * novel)
            longer = self._longer.get(at)
            if longer:
                more = max((len(longer) - len(text)) * price, 1.0)
                self._costs_longer[at] = more
                self._worths_longer[at] = share * new(longer) / more

    def order(self) -> list[tuple[int, bool]]:
        """Nodes, and those in their longer form, the most telling first."""
        ranked: list[tuple[int, bool]] = []
        worths: list[float] = []
        last: list[tuple[int, bool]] = []
        for at, worth in enumerate(self._worths):
            if worth > 0:
                ranked.append((at, False))
                worths.append(-worth)
            elif self._labels[at] or not _holds(self._values[at]):
                last.append((at, False))
            if at not in self._longer:
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
            cost = 0.0
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
        """The shown nodes; ``…3`` stands for three parts that are not shown. ``together`` is then whether some are told
        by their values alone."""
        self.together = False
        inner: dict[int, list[int]] = {at: [] for at in shown}
        for at in sorted(shown)[1:]:
            inner[self._above[at]].append(at)
        return self._spelled(shown, inner, 0)

    def _spelled(self, shown: dict[int, bool], inner: dict[int, list[int]], at: int) -> str:
        value, text = self._values[at], self._texts[at]
        if not _holds(value):
            return self._longer[at] if shown[at] else text
        opening, closing = text[0], text[1]
        parts = inner[at]
        labels = [self._labels[part] for part in parts]
        whole = [self._member(shown, inner, part) for part in parts]
        if len(parts) > _APART:
            together = told_together(labels, [self._cells(shown, inner, part) for part in parts], whole)
            if together is not None:
                whole, self.together = together, True
        pieces = []
        next_place = told = 0
        for part, spelled in zip(parts, whole, strict=True):
            place = self._places[part]
            if opening == "[" and place > next_place:
                pieces.append(f"…{place - next_place}")
            pieces.append(spelled)
            next_place = place + 1
            told += 1
        left = len(value) - (next_place if opening == "[" else told)
        if left and (opening == "[" or not pieces or left > _FEW):
            pieces.append(f"…{left}")
        return opening + ",".join(pieces) + closing

    def _member(self, shown: dict[int, bool], inner: dict[int, list[int]], part: int) -> str:
        label, spelled = self._labels[part], self._spelled(shown, inner, part)
        closed = spelled[:1] in "{[" and spelled[1:2] == "…" and not inner[part]
        return label if label and closed else f"{label}:{spelled}" if label else spelled

    def _cells(self, shown: dict[int, bool], inner: dict[int, list[int]], part: int) -> dict[str, str] | None:
        """What is shown of an object, by path; None of anything else, and of what has members that are not told."""
        if type(self._values[part]) is not dict:
            return None
        found: dict[str, str] = {}
        pending = [(member, "") for member in reversed(inner[part])]
        while pending:
            member, before = pending.pop()
            label = self._labels[member]
            if type(self._values[member]) is dict and inner[member]:
                pending += [(each, f"{before}{label}.") for each in reversed(inner[member])]
                continue
            if _holds(self._values[member]) and not inner[member]:
                return None
            found[before + label] = self._spelled(shown, inner, member)
        return found


def _holds(value: Any) -> bool:
    return type(value) is dict or type(value) is list
