"""Redeeming references: lines, rows, paths, patterns and words of one version's content."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from ..errors import InvalidValue
from ..tokens import TokenCounter, counting
from .arguments import check_place, check_tokens
from .fulltext import LONG, divide, search
from .originals import lines_as_values, value_of
from .pieces import words
from .plain import as_text, compact
from .spelling import FORMS, STEP, read_reference
from .text import word_end, word_start

_SPAN = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?", re.ASCII)
_REFUSED = re.compile(r"\\[1-9]|\(\?[^:]")
_GROUP = re.compile(r"\(([^()]*)\)")
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_OPEN_ENDED = re.compile(r"[*+]|\{\d*,\d*\}")
_LONGEST_PATTERN = 200
_OPTIONAL = re.compile(r"(?<![*+?}])\?")
_REACH = (10_000, 2_000, 500, 200)
"""Characters of a line searched at once, by how many repeats a pattern has: each multiplies the worst case."""
_WINDOWS = (400, 100, 10, 1)
"""How many such windows of a line are searched."""
_BRANCHES = (256, 64, 16, 2)
"""In how many ways a pattern's groups may branch, by its repeats: each way may be tried at every place."""
_LATER = re.compile(r"from:(\d{1,15}):(.*)", re.DOTALL | re.ASCII)
_FOUND = 20
_SECONDS = 5
_AROUND = 250


