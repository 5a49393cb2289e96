"""Reading marked-up text back: the inverse of ``writer``."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import DecodeError
from ..packs import MOST
from .indents import Indents, last_indent

_PLAIN = re.compile(r"[^<>|\\\n]+")
_SPECIAL = re.compile(r"(?:[^<>|\\]|\\.)*", re.S)
_NAME = re.compile(r"[A-Za-z][\w:.-]*")
_ESCAPE = re.compile(r"\\([<>|\\/=n])")
_INDENT = re.compile(r"[ \t]*")
_RAW = re.compile(r"#([0-9]{1,9}) ")
_NAMED = re.compile(r"&([0-9]{1,9})([ >])")
_ROWS = re.compile(r"([*+])([A-Za-z][\w:.-]*)\n")
_PART = re.compile(r"\{\{|\}\}|\{([0-9]{0,3})\}|\\\\|\\N|\\n([ \t]*)(?!\\n)|\\n|[^{}\\]+")
_ROW_END = "\n"


class Indent(NamedTuple):
    """The end of a line in a form, and how much further than the form's first line the next is indented."""

    more: str


Template = list[str | int | Indent]


def template(text: str) -> Template:
    """The texts of a form, and the numbers of the cells between them. Raises ``DecodeError``."""
    made: Template = []
    at = told = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise DecodeError(f"html: {text[:80]!r} is no form")
        at = found.end()
        if found[1] is not None:
            told += not found[1]
            made.append(int(found[1] or told) - 1)
        elif found[2] is not None:
            made.append(Indent(found[2]))
        else:
            made.append("\n" if found[0] in ("\\n", "\\N") else found[0][0] if found[0][0] in "{}\\" else found[0])
    return made


class Reader:
    """Reads a text. Raises ``DecodeError`` for anything that a writer did not write."""

    def __init__(self, text: str, at: int, forms: dict[str, Template]) -> None:
        self._text = text
        self._at = at
        self._forms = forms
        self._indents = Indents()
        self._names: dict[int, str] = {}
        self._size = 0

    def whole(self) -> str:
        """The text of the page."""
        try:
            made = self._cells(1, "")[0]
        except RecursionError:
            raise DecodeError("html: elements are nested too deeply") from None
        if self._at < len(self._text):
            raise self._wrong("more than there should be")
        return made

    def _wrong(self, what: str) -> DecodeError:
        return DecodeError(f"html: {what} at character {self._at}")

    def _cells(self, most: int, end: str) -> list[str]:
        """Up to so many cells, and the ``end`` behind them."""
        text = self._text
        cells: list[str] = []
        out: list[str] = []
        while True:
            found = _PLAIN.match(text, self._at)
            if found is not None:
                out.append(found[0])
                self._at = found.end()
            char = text[self._at : self._at + 1]
            if char == "<":
                self._at += 1
                out.append(self._element())
            elif char == "\n" != end:
                out.append(self._break())
            elif char == "\\":
                out.append(self._escape())
            elif char == end:
                self._at += len(end)
                cells.append("".join(out))
                return cells
            elif char == "|" and len(cells) + 1 < most:
                self._at += 1
                cells.append("".join(out))
                out = []
            else:
                raise self._wrong(f"{char!r} does not belong" if char else "the end")

    def _escape(self) -> str:
        found = _ESCAPE.match(self._text, self._at)
        if found is None:
            self._at += 1
            return "\\"
        self._at = found.end()
        return "\n" if found[1] == "n" else found[1]

    def _break(self) -> str:
        text = self._text
        start = self._at + 1
        if text.startswith("\\=", start):
            end = text.find(":", start)
            indent = text[start + 2 : end]
            if end < 0 or indent.strip(" \t"):
                raise self._wrong("no indentation")
            self._at = end + 1
            shifted = True
        else:
            end = _INDENT.match(text, start).end()  # type: ignore[union-attr]
            indent = text[start:end]
            self._at = end
            if end == len(text) or text[end] == "\n":
                return "\n" + indent
            shifted = False
        closing = text.startswith(">", self._at)
        if not shifted:
            indent = self._indents.expected(closing) + indent
        self._indents.found(indent, closing, shifted)
        return "\n" + indent

    def _element(self) -> str:
        """What stands behind a ``<``."""
        text = self._text
        raw = _RAW.match(text, self._at)
        if raw is not None:
            end = raw.end() + int(raw[1])
            if text[end : end + 1] != ">":
                raise self._wrong("raw text of another length")
            self._at = end + 1
            return text[raw.end() : end]
        named = _NAMED.match(text, self._at)
        if named is not None:
            self._at = named.end()
            return self._again(int(named[1]), named[2] == " ")
        rows = _ROWS.match(text, self._at)
        if rows is not None:
            self._at = rows.end()
            return self._rows(rows[2], rows[1] == "*")
        named = _NAME.match(text, self._at)
        name = named[0] if named is not None else ""
        form = self._forms.get(name)
        if form is not None:
            self._at += len(name) + text.startswith(" ", self._at + len(name))
            return self._form(name, form, ">")
        end = _SPECIAL.match(text, self._at).end()  # type: ignore[union-attr]
        inner = text[self._at : end]
        if text.startswith("|", end):
            self._at = end + 1
            head = _ESCAPE.sub(r"\1", inner)
            return f"<{head}>{self._inside(name)}</{name}>"
        if text.startswith(">", end) and inner.endswith("/") and not inner.endswith("\\/"):
            self._at = end + 1
            return f"<{_ESCAPE.sub(_unescaped, inner[:-1])}>"
        if not name:
            raise self._wrong("no element")
        self._at += len(name)
        if text.startswith(" ", self._at):
            self._at += 1
        return f"<{name}>{self._inside(name)}</{name}>"

    def _again(self, number: int, first: bool) -> str:
        if first:
            made = self._cells(1, ">")[0]
            self._names[number] = made
            return made
        if number not in self._names:
            raise self._wrong(f"<&{number}> names nothing before this")
        made = self._names[number]
        if "\n" in made:
            self._indents.moves(last_indent(made))
        return self._sized(made)

    def _sized(self, text: str) -> str:
        self._size += len(text)
        if self._size > MOST:
            raise DecodeError(f"html: the text is over {MOST} characters")
        return text

    def _rows(self, name: str, lines: bool) -> str:
        form = self._forms.get(name)
        made: list[str] = []
        while not self._text.startswith(">", self._at):
            if lines and made:
                indent = self._indents.expected(False)
                self._indents.found(indent, False, False)
                made.append("\n" + indent)
            if form is None:
                made.append(f"<{name}>{self._inside(name, _ROW_END)}</{name}>")
            else:
                made.append(self._form(name, form, _ROW_END))
        self._at += 1
        return "".join(made)

    def _inside(self, name: str, end: str = ">") -> str:
        self._indents.opens(name)
        content = self._cells(1, end)[0]
        self._indents.closes()
        return content

    def _form(self, name: str, form: Template, end: str) -> str:
        wanted = max((part for part in form if type(part) is int), default=-1) + 1
        line = self._indents.line
        self._indents.opens(name)
        cells = self._cells(wanted or 1, end)
        self._indents.closes()
        if len(cells) < wanted:
            raise self._wrong(f"<{name} has too few cells before this")
        made: list[str] = []
        for part in form:
            if type(part) is str:
                made.append(part)
            elif type(part) is int:
                made.append(cells[part])
            elif type(part) is Indent:
                made.append(f"\n{line}{part.more}")
                self._indents.moves(line + part.more)
        return self._sized("".join(made))


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
