"""Sessions of notes in one directory: create, get, archive, delete, list."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from ..entries.names import check_session
from ..entries.record import Record
from ..errors import SessionNotFound
from ..store import Store
from ..store import open as open_store
from .store import SharedContextStore


class SessionManager:
    """The sessions of notes in a directory or at a URL; a context manager. Keywords are those of their stores.

    A session's life: created, archived (read-only), deleted.
    """

    def __init__(
        self, directory: str | os.PathLike[str] | None = None, *, store: Store | None = None, **options: Any
    ) -> None:
        self._opened = store is None
        self._store = open_store(directory) if store is None else store
        self._options = options

    def create_session(self, session_id: str) -> SharedContextStore:
        """Make a session; raises ``SessionExists`` (a ``ValueError``) and ``ConfigError`` for a bad id."""
        context = self._store.session(check_session(session_id))
        context.run(Record(context.verbs.space, session_id).create())
        return self.get(session_id)

    def get(self, session_id: str) -> SharedContextStore:
        """Return the store of a session; raises ``SessionNotFound``."""
        return SharedContextStore(session_id, store=self._store, create=False, **self._options)

    def archive(self, session_id: str) -> None:
        """Make a session's notes read-only; raises ``SessionNotFound``."""
        self.get(session_id).archive()

    def delete(self, session_id: str) -> None:
        """Remove a session, archived or not, with its history and everything else in it; raises ``SessionNotFound``."""
        self.get(session_id)
        self._store.delete_session(session_id)

    def list_sessions(self) -> list[dict[str, Any]]:
        """Return ``session_id``, ``archived``, ``key_count`` and ``total_size_tokens`` of each, in order of ids."""
        found = []
        for session_id in self._store.sessions():
            try:
                notes = self.get(session_id)
                listed = notes.list_keys()
                archived = notes.archived
            except SessionNotFound:
                continue
            found.append(
                {
                    "session_id": session_id,
                    "archived": archived,
                    "key_count": len(listed["keys"]),
                    "total_size_tokens": listed["total_size_tokens"],
                }
            )
        return found

    def close(self) -> None:
        """Close the store if this object opened it."""
        if self._opened:
            self._store.close()

    def __enter__(self) -> SessionManager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
