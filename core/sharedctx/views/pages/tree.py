"""Marked-up text as a tree that spells the exact text again, however the text is made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..documents.tags import Tokens

_NAME = re.compile(r"[A-Za-z][\w:.-]*")
_VALUE = re.compile(r'="([^"]*)"')
_BREAK = re.compile(r"\n[ \t]*")
_DEEPEST = 60
"""Elements nested deeper than this are told tag by tag."""


class Break(NamedTuple):
    """The end of a line, and how far the next one is indented."""

    indent: str


class Raw(NamedTuple):
    """Text that is no markup: the content of a script or a style sheet."""

    text: str


class Again(NamedTuple):
    """What stood before, to the character."""

    text: str


class Tag:
    """A tag without an end, or a comment: what stands between ``<`` and ``>``.

    ``parts`` are the texts around the attributes' ``values``; ``shape`` is the same for what has one form;
    ``line`` is the indentation of the line on which it starts; ``repeated`` is all of
    it as text where that stands again further down.
    """

    __slots__ = ("line", "parts", "repeated", "shape", "values")

    def __init__(self, inner: str) -> None:
        parts = _VALUE.split(inner)
        self.parts = tuple(parts[::2])
        self.values = parts[1::2]
        self.shape: Any = None
        self.line = ""
        self.repeated = ""

    @property
    def inner(self) -> str:
        """The text between ``<`` and ``>``."""
        if not self.values:
            return self.parts[0]
        around = zip(self.parts, [*(f'="{value}"' for value in self.values), ""], strict=True)
        return "".join([piece for pair in around for piece in pair])


class Element(Tag):
    """A tag with its end, ``name`` as both spell it, and what stands between them."""

    __slots__ = ("children", "name")

    def __init__(self, inner: str, name: str) -> None:
        super().__init__(inner)
        self.name = name
        self.children: list[Node] = []


class Line:
    """Several nodes that make up a line."""

    __slots__ = ("children", "line", "repeated", "shape")

    def __init__(self, children: list[Node]) -> None:
        self.children = children
        self.shape: Any = None
        self.line = ""
        self.repeated = ""


Node = str | Break | Raw | Again | Tag | Line


class _Piece(NamedTuple):
    kind: str
    start: int
    end: int


def _pieces(text: str) -> list[_Piece]:
    """All of the text, in order: tokens, comments, and what style sheets hold."""
    pieces: list[_Piece] = []
    at = 0
    for token in Tokens(text):
        if token.start > at:
            comment = text[at] == "<" and text[token.start - 1] == ">"
            pieces.append(_Piece("tag" if comment else "script", at, token.start))
        kind, start = token.kind, token.start
        if kind == "text" and pieces and pieces[-1].kind == "text" and pieces[-1].end == start:
            start = pieces.pop().start
        if token.end > start:
            pieces.append(_Piece(kind, start, token.end))
        at = token.end
    if at < len(text):
        pieces.append(_Piece("script", at, len(text)))
    return pieces


def _pairs(pieces: list[_Piece], text: str) -> dict[int, str]:
    """The names of those tags that have an end, and of their ends: nested one in the other, both spelled alike."""
    pending: list[tuple[int, str]] = []
    open_: Counter[str] = Counter()
    paired: dict[int, str] = {}
    for at, (kind, begin, end) in enumerate(pieces):
        if kind == "open":
            named = _NAME.match(text, begin + 1)
            if named is not None and text[named.end()] in " \t\n\r>":
                pending.append((at, named[0]))
                open_[named[0]] += 1
        elif kind == "close" and open_[spelled := text[begin + 2 : end - 1]]:
            name = ""
            while name != spelled:
                start, name = pending.pop()
                open_[name] -= 1
            paired[start] = paired[at] = spelled
    return paired


def read(text: str) -> list[Node]:
    """The nodes of a text. All of them spelled one after the other are the text."""
    pieces = _pieces(text)
    paired = _pairs(pieces, text)
    top: list[Node] = []
    inner: list[list[Node] | None] = []
    at = top
    for place, (kind, start, end) in enumerate(pieces):
        if kind == "text":
            at.extend(_lines(text[start:end]))
        elif kind == "script":
            at.append(Raw(text[start:end]))
        elif place not in paired:
            at.append(Tag(text[start + 1 : end - 1]))
        elif kind == "open":
            if len(inner) >= _DEEPEST:
                at.append(Tag(text[start + 1 : end - 1]))
                inner.append(None)
                continue
            element = Element(text[start + 1 : end - 1], paired[place])
            at.append(element)
            inner.append(at)
            at = element.children
        else:
            above = inner.pop()
            if above is None:
                at.append(Tag(text[start + 1 : end - 1]))
            else:
                _in_lines(at)
                at = above
    _in_lines(top)
    return top


def _in_lines(nodes: list[Node]) -> None:
    """Put nodes that make up a line together."""
    if len(nodes) < 2:
        return
    made: list[Node] = []
    start = 0
    for node in [*nodes, Break("")]:
        if isinstance(node, Break):
            if len(made) - start > 1:
                made[start:] = [Line(made[start:])]
            start = len(made) + 1
        made.append(node)
    nodes[:] = made[:-1]


def _lines(text: str) -> Iterator[Node]:
    at = 0
    for found in _BREAK.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        yield Break(found[0][1:])
        at = found.end()
    if at < len(text):
        yield text[at:]
