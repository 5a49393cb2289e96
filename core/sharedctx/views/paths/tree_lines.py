"""The drawings of ``tree``: a space for each level in place of the branches."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import DecodeError

STYLES = {
    "tree": ("├── ", "└── ", "│   ", "    "),
    "tree with hard spaces": ("├── ", "└── ", "│\u00a0\u00a0 ", "    "),
    "tree in ASCII": ("|-- ", "`-- ", "|   ", "    "),
}
_DRAWN = re.compile(r"((?:(?:[│|](?:   |\u00a0\u00a0 )|    )){0,60})(?:[├└]── |[|`]-- )")
_DEEPEST = 61


def known(lines: Sequence[str]) -> int:
    """How many of the lines are drawn as branches."""
    return sum(map(bool, map(_DRAWN.match, lines)))


def fold(lines: Sequence[str]) -> list[str]:
    """One row for each line: a space for each level, then the name."""
    rows: list[str] = []
    for line in lines:
        found = _DRAWN.match(line)
        if found:
            rows.append(" " * (len(found[1]) // 4 + 1) + line[found.end() :])
        else:
            rows.append(f"= {line}" if line.startswith((" ", "= ")) else line)
    return rows


def unfold(style: str, rows: Sequence[str]) -> list[str]:
    """Draw the branches again; raises ``DecodeError``."""
    if style not in STYLES:
        raise DecodeError(f"{style!r} is no style of trees")
    branch, last, rail, gap = STYLES[style]
    lines: list[str] = []
    follows: list[bool] = []  # whether a sibling comes later, by level
    for row in reversed(rows):
        depth = len(row) - len(row.lstrip(" "))
        if not depth:
            lines.append(row.removeprefix("= "))
            follows.clear()
            continue
        if depth > _DEEPEST:
            raise DecodeError(f"{row.strip()[:60]!r} stands too deep for a tree")
        del follows[depth:]
        follows += [False] * (depth - len(follows))
        rails = "".join(rail if more else gap for more in follows[:-1])
        lines.append(f"{rails}{branch if follows[-1] else last}{row[depth:]}")
        follows[-1] = True
    return lines[::-1]
