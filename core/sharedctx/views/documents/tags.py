"""Dividing HTML into tags and text in linear time, whatever it looks like.

The standard library's ``html.parser`` takes a time that grows with the square of the length on unclosed tags and
comments; here each kind of ending is looked for to the end of the text at most once in vain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Literal, NamedTuple

_OPENS = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,60})")
_BREAK = re.compile(r"[>\"']")
_ENDS = re.compile(r"[^>\"']*+(?:(?:\"[^\"]*+\"|'[^']*+')[^>\"']*+)*+>")
_NEAR = 1000
"""Characters in which most tags end."""
_RAW = {name: re.compile(f"</{name}", re.I) for name in ("script", "style")}
_TEMPLATE = re.compile(
    r"\btype\s{0,9}=\s{0,9}[\"']?(?:text/(?!java|ecma)[\w.+-]*(?:html|template|tmpl|handlebars|mustache))", re.I
)


class Token(NamedTuple):
    """A piece of HTML: a tag with its ``name`` in lower case, text, the content of a script; where it stands."""

    kind: Literal["open", "close", "text", "script"]
    name: str
    start: int
    end: int


def decoded(text: str) -> str:
    """Text with its character references replaced."""
    try:
        return unescape(text) if "&" in text else text
    except ValueError:  # a reference of thousands of digits
        return text


class Tokens:
    """The tokens of a text, in order; comments, declarations and style sheets are none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._missing: dict[str, bool] = {}
        self._quotes = True

    def _find(self, what: str, at: int) -> int:
        if what in self._missing:
            return -1
        found = self._text.find(what, at)
        if found < 0:
            self._missing[what] = True
        return found

    def __iter__(self) -> Iterator[Token]:
        text = self._text
        at = 0
        while at < len(text):
            start = text.find("<", at)
            if start < 0:
                break
            opened = _OPENS.match(text, start)
            if opened:
                end = self._end(opened.end())
            elif text.startswith("<!--", start):
                end = self._find("-->", start + 4) + 3
            elif text[start + 1 : start + 2] in ("!", "?"):
                end = self._find(">", start) + 1
            else:
                end = 0
            if start > at:
                yield Token("text", "", at, start)
            if end <= start:  # no tag: the mark is text
                yield Token("text", "", start, start + 1)
                at = start + 1
                continue
            at = end
            if opened is None:
                continue
            name = opened[2].lower()
            yield Token("close" if opened[1] else "open", name, start, end)
            if name in _RAW and not opened[1] and not _TEMPLATE.search(text, start, min(end, start + 1000)):
                at = self._raw(name, end)
                if name == "script":
                    yield Token("script", name, end, at)
        if at < len(text):
            yield Token("text", "", at, len(text))

    def _end(self, at: int) -> int:
        """Behind the ``>`` of a tag; one in quotes does not count."""
        near = _ENDS.match(self._text, at, at + _NEAR) if self._quotes else None
        if near is not None:
            return near.end()
        first = at
        while self._quotes:
            found = _BREAK.search(self._text, at)
            if found is None:
                break
            if found[0] == ">":
                return found.end()
            at = self._find(found[0], found.end()) + 1
            if not at:
                break
        self._quotes = False
        return self._find(">", first) + 1

    def _raw(self, name: str, at: int) -> int:
        if name in self._missing:
            return len(self._text)
        found = _RAW[name].search(self._text, at)
        if found is None:
            self._missing[name] = True
            return len(self._text)
        return found.start()