def split_version(ref: str) -> tuple[int | None, str]:
    """Split ``v3:lines:1-2`` into 3 and ``lines:1-2``; the version is None where none is named.

    A reference may be retyped loosely or pasted with its marker; the key of a pasted one stays with it, so that
    ``expand`` can tell whose it is.
    """
    meant = read_reference(ref)
    if meant.key is None:
        return meant.version, meant.ref
    return meant.version, f"expand({json.dumps(meant.key)}, {json.dumps(meant.ref)})"


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

    Lines count from 1 and rows from 0, both ends included; characters are a half-open range. ``query:`` finds the
    lines, rows or windows of long lines that have its words, the best first. What is over ``max_tokens`` is cut,
    with the reference to go on from: ``chars:`` of the original, or ``from:N:`` before a reference whose first N
    characters were read. A reference may be retyped loosely (``Lines 12 - 40``, in quotes, as its whole marker).
    Raises ``InvalidValue`` for one that fits nothing, or that was made for another ``key`` or ``version``, and
    ``ConfigError`` for a ``count`` that is no counter.
    """
    if not isinstance(ref, str):
        raise InvalidValue(f"the reference {ref!r} is no text: use {FORMS}")
    check_tokens(max_tokens, "a page needs room for its reference")
    check_place(key, version)
    count = counting(count)
    meant = read_reference(ref)
    ref = meant.ref
    if key is not None and meant.key not in (None, key):
        raise InvalidValue(f"the reference {ref!r} belongs to the key {meant.key!r}, not to {key!r}: expand that key")
    if version is not None and meant.version not in (None, version):
        raise InvalidValue(f"the reference {ref!r} belongs to version {meant.version}: this is version {version}")
    later = _LATER.fullmatch(ref)
    skip, inner = (int(later[1]), later[2]) if later else (0, ref)
    text, start = _redeem(content, inner)
    if skip and skip >= len(text):
        raise InvalidValue(f"{ref!r} is out of range: {inner!r} gives {len(text)} characters")
    text = text[skip:]
    if max_tokens is None:
        return text
    whole = count(text)
    if whole <= max_tokens:
        return text
    head = "" if version is None else f"v{version}:"

    def page(keep: int) -> str:
        at = skip + keep
        more = f"from:{at}:{inner}" if start is None else f"chars:{start + at}-{start + skip + len(text)}"
        call = json.dumps(head + more, ensure_ascii=False)
        if key is not None:
            call = f"expand({json.dumps(key, ensure_ascii=False)}, {call})"
        return f"{text[:keep]}\n[[{len(text) - keep} more characters: {call}]]"

    keep = min(max(int(len(text) * max_tokens / whole), 1), len(text) - 1)
    while keep > 1 and count(page(keep)) > max_tokens:
        keep = keep * 4 // 5
    return page(keep)


def _redeem(content: Any, ref: str) -> tuple[str, int | None]:
    """The text that a reference names, and where it starts in the original if it is a piece of it."""
    form, _, rest = ref.partition(":")
    original = as_text(content)
    readers = {"lines": _lines, "rows": _rows, "path": _path, "regex": _regex, "query": _query, "chars": _chars}
    if form == "all" and not rest:
        return original, 0
    if form not in readers:
        raise InvalidValue(f"{ref!r} is not a reference: use {FORMS}")
    return readers[form](content, original, rest, ref)


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
    value = value_of(content, original)
    if not isinstance(value, list):
        raise InvalidValue(f"{ref!r} names rows, and the value is no JSON array: use lines:1-40 or path:$")
    return value


def _rows(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    rows = _table(content, original, ref)
    a, b = _span(rest, ref, 0, len(rows), "rows")
    return "\n".join(compact(row) for row in rows[a:b]), None


def _path(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    value = value_of(content, original)
    at = 1
    if value is None and isinstance(content, str | bytes):
        value = lines_as_values(original)
    if not rest.startswith("$"):
        raise InvalidValue(f'{ref!r} is no path into a JSON value: write path:$.name[0]["other name"][2:5]')
    while at < len(rest):
        step = STEP.match(rest, at)
        if step is None:
            raise InvalidValue(f'{ref!r} does not parse at {rest[at : at + 20]!r}: use .name, ["name"], [0] or [2:5]')
        try:
            if step[3] is not None:
                value = _inner(value, list)[int(step[3])]
            elif step[4] is not None:
                value = _inner(value, list)[int(step[4]) : int(step[5])]
            elif step[2] is not None:
                value = _inner(value, dict)[json.loads(f'"{step[2]}"')]
            else:
                value = _inner(value, dict)[
                    next(name for name in (step[1], step[6], step[7], step[8]) if name is not None)
                ]
        except (KeyError, IndexError, ValueError):
            raise InvalidValue(f"{ref!r} ends at {rest[:at]!r}, where there is {_inside(value)}") from None
        at = step.end()
    return (value if isinstance(value, str) else compact(value)), None


def _inner(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise KeyError(kind)
    return value


def _inside(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with the names {', '.join(list(value)[:20]) or 'none'}"
    return f"an array of {len(value)}" if isinstance(value, list) else f"a {type(value).__name__}"


def _regex(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    plain = _ESCAPED.sub("x", rest)
    repeats, optional = len(_OPEN_ENDED.findall(plain)), len(_OPTIONAL.findall(plain))
    if (
        len(rest) > _LONGEST_PATTERN
        or _REFUSED.search(rest)
        or _nests(plain.replace("(?:", "("))
        or repeats + optional // 2 >= len(_REACH)
        or _branches(plain.replace("(?:", "(")) * 2**optional > _BRANCHES[repeats]
    ):
        raise InvalidValue(f"{ref!r} is too long or repeats too much: write a simpler pattern, or use query:")
    try:
        pattern = re.compile(rest)
    except re.error as error:
        raise InvalidValue(f"{ref!r} is no regular expression ({error}): escape its marks, or use query:") from None
    reach, windows = _REACH[repeats], _WINDOWS[repeats]
    rows = isinstance(content, list)
    lines = [compact(row) for row in content] if rows else original.split("\n")
    found = []
    until = time.monotonic() + _SECONDS
    for number, line in enumerate(lines, int(not rows)):
        try:
            at = _first(pattern, line, reach, windows, until)
        except TimeoutError:
            found.append(f"(stopped at {number} after {_SECONDS} s: write a simpler pattern, or use query:)")
            break
        if at is not None and len(line) <= LONG:
            found.append(f"{number}: {line}")
        elif at is not None:
            a, b = word_start(line, max(at - _AROUND, 0)), word_end(line, min(at + _AROUND, len(line)))
            found.append(f"{number}, at {a}: {line[a : max(b, at + 1)]}")
    reached = reach + (windows - 1) * (reach // 2)
    if any(len(line) > reached for line in lines):
        found.append(f"(only the first {reached} characters of each {'row' if rows else 'line'} were searched)")
    return "\n".join(found) or f"no {'row' if rows else 'line'} matches {rest!r}", None


def _nests(plain: str) -> bool:
    """Whether a group that repeats or branches inside is itself repeated: its worst case is exponential."""
    while (group := _GROUP.search(plain)) is not None:
        marked = any(mark in group[1] for mark in "*+?{|")
        if marked and plain[group.end() : group.end() + 1] in tuple("*+{"):
            return True
        plain = plain[: group.start()] + ("x?" if marked else "x") + plain[group.end() :]
    return False


def _branches(plain: str) -> int:
    """In how many ways the groups of a pattern branch together."""
    ways = 1
    while (group := _GROUP.search(plain)) is not None:
        ways *= group[1].count("|") + 1
        plain = f"{plain[: group.start()]}x{plain[group.end() :]}"
    return ways


def _first(pattern: re.Pattern[str], line: str, reach: int, windows: int, until: float) -> int | None:
    """Where the pattern first matches, looking at so many windows that overlap by half.

    Raises ``TimeoutError`` when the clock has passed ``until``, which one window alone cannot by much.
    """
    for start in range(0, windows * (reach // 2), reach // 2):
        if time.monotonic() > until:
            raise TimeoutError
        match = pattern.search(line, start, start + reach)
        if match is not None and (match.end() < start + reach or start + reach >= len(line)):
            return match.start()
        if start + reach >= len(line):
            return None
    return None


def _query(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    wanted = words(rest)
    if not wanted:
        raise InvalidValue(f"{ref!r} has no words: write query:connection refused")
    units = divide(original, value_of(content, original))
    best = search(units, rest, _FOUND)
    return "\n".join(f"{units[index].label}: {units[index].text}" for index in best) or (
        f"nothing has {' or '.join(wanted)}"
    ), None


def _chars(content: Any, original: str, rest: str, ref: str) -> tuple[str, int | None]:
    found = _SPAN.fullmatch(rest)
    if found is None or found[2] is None or not int(found[1]) < int(found[2]) or int(found[1]) >= len(original):
        raise InvalidValue(f"{ref!r} is out of range: the value has characters 0-{len(original)}")
    return original[int(found[1]) : int(found[2])], int(found[1])
