"""Reading an HTML page into blocks: what a reader of the page sees."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from typing import Any

from .blocks import Block
from .tags import Token, Tokens, decoded

_BLOCKS = frozenset(
    ["address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details",
     "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
     "h6", "head", "header", "hgroup", "hr", "html", "iframe", "legend", "li", "main", "menu", "nav", "ol", "option",
     "p", "pre", "section", "select", "summary", "table", "tbody", "template", "textarea", "tfoot", "thead", "title",
     "tr", "ul"]
)  # fmt: skip
_HIDDEN = frozenset(["svg", "style", "object", "audio", "canvas", "datalist", "annotation", "noscript"])
_LEVELS = {f"h{level}": level for level in range(1, 7)} | {"title": 1}
_NAMING = frozenset(["a", "code", "tt", "kbd"])
_CELLS = frozenset(["p", "div", "br", "section"])
_LISTS = frozenset(["ul", "ol", "menu", "dl"])
_HEADING = re.compile(
    r"<h([1-6])(?=[\s>])[^<>]{0,500}>([^<>]{0,500}(?:<(?!/?h[1-6])[^<>]{0,500}>[^<>]{0,500}){0,9})</h\1", re.I
)
_MARKUP = re.compile(r"<[^<>]*>")
_PROSE = re.compile(r"\w+[ ,]\s?\w+[ ,]\s?\w+")
_LONGEST_NAME = 100
_LEAST = 0.01
"""A page whose visible text is a smaller share than this keeps its content in scripts."""


class _Page:
    def __init__(self, text: str, by_line: bool, hides: frozenset[str], enough: float = math.inf) -> None:
        self.hides = hides
        self.enough = enough
        self.text = text
        self.found: list[Block] = []
        self.starts = [found.start() for found in re.finditer("\n", text)] if by_line else None
        self.parts: list[str] = []
        self.first = 0  # where the text of the block begins
        self.kind = "text"
        self.level = 1
        self.term = False
        self.lists = 0
        self.pre = 0
        self.hidden = ""
        self.depth = 0
        self.row = False
        self.names: list[str] = []
        self.named = 0  # where in the parts the link or the code begins
        self.scripts: list[tuple[int, int]] = []

    def place(self, at: int) -> int:
        return at if self.starts is None else bisect_right(self.starts, at - 1) + 1

    def read(self) -> list[Block]:
        for token in Tokens(self.text):
            if self.hidden:
                if token.name == self.hidden:
                    self.depth += 1 if token.kind == "open" else -1
                    if not self.depth:
                        self.hidden = ""
            elif token.kind == "text":
                if not self.parts:
                    self.first = token.start
                self.parts.append(self.text[token.start : token.end])
            elif token.kind == "script":
                self.scripts.append((token.start, token.end))
            else:
                self.tag(token)
                if self.enough < 0:
                    self.headings(token.end)
                    break
        self.close(len(self.text))
        seen = sum(len(block.text) for block in self.found)
        if seen < _LEAST * len(self.text):
            self.found += self.data()
        return self.found

    def tag(self, token: Token) -> None:
        name, opens = token.name, token.kind == "open"
        if name in self.hides:
            if opens and self.text[token.end - 2] != "/":
                self.hidden, self.depth = name, 1
            return
        if name in ("td", "th"):
            if opens and "".join(self.parts[-8:]).strip():
                self.parts.append(" | ")
            return
        if name in _NAMING and self.parts:
            if opens:
                self.named = len(self.parts)
            elif len(self.parts) - self.named < 20:
                self.name("".join(self.parts[self.named :]))
        if name not in _BLOCKS or (self.pre and name == "br") or (self.row and name in _CELLS):
            if name in _BLOCKS:
                self.parts.append("\n")
            return
        self.close(token.start)
        if name in _LISTS:
            self.lists = max(self.lists + (1 if opens else -1), 0)
        if name == "pre":
            self.pre = int(opens)
        if name in _LEVELS:
            self.kind, self.level = ("heading", _LEVELS[name]) if opens else ("text", 1)
        elif name == "pre":
            self.kind = "code" if opens else "text"
        elif name in ("li", "dd", "dt"):
            self.kind = "item" if opens else "text"
            self.term = opens and name == "dt"
        elif name == "tr":
            self.row = opens
            self.kind = "table" if opens else "text"

    def name(self, text: str) -> None:
        """Note what a link or a piece of code says, if it is short enough to be a name."""
        said = " ".join(decoded(text).split()) if len(text) < 3 * _LONGEST_NAME else ""
        if 2 < len(said) <= _LONGEST_NAME:
            self.names.append(said)

    def close(self, end: int) -> None:
        """Make a block of the text since the last tag that divides."""
        if not self.parts:
            return
        text = decoded("".join(self.parts))
        names, self.parts, self.names, self.named = tuple(dict.fromkeys(self.names)), [], [], 0
        if self.kind == "code":
            text = "\n".join(line.rstrip() for line in text.strip("\r\n").split("\n"))
        else:
            text = " ".join(text.split()).strip("|")
        if not text.strip():
            return
        if self.kind == "item":
            text = f"{' ' * min(self.lists - 1, 8)}- {text}"
            self.kind = "text"
            kind = "item"
        else:
            kind = self.kind
        term = kind == "item" and self.term and not text.endswith(":")
        block = Block(kind, self.place(self.first), self.place(end), text, self.level, names, term)  # type: ignore[arg-type]
        self.found.append(block)
        self.enough -= len(text)

    def headings(self, at: int) -> None:
        """Make blocks of the headings behind a place, and of nothing else."""
        self.close(at)
        for found in _HEADING.finditer(self.text, at):
            said = " ".join(decoded(_MARKUP.sub(" ", found[2])).split())
            if said:
                place = self.place(found.start())
                self.found.append(Block("heading", place, place, said, int(found[1])))

    def data(self) -> list[Block]:
        """The prose in the JSON of scripts, for a page that shows hardly any."""
        found: list[Block] = []
        for start, end in self.scripts:
            script = self.text[start:end].strip()
            if script[:1] not in ("{", "["):
                continue
            try:
                value = json.loads(script)
            except (ValueError, RecursionError):
                continue
            for said in dict.fromkeys(_strings(value)):
                found.append(Block("text", self.place(start), self.place(end), " ".join(decoded(said).split())))
        return found


def _strings(value: Any) -> list[str]:
    found: list[str] = []
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            if _PROSE.search(one[:200]):
                found.append(one)
        elif isinstance(one, dict):
            pending += reversed(one.values())
        elif isinstance(one, list):
            pending += reversed(one)
    return found


def read(text: str, by_line: bool, enough: float = math.inf) -> list[Block]:
    """Return the blocks of a page; their places are lines from 1, or characters if not ``by_line``. Behind ``enough``
    characters of visible text only headings are read."""
    page = _Page(text, by_line, _HIDDEN, enough)
    blocks = page.read()
    return _Page(text, by_line, frozenset()).read() if page.hidden else blocks
