"""Lossless views: those that give the data back, and giving it back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..errors import DecodeError
from . import registry
from .kind import Kind, Reversible, Source
from .originals import parse
from .plain import compact
from .view import View

_LEGEND = re.compile(r"\[\[([a-z][a-z0-9_-]{0,40}): ")


def pack(
    kind: Kind, source: Source, *, general: bool = False, worth: Callable[[str], bool] | None = None
) -> str | None:
    """Return the kind's lossless view, proved by unpacking it, or None where the kind has none for this source.

    ``general``: of a kind of text that has none of its own, that of its lines as of a log's. ``worth`` is asked before
    the proof, which takes as long as the making; what it refuses is None too.
    """
    if general and kind in registry.TEXT and not isinstance(kind, Reversible):
        kind = registry.kinds().get(registry.LINES, kind)
    if not isinstance(kind, Reversible):
        return None
    text = kind.pack(source)
    if text is None or len(text) >= len(source.text) or (worth is not None and not worth(text)):
        return None
    named = _LEGEND.match(text)
    if named is None or named[1] != kind.name:
        return None
    try:
        data = kind.unpack(text)
    except DecodeError:
        return None
    if source.value is not None and kind in registry.JSON:
        return text if compact(data) == compact(source.value) else None
    return text if data == source.text else None


def reader(text: str) -> Reversible | None:
    """Return the kind that the legend in a text's first line names, or None."""
    named = _LEGEND.match(text)
    if named is not None:
        kind: object = registry.kinds().get(named[1])
        if isinstance(kind, Reversible):
            return kind
    return None


def decompress(view: View | str) -> Any:
    """Return the data of a lossless or untouched view: the text, or for JSON the array, object or scalar.

    Of a ``View`` this is certain; one that left something out raises ``DecodeError``. A view's text alone must be of
    a lossless view: it is read by the legend in its first line, and without one it is its own data (an array or
    object where it spells one). So an original that was left untouched and itself starts with such a legend
    (``[[log: ``) comes back from its ``View`` alone.
    """
    if isinstance(view, str):
        kind = reader(view)
        if kind is not None:
            return kind.unpack(view)
        value = parse(view)
        return view if value is None else value
    if not isinstance(view, View):
        raise DecodeError(f"{type(view).__name__} is no view: give a View, or its text")
    if not view.lossless:
        raise DecodeError(
            f"this view of {view.kind} left something out: read the original (get(key, full=True)), redeem its "
            'references with expand, or compress with mode="lossless"'
        )
    if view.transforms:
        kind = reader(view.text)
        if kind is None:
            raise DecodeError(f"there is no kind {view.kind!r} that could read this view")
        return kind.unpack(view.text)
    if view.kind != "json" and view.kind not in {kind.name for kind in registry.JSON}:
        return view.text
    try:
        return json.loads(view.text)
    except (ValueError, RecursionError):
        return view.text
