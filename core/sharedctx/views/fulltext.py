"""Full-text search in one value: its lines, rows or windows of long lines, the best first."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

from .pieces import fold, words
from .plain import compact
from .sections import sections, windows

LONG = 1000
"""A line or row of more characters than this is searched in windows."""
_TERMS = 64
_PART = 0.01
"""What a word counts that is found inside another."""
_WORDS = re.compile(r"\w+")


class Unit(NamedTuple):
    """A piece that a search finds: its number, span or path, and its text."""

    label: str
    text: str

    @property
    def searched(self) -> str:
        """The text, and before it the names on the path to it."""
        return f"{self.label} {self.text}" if self.label.startswith("$") else self.text


def divide(text: str, value: Any) -> list[Unit]:
    """Cut a value into what a search may find.

    Of an array its rows, counted from 0, of a text its lines, from 1, by their numbers; of an object, and of a row
    that is long, the smallest objects in it by their paths (``$.spec.ports``), which ``path:`` redeems; of a long line
    windows that overlap (``chars 500-1000``), which ``chars:500-1000`` redeems. Lines without text are left out.
    """
    if isinstance(value, dict):
        return [Unit(path, piece) for path, piece in sections(value, "$")]
    if isinstance(value, list):
        units = []
        for number, row in enumerate(value):
            piece = compact(row)
            if len(piece) <= LONG:
                units.append(Unit(str(number), piece))
            else:
                units += [Unit(path, part) for path, part in sections(row, f"$[{number}]")]
        return units
    units = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONG:
            units += [Unit(f"chars {at + a}-{at + b}", line[a:b]) for a, b in windows(line)]
        elif line and not line.isspace():
            units.append(Unit(str(number), line))
        at += len(line) + 1
    return units


def search(units: Sequence[Unit], query: str, limit: int = 20) -> list[int]:
    """Return the indexes of the units that have words of the query, the best first.

    By SQLite's FTS5 (bm25, words in any case and with or without accents; a word with signs in it, as an address or
    a path, counts most as a whole), or where that is missing or finds nothing by the rarity of the words, which may
    then be parts of words.
    """
    return _ranked(units, query, limit) or _scanned(units, words(query), limit)


def _ranked(units: Sequence[Unit], query: str, limit: int) -> list[int]:
    whole = [
        term
        for term in (term.strip("\"'`\u201c\u201d\u2018\u2019.,;!?()") for term in query.split())
        if _WORDS.search(term)
    ]
    terms = list(dict.fromkeys([*whole, *words(query)]))[:_TERMS]
    match = " OR ".join('"{}"'.format(term.replace('"', " ").replace("\0", " ")) for term in terms)
    try:
        with closing(sqlite3.connect(":memory:")) as base:
            base.execute("CREATE VIRTUAL TABLE unit USING fts5(text, content='', tokenize='unicode61')")
            rows = ((index, _sound(unit.searched)) for index, unit in enumerate(units))
            base.executemany("INSERT INTO unit(rowid, text) VALUES (?, ?)", rows)
            found = base.execute(
                "SELECT rowid FROM unit WHERE unit MATCH ? ORDER BY rank, rowid LIMIT ?", (_sound(match), limit)
            )
            return [row[0] for row in found]
    except sqlite3.OperationalError:  # no FTS5 in this SQLite
        return []


def _sound(text: str) -> str:
    """The text without halves of surrogate pairs, which SQLite does not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _scanned(units: Sequence[Unit], wanted: Sequence[str], limit: int) -> list[int]:
    lows = [fold(unit.searched) for unit in units]
    rarity = {word: 1 + sum(word in low for low in lows) for word in wanted}
    ranks = []
    for index, low in enumerate(lows):
        present = [word for word in wanted if word in low]
        if present:
            whole = set(_WORDS.findall(low))
            ranks.append((-sum((1 if word in whole else _PART) / rarity[word] for word in present), index))
    return [index for _, index in sorted(ranks)[:limit]]
