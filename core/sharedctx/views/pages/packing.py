"""Lossless views of marked-up text: the legend, the forms, and the page."""

from __future__ import annotations

import re

from ...errors import DecodeError
from . import tree
from .forms import Forms
from .reader import MOST, Reader, template
from .writer import Writer

_LEGEND = re.compile(r"\[\[html: (crlf; )?[^\n]*\n")
_FORM = re.compile(r"([A-Z]{1,6})=([^\n]*)\n")
_HOW = (
    "A=<a href=\"{}\">{}</a> is a form, <A x|y> an element of that form with x and y for {}, {1} is x again; "
    "<b x> is <b>x</b>, <i a=1|x> is <i a=1>x</i>, <br/> is <br>; lines are indented as their elements are nested"
)


def pack(text: str) -> str | None:
    """The lossless view of a page, or None for one that is too long."""
    if len(text) > MOST:
        return None
    crlf = text.count("\r") == text.count("\n") == text.count("\r\n") > 0
    top = tree.read(text.replace("\r\n", "\n") if crlf else text)
    forms = Forms(top)
    body = Writer(forms).whole(top)
    told = "".join(f"{form.name}={form.template}\n" for form in forms.all)
    return f"[[html: {'crlf; ' if crlf else ''}{_HOW}]]\n{told}\n{body}"


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
    return made.replace("\n", "\r\n") if head[1] else made
