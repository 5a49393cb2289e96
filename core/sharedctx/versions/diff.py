"""Differences between versions: RFC 6902 patches for JSON, unified diffs for text."""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Sequence
from typing import Any

from ..errors import InvalidValue

_LCS_CELLS = 250_000
_DIFF_LINES = 4000


def diff_json(a: Any, b: Any) -> list[dict[str, Any]]:
    """Return an RFC 6902 patch that turns ``a`` into ``b``; ``[]`` for equal values.

    A patch of more than half of ``b``'s size is one replacement of the whole document. Types count: 1, 1.0 and True
    differ. Raises ``InvalidValue`` for values nested too deeply.
    """
    patch: list[dict[str, Any]] = []
    try:
        _walk(a, b, "", patch)
        if patch and len(_key(patch)) * 2 > len(_key(b)) + 64:
            patch = [{"op": "replace", "path": "", "value": b}]
        return copy.deepcopy(patch)
    except RecursionError:
        raise InvalidValue("the values are nested too deeply to compare: read both versions with full=True") from None


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and _key(a) == _key(b)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _walk(a: Any, b: Any, path: str, patch: list[dict[str, Any]]) -> None:
    if isinstance(a, dict) and isinstance(b, dict):
        for name in a:
            if name not in b:
                patch.append({"op": "remove", "path": f"{path}/{_escape(name)}"})
        for name, value in b.items():
            where = f"{path}/{_escape(name)}"
            if name not in a:
                patch.append({"op": "add", "path": where, "value": value})
            else:
                _walk(a[name], value, where, patch)
    elif isinstance(a, list) and isinstance(b, list):
        _walk_list(a, b, path, patch)
    elif not _same(a, b):
        patch.append({"op": "replace", "path": path, "value": b})


def _walk_list(a: list[Any], b: list[Any], path: str, patch: list[dict[str, Any]]) -> None:
    old, new = [_key(item) for item in a], [_key(item) for item in b]
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    at = i = j = start
    pairs = _common(old[start : len(old) - end], new[start : len(new) - end])
    for x, y in [*pairs, (len(old) - end - start, len(new) - end - start)]:
        while i < x + start and j < y + start:
            _walk(a[i], b[j], f"{path}/{at}", patch)
            i, j, at = i + 1, j + 1, at + 1
        for _ in range(i, x + start):
            patch.append({"op": "remove", "path": f"{path}/{at}"})
        i = x + start
        while j < y + start:
            patch.append({"op": "add", "path": f"{path}/{at}", "value": b[j]})
            j, at = j + 1, at + 1
        i, j, at = i + 1, j + 1, at + 1


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indexes of a longest common subsequence; none when the two are too long to compare."""
    if not old or not new or len(old) * len(new) > _LCS_CELLS:
        return []
    rows = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        row, below = rows[i], rows[i + 1]
        for j in range(len(new) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if old[i] == new[j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def diff_text(a: str, b: str, *, from_label: str, to_label: str, context: int = 3) -> str:
    """Return a unified diff of two texts, divided at ``\\n`` alone; ``""`` for equal ones.

    What differs is looked at closely up to 4,000 lines, between the first and the last difference; beyond, it is
    given as one replacement.
    """
    old, new = _lines(a), _lines(b)
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    if not gone and not come:
        return ""
    if len(gone) + len(come) > _DIFF_LINES:
        inner = [("replace", 0, len(gone), 0, len(come))]
    else:
        inner = list(difflib.SequenceMatcher(None, gone, come).get_opcodes())
    before, after = min(start, context), min(end, context)
    x, y = start + len(gone), start + len(come)
    steps = [
        ("equal", start - before, start, start - before, start),
        *((tag, i + start, j + start, k + start, m + start) for tag, i, j, k, m in inner),
        ("equal", x, x + after, y, y + after),
    ]
    lines = [f"--- {from_label}\n", f"+++ {to_label}\n"]
    for hunk in _hunks(steps, context):
        lines.append(f"@@ -{_range(hunk[0][1], hunk[-1][2])} +{_range(hunk[0][3], hunk[-1][4])} @@\n")
        for tag, i, j, k, m in hunk:
            if tag == "equal":
                lines += [f" {line}" for line in old[i:j]]
            else:
                lines += [f"-{line}" for line in old[i:j]]
                lines += [f"+{line}" for line in new[k:m]]
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


_Step = tuple[str, int, int, int, int]


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _range(first: int, last: int) -> str:
    """A hunk's range; an empty one names the line before it."""
    return f"{first + 1 if last > first else first},{last - first}"


def _hunks(steps: Sequence[_Step], context: int) -> list[list[_Step]]:
    """Divide steps where more than two contexts of equal lines stand between changes."""
    hunks: list[list[_Step]] = [[]]
    for step in steps:
        tag, i, j, k, m = step
        if tag == "equal" and j - i > 2 * context and hunks[-1]:
            hunks[-1].append((tag, i, i + context, k, k + context))
            hunks.append([(tag, j - context, j, m - context, m)])
        else:
            hunks[-1].append(step)
    return hunks
