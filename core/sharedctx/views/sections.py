"""A JSON value cut into the smallest objects and stretches of arrays that are worth reading, each with its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .columns.outline import step
from .plain import compact
from .text import word_end, word_start

_WHOLE, _GROUP, _STRETCH = 700, 500, 300
"""Characters: an object up to this is one section; members of a larger one, elements of an array are told together."""
_WINDOW, _OVERLAP = 500, 100
_LONGEST_PATH = 400


def sections(value: Any, path: str) -> list[tuple[str, str]]:
    """Return paths and texts that together hold all of a value; no value stands in two of them.

    A path is as ``path:`` takes it. Where it names an object that has more members than the section, ``…`` ends the
    section. Linear: what lies so deep that its path would be long is cut into windows.
    """
    found: list[tuple[str, str]] = []
    whole = _cut(value, path, found)
    return found if whole is None else [(path, whole)]


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the windows of a long text start and end: they overlap, and no word is cut."""
    start = 0
    while start < len(text):
        end = word_end(text, min(start + _WINDOW, len(text)))
        yield start, end
        if end >= len(text):
            return
        start = max(word_start(text, end - _OVERLAP), start + 1)


def _cut(value: Any, path: str, found: list[tuple[str, str]]) -> str | None:
    """The text of a small value; None for one that is large, whose sections are then added to ``found``."""
    if not isinstance(value, dict | list) or len(path) > _LONGEST_PATH:
        text = compact(value)
        if len(text) <= _WHOLE:
            return text
        shown = value if isinstance(value, str) else text
        found += [(path, shown[a:b]) for a, b in windows(shown)]
        return None
    inner: list[tuple[str, str]] = []
    if isinstance(value, list):
        elements = [_cut(each, f"{path}[{index}]", inner) for index, each in enumerate(value)]
        whole = _whole("[", [each for each in elements if each is not None], "]", inner)
        if whole is None:
            found += _stretches(elements, path)
    else:
        pieces = ((str(name), _cut(each, path + step(str(name)), inner)) for name, each in value.items())
        small = [(name, text) for name, text in pieces if text is not None]
        members = [f"{json.dumps(name, ensure_ascii=False)}:{text}" for name, text in small]
        whole = _whole("{", members, "}", inner)
        if whole is None:
            for a, b in _runs(members, _GROUP):
                alone = path + step(small[a][0]), small[a][1]
                found.append(alone if b - a == 1 else (path, "{" + ",".join(members[a:b]) + ",…}"))
    found += inner
    return whole


def _whole(opening: str, parts: list[str], closing: str, inner: list[tuple[str, str]]) -> str | None:
    if inner or sum(map(len, parts)) + len(parts) > _WHOLE:
        return None
    return opening + ",".join(parts) + closing


def _stretches(elements: list[str | None], path: str) -> Iterator[tuple[str, str]]:
    """The small elements of a large array, short ones together; large ones, None, have sections of their own."""
    start = 0
    for index, each in enumerate([*elements, None]):
        if each is None:
            small = [text for text in elements[start:index] if text is not None]
            for a, b in _runs(small, _STRETCH):
                if b - a == 1:
                    yield f"{path}[{start + a}]", small[a]
                else:
                    yield f"{path}[{start + a}:{start + b}]", "[" + ",".join(small[a:b]) + "]"
            start = index + 1


def _runs(texts: list[str], most: int) -> Iterator[tuple[int, int]]:
    """Yield starts and ends of runs of texts that have at most so many characters, or are one text."""
    start = size = 0
    for index, text in enumerate(texts):
        if index > start and size + len(text) > most:
            yield start, index
            start, size = index, 0
        size += len(text)
    if start < len(texts):
        yield start, len(texts)
