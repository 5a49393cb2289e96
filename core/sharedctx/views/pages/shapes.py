"""Finding what has the same form in a tree of marked-up text: elements and lines, whatever they contain."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from .tree import Break, Element, Line, Node, Raw, Tag


MOST_SLOTS = 12
WORDLESS = re.compile(r"(?:[^\w<>]|&\w{1,8};){1,40}")
"""Text that is part of a form: it says nothing itself."""
_USE, _CELL = 6, 3
"""About as many characters as the use of a form costs, and more for each cell."""
_BARE = 8
"""As many as ``<b >`` costs."""
_DEFINITION = 12
_LONGEST = 1_500


def pays(weight: int, cells: int, uses: int) -> bool:
    """Whether a form is worth its telling that spares so many characters wherever it is used."""
    return uses > 1 and uses * (weight - _USE - _CELL * cells) > weight + _DEFINITION



def blank(nodes: Sequence[Node], at: int) -> bool:
    """Whether the line that begins with a break is empty."""
    return at + 1 < len(nodes) and isinstance(nodes[at + 1], Break)


def relative(nodes: Sequence[Node], at: int, line: str) -> str | None:
    """How much further than ``line`` the line is indented that begins with a break; None where it is less."""
    indent = nodes[at].indent  # type: ignore[union-attr]
    if blank(nodes, at):
        return None if indent else ""
    return indent[len(line) :] if indent.startswith(line) else None


class Shapes:
    """Numbers the shapes of the nodes of a tree, and chooses which nodes are told by a form of theirs."""

    def __init__(self, top: list[Node]) -> None:
        self._numbers: dict[Any, int] = {}
        self._weights: list[int] = []
        self._gains: list[int] = []
        self._slots: list[int] = []
        self._counts: list[int] = []
        self._top = top
        self._line = ""
        self._inside(top)

    def _inside(self, nodes: list[Node]) -> None:
        """Number all nodes, and put those that make up a line together."""
        made: list[Node] = []
        start, line = 0, self._line
        for at, node in enumerate(nodes):
            if isinstance(node, Break):
                self._together(made, start, line)
                if not blank(nodes, at):
                    self._line = node.indent
                made.append(node)
                start, line = len(made), self._line
            else:
                if isinstance(node, Tag):
                    self._tag(node)
                made.append(node)
        self._together(made, start, line)
        nodes[:] = made

    def _together(self, nodes: list[Node], start: int, indent: str) -> None:
        if len(nodes) - start < 2:
            return
        line = Line(nodes[start:])
        line.line = indent
        nodes[start:] = [line]
        weight, slots, key = self._sum(line.children, indent)
        if weight > 0:
            self._number(line, key, weight, weight, slots)

    def _sum(self, nodes: list[Node], line: str) -> tuple[int, int, tuple[Any, ...]]:
        """The weight, the slots and what makes the shape of what holds these nodes; a weight below 0 where none does."""
        weight, slots = 0, 0
        key: list[Any] = []
        for at, node in enumerate(nodes):
            if isinstance(node, str):
                if WORDLESS.fullmatch(node):
                    weight += len(node)
                    key.append(node)
                else:
                    slots += 1
                    key.append(-1)
            elif isinstance(node, (Tag, Line)) and node.shape >= 0:
                weight += self._weights[node.shape]
                slots += node.slots
                key.append(node.shape)
            elif isinstance(node, Break) and (told := relative(nodes, at, line)) is not None:
                weight += 2
                key.append((told,))
            else:
                return -1, 0, ()
        return weight, slots, tuple(key)

    def _tag(self, node: Tag) -> None:
        node.line = self._line
        weight = gain = sum(map(len, node.parts)) + 2
        slots = len(node.values)
        inner: tuple[Any, ...] = ()
        if isinstance(node, Element):
            self._inside(node.children)
            more, parts, inner = self._sum(node.children, node.line)
            if more < 0:
                return
            bare = not node.values and node.parts[0] == node.name
            weight = more + (_BARE if bare else weight + len(node.name) + 3)
            gain = more if bare else weight
            slots += parts
        self._number(node, (type(node) is Element, node.parts, inner), weight, gain, slots)

    def _number(self, node: Tag | Line, key: Any, weight: int, gain: int, slots: int) -> None:
        if slots > MOST_SLOTS or weight > _LONGEST:
            return
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._weights)
            self._weights.append(weight)
            self._gains.append(gain)
            self._slots.append(slots)
            self._counts.append(0)
        self._counts[number] += 1
        node.shape, node.slots = number, slots

    def _worth(self, number: int, times: int) -> bool:
        return pays(self._gains[number], self._slots[number], times)

    def groups(self) -> tuple[list[list[Tag | Line]], list[list[Tag]]]:
        """Nodes of one shape whose form is worth telling, each group at once; and of the other nodes those whose tags
        are of one form."""
        banned: set[int] = set()
        while True:
            whole: dict[int, list[Tag | Line]] = defaultdict(list)
            tags: dict[Any, list[Tag]] = defaultdict(list)
            for node in self._outermost(self._top, banned):
                if node.shape >= 0 and node.shape not in banned and self._worth(node.shape, self._counts[node.shape]):
                    whole[node.shape].append(node)
                elif isinstance(node, Tag):
                    tags[isinstance(node, Element), node.parts].append(node)
            poor = {number for number, nodes in whole.items() if not self._worth(number, len(nodes))}
            if not poor:
                return list(whole.values()), [nodes for nodes in tags.values() if len(nodes) > 1]
            banned |= poor

    def _outermost(self, nodes: list[Node], banned: set[int]) -> Iterator[Tag | Line]:
        for node in nodes:
            if not isinstance(node, (Tag, Line)):
                continue
            yield node
            chosen = node.shape >= 0 and node.shape not in banned and self._worth(node.shape, self._counts[node.shape])
            if not chosen and not (type(node) is Tag):
                yield from self._outermost(node.children, banned)  # type: ignore[union-attr]
