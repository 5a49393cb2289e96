"""From any value to its view: find the kind and have its view made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Literal

from ..errors import DecodeError, InvalidValue
from ..tokens import TokenCounter, counting
from . import originals, registry, text
from .arguments import check_compressors, check_kind, check_place, check_query, check_tokens
from .kind import Brief, Kind, Source
from .lossless import reader
from .pieces import words
from .plain import SHORT
from .task import Once, Task
from .text import DEFAULT_TOKENS, MOST_TOKENS
from .view import Marks, View

UNTOUCHED = 200
"""Texts below this many tokens are given as they are; their kind is not looked for, only whether they are JSON."""
_AT_BOTTOM = ("text", "json", "bytes")
_MARKERS = 10
_MARKER = re.compile(r"\[\[[^\[\]\n]{1,200}(?: omitted\]\]| omitted: expand\(| more characters: )")
_OMITTED = (" omitted]]", " omitted: expand(")
_FIRST_LINE = re.compile(r"\[\[[^\n]{1,1000} omitted(?:\]\]|: expand\([^\n]{1,2000}\)\]\])(?:\n|\Z)")


def compress(
    content: Any,
    *,
    mode: Literal["standard", "lossless"] = "standard",
    max_tokens: int | None = None,
    query: str | None = None,
    kind: str | None = None,
    key: str | None = None,
    version: int | None = None,
    references: bool = True,
    count: TokenCounter | None = None,
    compressors: Mapping[str, Callable[[str], str]] | None = None,
) -> View:
    """Return the view of text, bytes or a JSON value.

    ``mode="standard"`` leaves out what matters little; ``"lossless"`` gives a view that ``decompress`` turns back
    into the data, or the original untouched; where both are over ``max_tokens``, a standard view whose ``lossless``
    is false. ``max_tokens`` (from 50 up) is never exceeded by ``count``; ``query`` keeps what has its words.
    ``kind`` overrides what is found, by a kind's name ("json", "text", "log"); ``compressors`` replace the strategy
    of one kind by its name, or by "text" or "json" of all those that have none of their own. ``key`` and ``version``
    go into the markers, which without a key or with ``references=False`` are plain notes; with the latter there are
    no ``refs`` either. A view is never larger than the original, and empty only for an empty one; the text of a view,
    viewed again, stays as it is. Raises ``InvalidValue``, and ``ConfigError`` for a ``count`` that is no counter.
    """
    if mode not in ("standard", "lossless"):
        raise InvalidValue(f"mode {mode!r} is neither 'standard' nor 'lossless'")
    check_tokens(max_tokens, "a view needs room for its references")
    check_query(query)
    check_place(key, version)
    named = registry.kinds()
    check_kind(kind, named)
    own_of = check_compressors(compressors, (*named, *_AT_BOTTOM))
    source, bottom = originals.read(content)
    once = Once(counting(count), source.text)
    before = once.original
    if kind is None and before < min(UNTOUCHED, (max_tokens or UNTOUCHED) + 1):
        return View(source.text, bottom, before, before, lossless=bottom != "bytes")
    found = _kind(source, bottom, named[kind] if kind is not None else None)
    shown = found.name if source.value is not None or bottom == "text" else bottom
    if found not in registry.JSON:
        source = Source(source.text)
    untouched = View(source.text, shown, before, before, lossless=bottom != "bytes")
    task = Task(source, found, shown, Brief(max_tokens, once, words(query), Marks(key, version, references)), untouched)
    small = before < UNTOUCHED or len(source.text.encode("utf-8", "replace")) <= SHORT
    if task.fits and (small or _is_view(source, before)):
        return untouched
    own = own_of.get(shown) or own_of.get(bottom)
    if own is not None and mode == "standard":
        return task.own(own)
    return task.lossless() if mode == "lossless" and untouched.lossless else task.standard()


def _kind(source: Source, bottom: str, named: Kind | None) -> Kind:
    """The kind that was named, unless it is one of JSON and the text spells none; else the surest."""
    if bottom == "bytes":
        return text.KIND
    if named is not None and (named not in registry.JSON or source.value is not None):
        return named
    return registry.find(source) or text.KIND


def _is_view(source: Source, tokens: int) -> bool:
    """Whether a text is a view or a piece of one: it starts with a legend that the rest bears out, or with a marker, or
    it has enough markers for its size."""
    if source.value is not None or "[[" not in source.text:
        return False
    kind = reader(source.text)
    if kind is not None:
        try:
            kind.unpack(source.text)
        except DecodeError:
            return any(marker in source.text for marker in _OMITTED)
        return True
    if _FIRST_LINE.match(source.text):
        return True
    markers = sum(1 for _ in islice(_MARKER.finditer(source.text), _MARKERS))
    return markers > 0 and tokens <= max(MOST_TOKENS, DEFAULT_TOKENS * markers)
