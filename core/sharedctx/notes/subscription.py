"""A handler called for every change of the notes, from a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from ..context import SharedContext
from ..errors import Compacted, SharedContextError
from .notebook import Notebook

_log = logging.getLogger("sharedctx.notes")
_SLICE = 0.25


class Subscription:
    """Calls a handler with ``{"key", "version", "op": "put" | "delete", "written_by"}``; also a context manager.

    An error of the handler is logged and ends nothing. The thread ends with ``close``, or with the store.
    """

    def __init__(
        self,
        context: SharedContext,
        notes: Notebook,
        participant: str | None,
        handler: Callable[[dict[str, Any]], None],
        prefix: str,
    ) -> None:
        self._context = context
        self._notes = notes
        self._participant = participant
        self._handler = handler
        self._prefix = prefix
        self._closed = threading.Event()
        self._at = context.rev()
        self._thread = threading.Thread(target=self._run, name="sharedctx-notes", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                try:
                    found, self._at = self._context.run(self._notes.follow(self._participant, self._at, self._prefix))
                except Compacted as error:
                    self._at = error.oldest
                    _log.warning("subscription session=%s missed changes: the feed was trimmed", self._context.session)
                    continue
                for event in found:
                    if not self._closed.is_set():
                        self._tell(event)
                if not found:
                    self._context.store.backend.wait(self._context.verbs.space, self._at, _SLICE)
        except SharedContextError as error:
            if not self._closed.is_set():
                _log.warning("subscription session=%s ended: %s", self._context.session, error.message)

    def _tell(self, event: dict[str, Any]) -> None:
        try:
            self._handler(event)
        except Exception:
            _log.exception("a handler failed for session=%s key=%s", self._context.session, event["key"])

    def close(self) -> None:
        """Stop calling the handler; returns when the thread has ended, at once when the handler itself closes."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
