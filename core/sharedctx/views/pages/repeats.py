"""What a page says twice to the character: told where it stands first, and named from there on."""

from __future__ import annotations

from collections.abc import Set

from .tree import Again, Break, Element, Line, Node, Raw, Tag

LEAST = 48
"""Characters from which on a repetition is named: of text, markup aside, or of a value."""
_LONGEST = 4_000


def mark(top: list[Node]) -> Set[str]:
    """Put ``Again`` in the place of nodes that stood before, and mark those; return the long texts and values that
    stand more than once outside of them."""
    return _Repeats(top).strings


class _Repeats:
    def __init__(self, top: list[Node]) -> None:
        self.strings: set[str] = set()
        self._known: set[str] = set()
        self._first: dict[str, Tag | Line] = {}
        self._spelled: dict[int, str] = {}
        self._spell(top)
        self._mark(top)

    def _spell(self, nodes: list[Node]) -> tuple[str, int]:
        """The source of some nodes and how much of it is text; no source of what is longer than is looked at."""
        parts: list[str] = []
        size = 0
        for node in nodes:
            if isinstance(node, str):
                parts.append(node)
                size += len(node)
                continue
            if isinstance(node, Break):
                parts.append(f"\n{node.indent}")
                continue
            if isinstance(node, (Raw, Again)):
                parts.append(node.text)
                continue
            inside, seen = self._spell(node.children) if isinstance(node, (Element, Line)) else ("", 0)
            size += seen
            if isinstance(node, Element):
                inside = f"<{node.inner}>{inside}</{node.name}>"
            elif isinstance(node, Tag):
                inside = f"<{node.inner}>"
            if LEAST <= seen < _LONGEST:
                self._spelled[id(node)] = inside
            parts.append(inside)
        return ("".join(parts) if size < _LONGEST else ""), size

    def _mark(self, nodes: list[Node]) -> None:
        for at, node in enumerate(nodes):
            if isinstance(node, str):
                self._string(node)
            elif isinstance(node, (Tag, Line)):
                spelled = self._spelled.get(id(node))
                first = self._first.get(spelled) if spelled is not None else None
                if spelled is not None and first is not None:
                    first.repeated = spelled
                    nodes[at] = Again(spelled)
                    continue
                if spelled is not None:
                    self._first[spelled] = node
                if isinstance(node, Tag):
                    for value in node.values:
                        self._string(value)
                if isinstance(node, (Element, Line)):
                    self._mark(node.children)

    def _string(self, text: str) -> None:
        if len(text) >= LEAST:
            (self.strings if text in self._known else self._known).add(text)
