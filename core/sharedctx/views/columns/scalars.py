"""Strings, numbers and the like as outlines of JSON show them: short, or a stretch of a long text."""

from __future__ import annotations

import re
from typing import Any

from ..text import word_start
from . import literals
from .excerpt import end, start

SHOWN = 160
"""Characters around a place in a text, of a number, and of a name."""
_ODD = re.compile(r"['\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a text between single quotes must not have."""
_SHORT, _LONG = 60, 240
"""Characters of a string's start, in two steps."""


def spelled_scalar(value: Any, at: int) -> tuple[str, str]:
    """A scalar, a long text by its start or by what is around a place; and longer, or nothing."""
    if type(value) is not str:
        spelled = literals.scalar(value)
        return spelled if len(spelled) <= SHOWN else "…", ""
    if len(value) <= _SHORT * 5 // 4 or (at >= 0 and len(value) <= SHOWN):
        return f"'{value}'" if '"' in value and not _ODD.search(value) else literals.string(value), ""
    if at >= 0:
        begin = word_start(value, at - SHOWN // 2) if at > SHOWN // 2 else 0
        return ("…" if begin else "") + literals.quoted(start(value[begin:], SHOWN))[:-1] + '…"', ""
    return _cut(value, _SHORT), literals.string(value) if len(value) <= _LONG * 5 // 4 else _cut(value, _LONG)


def _cut(text: str, size: int) -> str:
    """The start of a text, of an address or a path the end."""
    if " " not in text and "/" in text:
        return '"…' + literals.quoted(end(text, size))[1:]
    return literals.quoted(start(text, size))[:-1] + '…"'
