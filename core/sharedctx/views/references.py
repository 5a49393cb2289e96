"""Redeeming references: lines, rows, paths, patterns and words of one version's content."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import InvalidValue
from ..tokens import TokenCounter, counter
from . import json_rows
from .pieces import words
from .router import as_text, parse

_VERSION = re.compile(r"v(\d{1,15}):(.*)", re.DOTALL)
_SPAN = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?")
_STEP = re.compile(r'\.([^\W\d][\w-]*)|\["((?:[^"\\]|\\.)*)"\]|\[(\d{1,12})\]|\[(\d{1,12}):(\d{1,12})\]')
_NESTED = re.compile(r"[*+}]\s*\)\s*[*+{]|\\\d|\(\?[^:]")
_LONGEST_PATTERN = 200
_LONGEST_LINE = 10_000
_FORMS = "lines:12-40, rows:0-9, path:$.a[0], regex:PATTERN, query:WORDS, chars:0-500 or all"


def split_version(ref: str) -> tuple[int | None, str]:
    """Split ``v3:lines:1-2`` into 3 and ``lines:1-2``; the version is None where none is named."""
    found = _VERSION.fullmatch(ref)
    return (int(found[1]), found[2]) if found else (None, ref)


def expand(
    content: Any,
    ref: str,
    *,
    key: str | None = None,
    version: int | None = None,
    max_tokens: int | None = None,
    count: TokenCounter | None = None,
) -> str:
    """Return what ``ref`` names in the content of one version.

    Lines count from 1 and rows from 0, both ends included; characters are a half-open range. What is over
    ``max_tokens`` is cut, with the reference to go on from. Raises ``InvalidValue`` for a reference that fits nothing.
    """
    form, _, rest = ref.partition(":")
    original = as_text(content)
    readers = {"lines": _lines, "rows": _rows, "path": _path, "regex": _regex, "query": _query, "chars": _chars}
    if form == "all" and not rest:
        text: str = original
        start: int | None = 0
    elif form in readers:
        text, start = readers[form](content, original, rest, ref)
    else:
        raise InvalidValue(f"{ref!r} is not a reference: use {_FORMS}")
    count = count or counter()
    if max_tokens is None or count(text) <= max_tokens:
        return text
    keep = max(int(len(text) * max_tokens / max(count(text), 1) * 0.9) - 60, 40)
    head = "" if version is None else f"v{version}:"
    if start is None:
        return f"{text[:keep]}\n[[{len(text) - keep} more characters: narrow {ref!r}, or read it in pieces]]"
    more = f"{head}chars:{start + keep}-{start + len(text)}"
    call = f"expand({json.dumps(key or '', ensure_ascii=False)}, {json.dumps(more)})"
    return f"{text[:keep]}\n[[{len(text) - keep} more characters: {call}]]"


def _span(rest: str, ref: str, first: int, size: int, unit: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(rest)
    if found is None:
        raise InvalidValue(f"{ref!r} names no {unit}: write {unit}:{first}-{max(size - 1 + first, first)}")
    a, b = int(found[1]), int(found[2] or found[1])
    if a > b or a < first or a >= size + first:
        raise InvalidValue(f"{ref!r} is out of range: the value has {unit} {first} to {size - 1 + first}")
    return a - first, min(b - first + 1, size)


def _lines(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    lines = original.split("\n")
    a, b = _span(rest, ref, 1, len(lines), "lines")
    return "\n".join(lines[a:b]), sum(map(len, lines[:a])) + a


def _table(content: Any, original: str, ref: str) -> list[Any]:
    value = parse(original) if isinstance(content, str | bytes) else content
    if not isinstance(value, list):
        raise InvalidValue(f"{ref!r} names rows, and the value is no JSON array: use lines:1-40 or path:$")
    return value


def _rows(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    rows = _table(content, original, ref)
    a, b = _span(rest, ref, 0, len(rows), "rows")
    return "\n".join(json_rows.compact(row) for row in rows[a:b]), None


def _path(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    value = parse(original) if isinstance(content, str | bytes) else content
    at = 1
    if not rest.startswith("$") or (isinstance(content, str | bytes) and value is None):
        raise InvalidValue(f'{ref!r} is no path into a JSON value: write path:$.name[0]["other name"][2:5]')
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise InvalidValue(f'{ref!r} does not parse at {rest[at : at + 20]!r}: use .name, ["name"], [0] or [2:5]')
        try:
            if step[3] is not None:
                value = _inner(value, list)[int(step[3])]
            elif step[4] is not None:
                value = _inner(value, list)[int(step[4]) : int(step[5])]
            else:
                name = step[1] if step[1] is not None else json.loads(f'"{step[2]}"')
                value = _inner(value, dict)[name]
        except (KeyError, IndexError, ValueError):
            raise InvalidValue(f"{ref!r} ends at {rest[:at]!r}, where there is {_inside(value)}") from None
        at = step.end()
    return (value if isinstance(value, str) else json_rows.compact(value)), None


def _inner(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise KeyError(kind)
    return value


def _inside(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with the names {', '.join(list(value)[:20]) or 'none'}"
    return f"an array of {len(value)}" if isinstance(value, list) else f"a {type(value).__name__}"


def _regex(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    if len(rest) > _LONGEST_PATTERN or _NESTED.search(rest):
        raise InvalidValue(f"{ref!r} is too long, or repeats a repeated group: write a simpler pattern, or use query:")
    try:
        pattern = re.compile(rest)
    except re.error as error:
        raise InvalidValue(f"{ref!r} is no regular expression ({error}): escape its marks, or use query:") from None
    found = [
        f"{number}: {line}"
        for number, line in enumerate(original.split("\n"), 1)
        if pattern.search(line[:_LONGEST_LINE])
    ]
    return "\n".join(found) or f"no line matches {rest!r}", None


def _query(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    wanted = words(rest)
    if not wanted:
        raise InvalidValue(f"{ref!r} has no words: write query:connection refused")
    value = parse(original) if isinstance(content, str | bytes) else content
    rows = isinstance(value, list)
    units = [json_rows.compact(row) for row in value] if rows else original.split("\n")
    lows = [unit.lower() for unit in units]
    rarity = {word: 1 + sum(word in low for low in lows) for word in wanted}
    scores = [sum(1 / rarity[word] for word in wanted if word in low) for low in lows]
    best = sorted((index for index, found in enumerate(scores) if found), key=lambda index: (-scores[index], index))
    if not best:
        return f"nothing has {' or '.join(wanted)}", None
    return "\n".join(f"{index + (not rows)}: {units[index]}" for index in best[:20]), None


def _chars(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    found = _SPAN.fullmatch(rest)
    if found is None or found[2] is None or not int(found[1]) < int(found[2]) or int(found[1]) >= len(original):
        raise InvalidValue(f"{ref!r} is out of range: the value has characters 0-{len(original)}")
    return original[int(found[1]) : int(found[2])], int(found[1])
