"""A JSON value as a tree of which a part is shown: what tells most for its tokens, and all that it lies in."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..plain import compact
from ..text import word_start
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


Path = tuple[Any, ...]


@dataclass(slots=True)
class Node:
    """A part of the value: the node and the place that it lies at, its name, how it is spelled without what is in it,
    or longer, what that costs, and what it tells for a token."""

    above: int
    place: int
    label: str
    value: Any
    text: str = ""
    longer: str = ""
    cost: int = 0
    cost_longer: int = 0
    worth: float = 0.0
    worth_longer: float = 0.0
    inner: list[int] = field(default_factory=list)


class Tree:
    """The parts of a value, in its order. ``found`` are the paths of parts to be shown first, and where in the text of
    each something was found."""

    def __init__(self, value: Any, found: Mapping[Path, int], count: Callable[[str], int]) -> None:
        self.nodes: list[Node] = []
        self._count = count
        self._times = Counter(_WORD.findall(compact(value)))
        self._seen: set[str] = set()
        self._named = {"{}", "[]"}
        self._costs: dict[str, int] = {}
        self._grow(value, found)

    def _grow(self, value: Any, found: Mapping[Path, int]) -> None:
        ranks = {path: rank for rank, path in enumerate(found)}
        on_way: dict[Path, set[Any]] = {}
        for path in found:
            for size in range(len(path)):
                on_way.setdefault(path[:size], set()).add(path[size])
        pending: list[tuple[Node, Path | None, float]] = [(Node(-1, 0, "", value), (), 1.0)]
        while pending:
            node, where, share = pending.pop()
            at = len(self.nodes)
            self.nodes.append(node)
            if node.above >= 0:
                self.nodes[node.above].inner.append(at)
            part = node.value
            if _holds(part):
                node.text = "{}" if type(part) is dict else "[]"
                also = on_way.get(where, set()) if where is not None else set()
                parts = [
                    (
                        Node(at, place, _label(name) if type(part) is dict else "", part[name]),
                        (*where, name) if where is not None and name in also else None,
                        share * _share(part, place),
                    )
                    for place, name in _taken(part, also)
                ]
                pending += parts[::-1]
            else:
                _spell(node, found.get(where, -1) if where is not None else -1)
            self._judge(node, share)
            if where in ranks:
                node.worth = _FOUND - ranks[where]

    def _judge(self, node: Node, share: float) -> None:
        """What a node costs, and how many words it has for it that stand in none before."""
        told = f"{node.label}:{node.text}" if node.label else node.text
        node.cost = self._tokens(told) + 1
        new = self._new(told) / node.cost
        if node.label and _NAMES.fullmatch(node.label):
            new = max(_NAMED * new, 0.0 if node.text in self._named else _NEW_NAME)
            self._named.add(node.text)
        node.worth = share * new
        if node.longer:
            node.cost_longer = max(self._tokens(node.longer) - self._tokens(node.text), 1)
            node.worth_longer = share * self._new(node.longer) / node.cost_longer

    def _new(self, text: str) -> float:
        """How many words stand here first, the rarer ones counting more."""
        words = set(_WORD.findall(text)) - self._seen
        self._seen |= words
        return sum(1 / (1 + _OFTEN * math.log2(self._times.get(word, 1))) for word in sorted(words))

    def _tokens(self, text: str) -> int:
        known = self._costs.get(text)
        if known is None:
            known = self._costs[text] = self._count(text)
        return known

    def order(self) -> list[tuple[int, bool]]:
        """Nodes, and those in their longer form, the most telling first."""
        ranked = [
            (-node.worth, at, False) for at, node in enumerate(self.nodes) if node.label or not _holds(node.value)
        ]
        ranked += [(-node.worth_longer, at, True) for at, node in enumerate(self.nodes) if node.longer]
        return [(at, longer) for _, at, longer in sorted(ranked)]

    def chosen(self, order: Sequence[tuple[int, bool]], tokens: float) -> dict[int, bool]:
        """The nodes that fit, with all that they lie in, and whether each is told in its longer form."""
        nodes = self.nodes
        shown = {0: False}
        left = tokens - nodes[0].cost
        for at, longer in order:
            if left < 1:
                break
            if longer and at not in shown:
                continue
            cost = nodes[at].cost_longer if longer else 0
            way = []
            place = at
            while place not in shown:
                way.append(place)
                cost += nodes[place].cost
                place = nodes[place].above
            if cost <= left and (way or longer):
                shown.update(dict.fromkeys(way, False))
                if longer:
                    shown[at] = True
                left -= cost
        return shown

    def spelled(self, shown: dict[int, bool], at: int = 0) -> str:
        """The shown nodes; ``…3`` stands for three parts that are not shown."""
        node = self.nodes[at]
        if not _holds(node.value):
            return node.longer if shown[at] else node.text
        opening, closing = node.text[0], node.text[1]
        pieces = []
        next_place = told = 0
        for inner in node.inner:
            if inner not in shown:
                continue
            label, place, text = self.nodes[inner].label, self.nodes[inner].place, self.spelled(shown, inner)
            if not label and place > next_place:
                pieces.append(f"…{place - next_place}")
            closed = text[:1] in "{[" and text[1:2] == "…" and shown.keys().isdisjoint(self.nodes[inner].inner)
            pieces.append(label if label and closed else f"{label}:{text}" if label else text)
            next_place = place + 1
            told += 1
        left = len(node.value) - (next_place if opening == "[" else told)
        if left and (opening == "[" or not pieces or left > _FEW):
            pieces.append(f"…{left}")
        return opening + ",".join(pieces) + closing


def _holds(value: Any) -> bool:
    return type(value) is dict or type(value) is list


def _label(name: str) -> str:
    return literals.name(name) if len(name) <= _SHOWN else "…"


def _share(part: Any, place: int) -> float:
    """How much a part at a place of an object or an array tells of what the whole does; the last as the second."""
    if type(part) is dict:
        return _DEEPER / (1 + _LATER_NAMED * place)
    return _DEEPER / (1 + _LATER * (place if place < len(part) - 1 else 1))


def _spell(node: Node, at: int) -> None:
    """Spell a scalar, a long text by its start or by what is around a place."""
    value = node.value
    if type(value) is not str:
        spelled = literals.scalar(value)
        node.text = spelled if len(spelled) <= _SHOWN else "…"
    elif len(value) <= _SHORT * 5 // 4 or (at >= 0 and len(value) <= _SHOWN):
        node.text = f"'{value}'" if '"' in value and not _ODD.search(value) else literals.string(value)
    elif at >= 0:
        begin = word_start(value, at - _SHOWN // 2) if at > _SHOWN // 2 else 0
        node.text = ("…" if begin else "") + literals.quoted(start(value[begin:], _SHOWN))[:-1] + '…"'
    else:
        node.text = _cut(value, _SHORT)
        node.longer = literals.string(value) if len(value) <= _LONG * 5 // 4 else _cut(value, _LONG)


def _cut(text: str, size: int) -> str:
    """The start of a text, of an address or a path the end."""
    if " " not in text and "/" in text:
        return '"…' + literals.quoted(end(text, size))[1:]
    return literals.quoted(start(text, size))[:-1] + '…"'


def _taken(part: Any, also: set[Any]) -> list[tuple[int, Any]]:
    """Places and names of the parts to look at: all, or some from the start to the end and those ``also``."""
    most = _MOST_MEMBERS if type(part) is dict else _MOST_PARTS
    named = list(enumerate(part if type(part) is dict else range(len(part))))
    if len(named) <= most:
        return named
    step = (len(named) - 1) / (most - 1)
    places = {round(step * at) for at in range(most)}
    return [each for each in named if each[0] in places or each[1] in also]
