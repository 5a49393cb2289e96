"""What entries have in common is written once: runs of lines that stood before are named instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .selection import Part

_LEAST = 120
"""Characters from which a run of lines that stood before is not written again."""
_PLACES = 4
"""How many places of the same line are looked at."""

_Place = tuple[str, list[str], int]


def factored(parts: Iterable[Part]) -> list[Part]:
    """Return the parts in order, with what stood in an earlier one (whole lines, 120 characters or more) replaced by a
    line that says where it stands and how it begins."""
    known: dict[str, list[_Place]] = {}
    found = []
    for part in parts:
        lines = _shortened(part.text.split("\n"), known)
        found.append(replace(part, text="\n".join(lines)))
        for at, line in enumerate(lines):
            places = known.setdefault(line, [])
            if line.strip() and len(places) < _PLACES:
                places.append((part.key, lines, at))
    return found


def _shortened(lines: list[str], known: dict[str, list[_Place]]) -> list[str]:
    made: list[str] = []
    at = 0
    while at < len(lines):
        key, run = _longest(lines, at, known)
        if run and sum(len(line) + 1 for line in lines[at : at + run]) > _LEAST:
            start = " ".join(lines[at][:60].split())
            count = f"{run} lines " if run > 1 else ""
            made.append(f"[[{count}as in {key} above: {start}...]]")
            at += run
        else:
            made.append(lines[at])
            at += 1
    return made


def _longest(lines: list[str], at: int, known: dict[str, list[_Place]]) -> tuple[str, int]:
    """The earlier part in which most lines from here on stand together, and how many they are."""
    best, longest = "", 0
    for key, others, place in known.get(lines[at], ()):
        run = 0
        while at + run < len(lines) and place + run < len(others) and lines[at + run] == others[place + run]:
            run += 1
        while run and not lines[at + run - 1].strip():
            run -= 1
        if run > longest:
            best, longest = key, run
    return best, longest
