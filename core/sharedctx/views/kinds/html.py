"""HTML: the text that a reader of the page sees, with its headings, lists, tables and code."""

from __future__ import annotations

import re
from typing import Any

from ..documents.blocks import draft
from ..documents.gathered import enough
from ..documents.page import read
from ..kind import Brief, Draft, Source
from ..packs import MOST
from ..pages import packing

_START = re.compile(r"\s{0,200}(?:<!--|<\?xml|<!doctype html|<html|<head|<body)", re.I)
_TAG = re.compile(
    r"</?(?:html|head|body|div|p|a|span|li|[uo]l|t[rdh]|table|h[1-6]|br|script|style|link|meta|section|article|nav|main"
    r"|header|footer|pre|code|img|button|form|dl|d[td]|strong|em|b|i)(?=[\s/>])",
    re.I,
)
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]*>")
_LONG = 1_000


class HtmlKind:
    """Pages and pieces of HTML."""

    name = "html"

    def fits(self, source: Source) -> float:
        """How the text starts, and how many tags of HTML it has for its length."""
        sample = source.text[:60_000]
        if "<" not in sample:
            return 0.0
        tags = len(_TAG.findall(sample))
        dense = tags * 250 >= len(sample) and tags >= 8
        if sample.lstrip()[:1] == "<":
            known = _START.match(sample)
            return 0.95 if known and tags >= 3 else 0.8 if dense else 0.0
        return 0.5 if tags * 60 >= len(sample) and tags >= 20 else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """The visible text; long paragraphs by their first sentences. None for a page that shows nothing."""
        by_line = len(source.text) < _LONG * len(source.lines)
        blocks = read(source.text, by_line, enough(brief))
        if not blocks:
            return None
        whole = f"lines:1-{len(source.lines)}" if by_line else f"chars:0-{len(source.text)}"
        return draft(blocks, source.text, whole, brief, "visible-text")

    def least(self, source: Source) -> int:
        """The text between the tags, of which a lossless view leaves out repetitions alone."""
        return len(" ".join(_MARKUP.sub(" ", source.text).split()))

    def pack(self, source: Source) -> str | None:
        """The page with its elements by the forms that they share."""
        if len(source.text) > MOST:
            return None
        packed = packing.pack(source.text)
        return packed if len(packed) < len(source.text) else None

    def unpack(self, text: str) -> Any:
        """The page. Raises ``DecodeError``."""
        return packing.unpack(text)


KIND = HtmlKind()
