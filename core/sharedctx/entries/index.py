"""The words of a session's live entries, kept current by the change feed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from ..backends import steps
from ..backends.steps import Steps
from ..entry import Hit
from ..errors import DecodeError, KeyNotFound
from ..forking import renew_after_fork
from ..search import FullText, Passage, passages
from ..views.plain import as_text
from .arguments import check_limit
from .session import Session

_SNIPPET = 160


@dataclass(frozen=True, slots=True)
class _Document:
    version: int
    rev: int
    passages: list[Passage]


class Index:
    """Full-text search over one session; built on the first search, then fed with what changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: FullText | None = None
        self._held: dict[str, _Document] = {}
        self._rev: int | None = None
        self._lock = Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Index anew: a thread of the parent may have been at it."""
        self._lock = Lock()
        self._words = None
        self._held = {}
        self._rev = None

    def search(self, query: str, prefix: str, limit: int, allowed: Callable[[str], bool]) -> Steps[list[Hit]]:
        """Return hits in live entries that ``allowed`` lets through, best first."""
        limit = check_limit(limit)
        yield from self._sync()
        words, held = self._words, self._held
        found: list[Hit] = []
        if words is None:
            return found
        live: dict[str, bool] = {}
        depth = limit * 2
        while True:
            matches = words.search(query, depth, prefix=prefix)
            found = []
            for match in matches:
                document = held.get(match.name)
                if document is None or match.number >= len(document.passages):
                    continue
                if match.name not in live:
                    live[match.name] = allowed(match.name) and (yield from self._is_live(match.name, document.version))
                if live[match.name]:
                    passage = document.passages[match.number]
                    ref = f"v{document.version}:{passage.ref}"
                    found.append(Hit(match.name, document.version, ref, match.score, _snippet(passage.text, query)))
            if len(found) >= limit or len(matches) < depth:
                return found[:limit]
            depth *= 4

    def _is_live(self, key: str, number: int) -> Steps[bool]:
        head = yield from self._session.log.head(key)
        return head is not None and head.number == number

    def _sync(self) -> Steps[None]:
        session = self._session
        rev = yield from steps.rev(session.space)
        if rev == self._rev:
            return
        documents: dict[str, _Document | None] = {}
        for key in (yield from session.changed_keys(self._rev, self._held)):
            documents[key] = yield from self._document(key)
        with self._lock:
            words = self._words = self._words or FullText()
            for key, document in documents.items():
                mine = self._held.get(key)
                if document is None:
                    self._held.pop(key, None)
                    words.drop(key)
                elif mine is None or mine.rev < document.rev:
                    self._held[key] = document
                    words.put(key, [passage.text for passage in document.passages])
            self._rev = rev

    def _document(self, key: str) -> Steps[_Document | None]:
        try:
            head = yield from self._session.log.head(key)
            if head is None:
                return None
            value = yield from self._session.value(head)
        except (DecodeError, KeyNotFound):
            return None
        return _Document(head.number, head.rev, passages(as_text(value)))


def _snippet(text: str, query: str) -> str:
    """About 160 characters around the first word of the query, on one line."""
    words = "|".join(re.escape(word) for word in re.findall(r"[^\W_]+", query))
    found = re.search(words, text, re.IGNORECASE)
    at = max(found.start() - _SNIPPET // 3, 0) if found else 0
    piece = " ".join(text[at : at + _SNIPPET].split())
    return ("…" if at else "") + piece + ("…" if at + _SNIPPET < len(text) else "")
