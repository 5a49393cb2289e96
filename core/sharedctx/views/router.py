"""From any value to its view: find the kind, let its module shorten it, check the result."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..errors import InvalidValue
from ..tokens import TokenCounter, counter
from . import json_rows, text
from .original import LEAST_TOKENS, SHORT, as_text, compact
from .pieces import assemble, select, words
from .view import Marks, View

DEFAULT_TOKENS = 2000
"""A view without ``max_tokens`` is shortened to about this many tokens."""
UNTOUCHED = 200
"""Texts below this many tokens are given as they are."""
KINDS = ("json", "text", "bytes")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _float(spelled: str) -> float:
    value = float(spelled)
    if math.isinf(value) or (len(spelled) > 15 and Decimal(spelled) != Decimal(repr(value))):
        raise ValueError(f"{spelled} is no double")
    return value


def parse(content: str) -> Any:
    """Return the array or object that a text spells, or None where reading it as JSON would lose something."""
    if content.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(content, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_float)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def compress(
    content: Any,
    *,
    kind: str | None = None,
    max_tokens: int | None = None,
    query: str | None = None,
    key: str | None = None,
    version: int | None = None,
    references: bool = True,
    count: TokenCounter | None = None,
    compressors: Mapping[str, Callable[[str], str]] | None = None,
) -> View:
    """Return the view of text, bytes or a JSON value.

    ``kind`` overrides what is found ("json", "text"); ``max_tokens`` (from 50 up) is never exceeded by ``count``;
    ``query`` keeps what has its words; ``key`` and ``version`` go into the markers, which without a key or with
    ``references=False`` are plain notes. ``compressors`` replace a kind's strategy. A view is never larger than the
    original, and empty only for an empty one. Raises ``InvalidValue``.
    """
    if max_tokens is not None and max_tokens < LEAST_TOKENS:
        raise InvalidValue(f"max_tokens {max_tokens} is below {LEAST_TOKENS}: a view needs room for its references")
    if kind is not None and kind not in KINDS:
        raise InvalidValue(f"kind {kind!r} is none of {', '.join(KINDS)}")
    count = count or counter()
    original = as_text(content)
    found = kind or _kind(content, original)
    before = count(original)
    limit = DEFAULT_TOKENS if max_tokens is None else max_tokens
    described = isinstance(content, bytes) and original.encode() != content
    untouched = View(original, found, before, before, lossless=not described)
    if before <= limit and (before < UNTOUCHED or len(original.encode("utf-8", "replace")) <= SHORT):
        return untouched
    marks = Marks(key, version, references)
    own = (compressors or {}).get(found)
    if own is not None:
        made = own(original)
        if not isinstance(made, str):
            raise InvalidValue(f"the compressor for {found!r} returned {type(made).__name__}: it must return text")
        name, refs = "own", [marks.ref("all")]
    else:
        value = parse(original) if found == "json" and isinstance(content, str | bytes) else content
        name, made, refs = _shorten(found, value, original, limit, count, words(query), marks)
    after = count(made)
    if max_tokens is not None and min(after, before) > max_tokens:
        made, refs = _describe(found, original, before, marks)
        if count(made) > max_tokens:  # a key so long that its marker does not fit
            made, refs = _describe(found, original, before, Marks(None, version))
        name, after = "described", count(made)
    elif not made or after >= before or len(made) >= len(original):
        return untouched
    ratio = f"{after / before:.2f}"
    return View(made, found, after, before, (f"{found}:{name}:{ratio}",), tuple(refs), not refs)


def _kind(content: Any, original: str) -> str:
    if isinstance(content, bytes) and original.encode() != content:
        return "bytes"
    if not isinstance(content, str | bytes) or parse(original) is not None:
        return "json"
    return "text"


def _shorten(
    kind: str, value: Any, original: str, limit: int, count: TokenCounter, wanted: list[str], marks: Marks
) -> tuple[str, str, list[str]]:
    if kind == "json" and json_rows.is_rows(value):
        header, lines = json_rows.columns(value)
        whole = "\n".join([header, *lines])
        if count(whole) <= limit:
            return "columnar", whole, []
        marker = count(marks.omitted("rows 100000-100000", "rows:100000-100000")) + 1
        chosen = select(lines, limit - count(header) - 2 * marker, count, wanted, marker)
        if chosen:
            pieces, refs = assemble(lines, chosen, marks, "rows", 0)
            return "columnar", "\n".join([header, *pieces]), refs
    if kind == "json" and value is not None:
        packed = compact(value)
        if count(packed) <= limit:
            return "minified", packed, []
    if count(original) <= limit:
        return "whole", original, []
    for share in (1.0, 0.8, 0.6):
        made, refs = text.shorten(original, int(limit * share), count, wanted, marks)
        if count(made) <= limit:
            break
    return "head-tail", made, refs


def _describe(kind: str, original: str, tokens: int, marks: Marks) -> tuple[str, list[str]]:
    what = f"{kind} of {len(original)} characters, {tokens} tokens,"
    return marks.omitted(what, "all"), [marks.ref("all")]
