"""The long lines of ``ls -l``: what many lines start with is a letter, and a date like the one above is ``^``."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

from ...errors import DecodeError

_DATE = r"(?:[A-Z][a-z]{2} [ \d]\d (?: \d{4}|\d\d:\d\d)|\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d[.\d]{0,10} [+-]\d{4})?)"
_LONG = re.compile(
    r"([bcdlps-][rwxsStT-]{9}[.+@]?[ ]{1,9}\d{1,9}[ ]{1,9}[^\s]{1,40}[ ]{1,9}[^\s]{1,40})([ ]{1,20}\d{1,18})[ ]"
    rf"({_DATE})[ ]"
)
_FOLDED = re.compile(rf"([A-Z])([ ]{{1,20}}\d{{1,18}})[ ](\^|{_DATE})[ ]")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def known(lines: Sequence[str]) -> int:
    """How many of the lines are long ones of ``ls``."""
    return sum(map(bool, map(_LONG.match, lines)))


def fold(lines: Sequence[str], dates: bool = True) -> tuple[dict[str, str], list[str]]:
    """Return what the letters stand for, and one row for each line; without ``dates`` each row has its own date."""
    parsed = [_LONG.match(line) for line in lines]
    common = Counter(found[1] for found in parsed if found).most_common(len(_LETTERS))
    letters = {head: letter for (head, times), letter in zip(common, _LETTERS, strict=False) if times > 1}
    rows: list[str] = []
    above = ""
    for line, found in zip(lines, parsed, strict=True):
        if found and found[1] in letters:
            date = "^" if dates and found[3] == above else found[3]
            rows.append(f"{letters[found[1]]}{found[2]} {date} {line[found.end() :]}")
            above = found[3]
        else:
            rows.append(f"= {line}" if line.startswith("= ") or _FOLDED.match(line) else line)
    return {letter: head for head, letter in letters.items()}, rows


def unfold(heads: object, rows: Sequence[str]) -> list[str]:
    """Return the lines of folded rows; raises ``DecodeError``."""
    if not isinstance(heads, dict):
        raise DecodeError("the legend of a listing does not say what its letters stand for")
    lines: list[str] = []
    above = ""
    for row in rows:
        found = _FOLDED.match(row)
        if found is None:
            lines.append(row.removeprefix("= "))
            continue
        above = above if found[3] == "^" else found[3]
        if found[1] not in heads or not above:
            raise DecodeError(f"{row[:60]!r} is no row of a listing: its letter or its date stands nowhere")
        lines.append(f"{heads[found[1]]}{found[2]} {above} {row[found.end() :]}")
    return lines


def spelled(heads: dict[str, str]) -> str:
    """The letters as they stand in a legend."""
    return json.dumps(heads, ensure_ascii=False)
