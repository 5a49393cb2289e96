"""Marked-up text as a tree that spells the exact text again, however the text is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

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


class Tag:
    """A tag without an end, or a comment: what stands between ``<`` and ``>``.

    ``parts`` are the texts around the attributes' ``values``; ``shape`` (-1: none) numbers what has the same form, with
    ``slots`` cells that may differ; ``line`` is the indentation of the line on which it starts.
    """

    __slots__ = ("line", "parts", "shape", "slots", "values")

    def __init__(self, inner: str) -> None:
        parts = _VALUE.split(inner)
        self.parts = tuple(parts[::2])
        self.values = parts[1::2]
        self.shape = -1
        self.slots = len(self.values)
        self.line = ""

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

    __slots__ = ("children", "line", "shape", "slots")

    def __init__(self, children: list[Node]) -> None:
        self.children = children
        self.shape = -1
        self.slots = 0
        self.line = ""


Node = str | Break | Raw | Tag | Line


class _Piece(NamedTuple):
    kind: str
    name: str
    start: int
    end: int


def _pieces(text: str) -> list[_Piece]:
    """All of the text, in order: tokens, comments, and what style sheets hold."""
    pieces: list[_Piece] = []
    at = 0
    for token in Tokens(text):
        if token.start > at:
            pieces.append(_Piece("tag" if text[at] == "<" and text[token.start - 1] == ">" else "script", "", at, token.start))
        kind, start = token.kind, token.start
        if kind == "text" and pieces and pieces[-1].kind == "text" and pieces[-1].end == start:
            start = pieces.pop().start
        if token.end > start:
            pieces.append(_Piece(kind, token.name, start, token.end))
        at = token.end
    if at < len(text):
        pieces.append(_Piece("script", "", at, len(text)))
    return pieces


def _pairs(pieces: list[_Piece], text: str) -> set[int]:
    """Which pieces are tags with an end, and their ends: nested one in the other, both spelled alike."""
    pending: list[tuple[int, str]] = []
    open_: dict[str, int] = {}
    paired: set[int] = set()
    for at, piece in enumerate(pieces):
        if piece.kind == "open":
            named = _NAME.match(text, piece.start + 1)
            spelled = named[0] if named is not None and named.end() < piece.end and text[named.end()] in " \t\n\r>" else ""
            pending.append((at, spelled))
            open_[spelled] = open_.get(spelled, 0) + 1
        elif piece.kind == "close":
            spelled = text[piece.start + 2 : piece.end - 1]
            if not open_.get(spelled):
                continue
            while pending:
                start, name = pending.pop()
                open_[name] -= 1
                if name == spelled:
                    paired.update((start, at))
                    break
    return paired


def read(text: str) -> list[Node]:
    """The nodes of a text. All of them spelled one after the other are the text."""
    pieces = _pieces(text)
    paired = _pairs(pieces, text)
    top: list[Node] = []
    inner: list[Element | None] = []
    at = top
    for place, piece in enumerate(pieces):
        if piece.kind == "text":
            at.extend(_lines(text[piece.start : piece.end]))
        elif piece.kind == "script":
            at.append(Raw(text[piece.start : piece.end]))
        elif place not in paired or (len(inner) >= _DEEPEST and piece.kind == "open"):
            at.append(Tag(text[piece.start + 1 : piece.end - 1]))
            if place in paired:
                inner.append(None)
        elif piece.kind == "open":
            named = _NAME.match(text, piece.start + 1)
            element = Element(text[piece.start + 1 : piece.end - 1], named[0] if named is not None else "")
            at.append(element)
            inner.append(element)
            at = element.children
        elif inner.pop() is None:
            at.append(Tag(text[piece.start + 1 : piece.end - 1]))
        else:
            at = next((each.children for each in reversed(inner) if each is not None), top)
    return top


def _lines(text: str) -> Iterator[Node]:
    at = 0
    for found in _BREAK.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        yield Break(found[0][1:])
        at = found.end()
    if at < len(text):
        yield text[at:]
