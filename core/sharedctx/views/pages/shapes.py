"""Finding what has the same form in a tree of marked-up text: elements and lines, whatever they contain."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple

from .indents import last_indent
from .tree import Again, Break, Element, Line, Node, Tag

_MOST_SLOTS = 12
WORDLESS = re.compile(r"(?:[^\w<>]|&\w{1,8};){1,40}")
"""Text that is part of a form: it says nothing itself."""
_USE, _CELL = 6, 3
"""About as many characters as the use of a form costs, and more for each cell."""
_BARE = 8
"""As many as ``<b >`` costs."""
_VALUE = 3
_DEFINITION = 12
_LONGEST = 1_500


def pays(weight: int, cells: int, uses: int) -> bool:
    """Whether a form is worth its telling that spares so many characters wherever it is used."""
    return uses > 1 and uses * (weight - _USE - _CELL * cells) > weight + _DEFINITION


class Shape(NamedTuple):
    """A form that nodes may share: its characters, how many of them the form would spare beside those of forms inside
    of it, and how many cells may differ."""

    number: int
    weight: int
    gain: int
    slots: int


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
        self._shapes: dict[Any, Shape] = {}
        self._counts: list[int] = []
        self._top = top
        self._line = ""
        self._inside(top)

    def _inside(self, nodes: list[Node]) -> None:
        """Find the shapes of all nodes."""
        for at, node in enumerate(nodes):
            if isinstance(node, Break):
                if not blank(nodes, at):
                    self._line = node.indent
            elif isinstance(node, Again):
                if "\n" in node.text:
                    self._line = last_indent(node.text)
            elif isinstance(node, Tag):
                self._tag(node)
            elif isinstance(node, Line):
                node.line = self._line
                self._inside(node.children)
                key, weight, slots = self._sum(node.children, node.line)
                if weight > 0 and not node.repeated:
                    self._share(node, key, weight, weight, slots)

    def _sum(self, nodes: list[Node], line: str) -> tuple[tuple[Any, ...], int, int]:
        """What makes the shape of what holds these nodes, its weight and its slots; a weight below 0 for none."""
        weight = slots = 0
        key: list[Any] = []
        for at, node in enumerate(nodes):
            if isinstance(node, str):
                if WORDLESS.fullmatch(node):
                    weight += len(node)
                    key.append(node)
                else:
                    slots += 1
                    key.append(-1)
            elif isinstance(node, (Tag, Line)) and (shape := node.shape) is not None:
                weight += shape.weight
                slots += shape.slots
                key.append(shape.number)
            elif isinstance(node, Break) and (told := relative(nodes, at, line)) is not None:
                weight += 2
                key.append((told,))
            else:
                return (), -1, 0
        return tuple(key), weight, slots

    def _tag(self, node: Tag) -> None:
        node.line = self._line
        slots = len(node.values)
        weight = gain = sum(map(len, node.parts)) + _VALUE * slots + 2
        inner: tuple[Any, ...] = ()
        if isinstance(node, Element):
            self._inside(node.children)
            inner, more, deeper = self._sum(node.children, node.line)
            if more < 0 or node.repeated:
                return
            bare = not slots and node.parts[0] == node.name
            weight = more + (_BARE if bare else weight + len(node.name) + 3)
            gain = more if bare else weight
            slots += deeper
        self._share(node, (type(node) is Element, node.parts, inner), weight, gain, slots)

    def _share(self, node: Tag | Line, key: Any, weight: int, gain: int, slots: int) -> None:
        if slots > _MOST_SLOTS or weight > _LONGEST:
            return
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = Shape(len(self._counts), weight, gain, slots)
            self._counts.append(0)
        self._counts[shape.number] += 1
        node.shape = shape

    def _chosen(self, node: Tag | Line, banned: Set[int]) -> Shape | None:
        """The shape of a node that is worth a form."""
        shape: Shape | None = node.shape
        if shape is None or shape.number in banned or not pays(shape.gain, shape.slots, self._counts[shape.number]):
            return None
        return shape

    def groups(self) -> tuple[list[list[Tag | Line]], list[list[Tag]]]:
        """Nodes of one shape whose form is worth telling, each group at once; and of the other nodes those whose tags
        are of one form."""
        banned: set[int] = set()
        while True:
            whole: dict[int, list[Tag | Line]] = defaultdict(list)
            tags: dict[Any, list[Tag]] = defaultdict(list)
            for node in self._outermost(self._top, banned):
                shape = self._chosen(node, banned)
                if shape is not None:
                    whole[shape.number].append(node)
                elif isinstance(node, Tag):
                    tags[isinstance(node, Element), node.parts].append(node)
            poor = set()
            for number, nodes in whole.items():
                shape = nodes[0].shape
                if not pays(shape.gain, shape.slots, len(nodes)):
                    poor.add(number)
            if not poor:
                return list(whole.values()), [nodes for nodes in tags.values() if len(nodes) > 1]
            banned |= poor

    def _outermost(self, nodes: list[Node], banned: Set[int]) -> Iterator[Tag | Line]:
        for node in nodes:
            if isinstance(node, (Tag, Line)):
                yield node
                if isinstance(node, (Element, Line)) and self._chosen(node, banned) is None:
                    yield from self._outermost(node.children, banned)
