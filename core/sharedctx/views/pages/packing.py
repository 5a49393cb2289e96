"""Lossless views of marked-up text: the legend, the forms, and the page."""

from __future__ import annotations

import re

from ...errors import DecodeError
from . import tree
from .forms import Forms
from .reader import Reader, template
from .repeats import mark
from .writer import Writer

_LEGEND = re.compile(r"\[\[html: (crlf; )?(nbsp; )?[^\n]*\n")
_SPACE, _SPELLED = "\xa0", "&nbsp;"
_CAPITALS = re.compile(r"<([A-Z]{1,6})(?![A-Z])")
_FORM = re.compile(r"([A-Z]{1,6})=([^\n]*)\n")
_EXPLAINED = (
    ("{}", 'A=<a href="{}">{}</a> is a form, <A x|y> an element of it with x and y for {}; {1} is x again'),
    ("<", "<b x> is <b>x</b>, <i a=1|x> is <i a=1>x</i>, <br/> is <br>; \\< is <"),
    ("<*", "<*A has a line for each A, one below the other"),
    ("<+", "<+A has a line for each A, all on one line"),
    ("<&", "<&1 x> is x and names it, <&1> repeats it"),
    ("<#", "<#9 x> is x, 9 characters as they are"),
    ("\\=", "\\=  : indents by what is before the colon"),
    ("\n", "lines are indented as their elements are nested"),
)


def _legend(crlf: bool, spaced: bool, rest: str) -> str:
    told = ["crlf"] * crlf + ["nbsp"] * spaced + [text for sign, text in _EXPLAINED if sign in rest]
    return f"[[html: {'; '.join(told)}]]\n"


def pack(text: str) -> str:
    """The lossless view of a page."""
    crlf = text.count("\r") == text.count("\n") == text.count("\r\n") > 0
    text = text.replace("\r\n", "\n") if crlf else text
    spaced = _SPELLED in text and _SPACE not in text
    top = tree.read(text.replace(_SPELLED, _SPACE) if spaced else text)
    repeated = mark(top)
    forms = Forms(top, set(_CAPITALS.findall(text)))
    body = Writer(forms, repeated).whole(top)
    told = "".join([f"{form.name}={form.template}\n" for form in forms.all])
    return f"{_legend(crlf, spaced, told + body)}{told}\n{body}"


def unpack(text: str) -> str:
    """The page. Raises ``DecodeError``."""
    head = _LEGEND.match(text)
    if head is None:
        raise DecodeError("no lossless view of html: the first line is no legend")
    at = head.end()
    forms = {}
    while (found := _FORM.match(text, at)) is not None:
        forms[found[1]] = template(found[2])
        at = found.end()
    if not text.startswith("\n", at):
        raise DecodeError("no lossless view of html: the forms do not end")
    made = Reader(text, at + 1, forms).whole()
    made = made.replace(_SPACE, _SPELLED) if head[2] else made
    return made.replace("\n", "\r\n") if head[1] else made
