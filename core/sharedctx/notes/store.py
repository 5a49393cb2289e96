"""SharedContextStore: the notes of one session."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from ..entries.names import NOTES, check_participant
from ..entries.record import Record
from ..errors import Forbidden, InvalidValue, VersionConflict
from ..settings import check_bound
from ..store import Store
from ..store import open as open_store
from ..tokens import TokenCounter
from .mirror import Mirror
from .notebook import Notebook, Wish
from .spelling import QuarterOfCharacters, check_label
from .state import State
from .subscription import Subscription

_log = logging.getLogger("sharedctx.notes")


class SharedContextStore:
    """Notes of a session: short text by key, versioned, shared by every instance and process on the same path.

    ``storage_path``: none keeps the notes in memory; a directory or URL is the store; a path that ends in ``.json`` is
    a readable mirror, kept up to date beside the store. ``archived=True`` opens the session and makes it read-only;
    ``create=False`` raises ``SessionNotFound`` where there is none.
    One value has at most ``max_value_tokens``, all together ``max_store_tokens``, as ``count_tokens`` counts them
    (default: a quarter of the characters). Safe for threads; also a context manager.

    Every method raises ``SessionNotFound`` after the session was deleted.
    """

    def __init__(
        self,
        session_id: str,
        storage_path: str | os.PathLike[str] | None = None,
        *,
        archived: bool = False,
        create: bool = True,
        max_value_tokens: int = 1_000,
        max_store_tokens: int = 10_000,
        count_tokens: TokenCounter | None = None,
        store: Store | None = None,
    ) -> None:
        check_bound("max_value_tokens", max_value_tokens)
        self.participant: str | None = None
        self._own: Store | None = None
        self._mirror = Mirror.at(storage_path) if store is None else None
        if store is None:
            place: str | os.PathLike[str] = "memory://" if storage_path is None else storage_path
            store = self._own = open_store(self._mirror.store if self._mirror else place)
        try:
            self._context = store.session(
                session_id,
                max_store_tokens=max_store_tokens,
                count_tokens=count_tokens or QuarterOfCharacters(),
                scope=NOTES,
                count_originals=True,
            )
            verbs, settings = self._context.verbs, self._context.settings
            self.session_id = self._context.session
            record, state = Record(verbs.space, self.session_id), State(verbs.space, self.session_id)
            own = self._context.run(record.open(create=create))
            self._notes = Notebook(verbs, record, state, own, max_value_tokens, settings.count_tokens)
            if self._mirror is not None:
                if not self._context.run(state.mirrored()):
                    self._take_in(self._mirror)
                self._show()
                self._context.run(state.mirror())
            if archived:
                self.archive()
        except BaseException:
            self.close()
            raise

    def bind(self, participant: str) -> SharedContextStore:
        """Return this store as ``participant``: its writes carry that name, and it sees what it may read."""
        check_participant(participant)
        if self.participant is not None and participant != self.participant:
            raise Forbidden(f"this store speaks for {self.participant!r} and cannot be bound to {participant!r}")
        bound = SharedContextStore.__new__(SharedContextStore)
        bound.__dict__.update(self.__dict__, participant=participant, _own=None)
        return bound

    @property
    def archived(self) -> bool:
        """Whether the notes are read-only."""
        return self._context.run(self._notes.archived())

    def archive(self) -> None:
        """Make the notes read-only, for every face and process; only the owner may."""
        if self.participant is not None:
            raise Forbidden(f"{self.participant!r} may not archive the session: use the unbound store")
        self._context.run(self._notes.archive())
        self._show()

    def list_keys(self, prefix: str = "") -> dict[str, Any]:
        """Return ``{"keys": [metadata], "total_size_tokens": int}`` of the notes that may be read; never values."""
        if not isinstance(prefix, str):
            raise InvalidValue(f"the prefix {prefix!r} is not text")
        return self._context.run(self._notes.listing(self.participant, prefix))

    def read(self, key: str) -> dict[str, Any]:
        """Return a note's metadata with its ``value``; raises ``KeyNotFound``, ``InvalidKey``."""
        return self._context.run(self._notes.read(self.participant, key))

    def read_batch(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return ``{"entries": [as from read], "missing": [keys that are not there]}``."""
        if isinstance(keys, str) or not isinstance(keys, Sequence):
            raise InvalidValue(f"keys {keys!r} is not a list of keys")
        return self._context.run(self._notes.read_batch(self.participant, keys))

    def read_history(self, key: str, limit: int = 20) -> dict[str, Any]:
        """Return ``{"key", "versions": [...]}``, newest first: with values, and deletions as such."""
        return self._context.run(self._notes.history(self.participant, key, limit))

    def write(
        self,
        key: str,
        value: str,
        written_by: str = "unknown",
        *,
        expected_version: int | None = None,
        ttl: float | None = None,
        readable_by: Sequence[str] | None = None,
        writable_by: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Write a note; returns key, version, written_by, written_at, and from 80% of the size limit a ``warning``.

        With ``expected_version`` only while that is the live version (0: none). ``ttl`` is seconds to live. The
        patterns of participants who may read and write it stay as they are where they are not given; at first all may.

        Raises ``SessionArchived``, ``InvalidKey``, ``Forbidden``, ``InvalidValue``, ``ValueTooLarge``,
        ``VersionConflict``, ``BudgetExceeded``.
        """
        who = self._writer(written_by)
        wish = Wish(expected_version, ttl, readable_by, writable_by)
        done = self._context.run(self._notes.write(self.participant, key, value, who, wish))
        _log.info(
            "write session=%s key=%s by=%s version=%d characters=%d",
            *(self.session_id, key, who, done["version"], len(value)),
        )
        self._show()
        return done

    def delete(self, key: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Delete a note and return ``{"deleted", "previous_version"}``; the next write goes on counting."""
        who = self._writer("unknown")
        done = self._context.run(self._notes.delete(self.participant, key, who, expected_version))
        _log.info("delete session=%s key=%s by=%s version=%d", self.session_id, key, who, done["previous_version"] + 1)
        self._show()
        return done

    def _writer(self, written_by: str) -> str:
        if self.participant is None or written_by == "unknown":
            return self.participant or check_participant(written_by)
        return self._context.bind(self.participant).agent(written_by)

    def snapshot(self, label: str) -> dict[str, Any]:
        """Give the notes as they stand a name and return ``{"label", "at", "rev", "versions": {key: version}}``."""
        return self._context.run(self._notes.snapshot(self.participant, check_label(label)))

    def snapshots(self) -> list[dict[str, Any]]:
        """Return all snapshots, in order of their labels."""
        return list(self._context.run(self._notes.snapshots(self.participant)).values())

    def read_snapshot(self, label: str) -> dict[str, Any]:
        """Return ``{"label", "at", "entries": [as from read], "missing": [keys that expired or were erased]}``."""
        return self._context.run(self._notes.read_snapshot(self.participant, check_label(label)))

    def begin(self) -> None:
        """Begin a call of this participant's, which ends with ``stale(ask=False)``."""
        if self.participant is not None:
            self._context.verbs.session.reads.begin(self.participant)

    def stale(self, *, ask: bool = True) -> list[dict[str, Any]]:
        """Return ``[{"key", "read_version", "version", "written_by"}]`` of the notes that changed (version None: are
        gone) since this participant read or wrote them here, each change once; raises ``Forbidden`` if unbound.

        ``ask=False`` tells what had changed when it read or wrote last, and asks where it did neither since ``begin``.
        """
        if self.participant is None:
            raise Forbidden("only a bound store remembers what it read: bind a participant")
        return self._context.run(self._notes.stale(self.participant, ask=ask))

    def subscribe(self, handler: Callable[[dict[str, Any]], None], *, prefix: str = "") -> Subscription:
        """Call ``handler`` with key, version, op and written_by of every change from now on, until it is closed."""
        return Subscription(self._context, self._notes, self.participant, handler, prefix)

    def _take_in(self, mirror: Mirror) -> None:
        found = mirror.load(self.session_id)
        if found is not None:
            for key, value, written_by in found.notes:
                with contextlib.suppress(VersionConflict):  # written meanwhile, here or by another importer
                    self._context.run(self._notes.write(None, key, value, written_by, Wish(expected_version=0)))
            if found.archived:
                self._context.run(self._notes.archive())

    def _show(self) -> None:
        if self._mirror is not None:
            self._mirror.save(lambda: self._context.run(self._notes.mirror(self.session_id)))

    def close(self) -> None:
        """Close the store if this object opened it."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> SharedContextStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
