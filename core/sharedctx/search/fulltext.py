"""A full-text index in memory: documents of numbered passages, found by their words."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BackendUnavailable, InvalidValue

_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 32


@dataclass(frozen=True, slots=True)
class Match:
    """One passage that fits: its document, its number there, and a score that is higher for a better fit."""

    name: str
    number: int
    score: float


class FullText:
    """Documents by name, each a sequence of passages; ranked by BM25 (SQLite FTS5). Safe for threads.

    Words are compared without case and accents; ``_`` and all marks part words, so ``read_row`` is found by ``row``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[int, int]] = {}
        self._next = 1
        self._con = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            self._con.execute("CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = \"unicode61 separators '_'\")")
            self._con.execute(
                "CREATE TABLE places (row INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL)"
            )
        except sqlite3.OperationalError as error:
            raise BackendUnavailable(
                f"this Python's SQLite has no full-text search ({error}): use another build"
            ) from None

    def put(self, name: str, passages: Sequence[str]) -> None:
        """Index a document anew."""
        with self._lock, self._con:
            self._con.execute("BEGIN")
            self._drop(name)
            first = self._next
            self._next += len(passages)
            self._rows[name] = (first, self._next)
            texts = (text.encode("utf-8", "replace").decode() for text in passages)
            self._con.executemany("INSERT INTO passages(rowid, text) VALUES (?, ?)", enumerate(texts, first))
            self._con.executemany(
                "INSERT INTO places VALUES (?, ?, ?)", ((first + at, name, at) for at in range(len(passages)))
            )

    def drop(self, name: str) -> None:
        """Forget a document; one that is not there is no error."""
        with self._lock, self._con:
            self._con.execute("BEGIN")
            self._drop(name)

    def _drop(self, name: str) -> None:
        if (held := self._rows.pop(name, None)) is not None:
            self._con.execute("DELETE FROM passages WHERE rowid >= ? AND rowid < ?", held)
            self._con.execute("DELETE FROM places WHERE row >= ? AND row < ?", held)

    def search(self, query: str, limit: int = 10, *, prefix: str = "") -> list[Match]:
        """Return the passages with any of the query's words, best first; of documents that start with ``prefix``.

        Words that are joined by marks (``read_row``, ``10.0.0.7``) must stand together. Raises ``InvalidValue`` for a
        query without a word.
        """
        wanted = phrases(query)
        if not wanted:
            raise InvalidValue(f"the query {query!r} has no words: name what you look for")
        with self._lock:
            rows = self._con.execute(
                "SELECT name, number, bm25(passages) FROM passages JOIN places ON row = passages.rowid"
                " WHERE passages MATCH ? AND substr(name, 1, ?) = ? ORDER BY bm25(passages), row LIMIT ?",
                (" OR ".join(wanted), len(prefix), prefix, limit),
            ).fetchall()
        return [Match(name, number, -rank) for name, number, rank in rows]


def phrases(query: str) -> list[str]:
    """The query as FTS5 phrases, each once."""
    found = (" ".join(_WORD.findall(part)) for part in query.split())
    return [f'"{phrase}"' for phrase in dict.fromkeys(found) if phrase][:_MOST_WORDS]
