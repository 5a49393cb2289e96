"""The making of sessions: each has an id of its own, so that objects from before a deletion are told."""

from __future__ import annotations

import os

from ..backends import steps
from ..backends.base import ABSENT, PRESENT, Check, Drop, Put
from ..backends.steps import Steps
from ..errors import BackendUnavailable, ConditionFailed, SessionExists, SessionNotFound
from ..versions.collection import Collection
from .names import RESERVED

PK = RESERVED + "record"
_RECORD = "session"
_PATIENCE = 60.0
"""Seconds after which a deletion counts as given up, and whoever makes the session again finishes it."""


class Record:
    """The making of one session, as steps over its space."""

    def __init__(self, space: str, session: str) -> None:
        self._space = space
        self._session = session
        self._kept = Collection(space, PK)

    def create(self) -> Steps[str]:
        """Make the session and return its own id.

        Raises ``SessionExists``, and ``BackendUnavailable`` while another process is deleting it.
        """
        while True:
            own = os.urandom(16).hex()
            now = yield from steps.now()
            record = {"id": own, "created_at": now}
            puts = (self._kept.put(_RECORD, record, when=ABSENT), Put(PK, b"", sk=_own(own)))
            try:
                yield from steps.commit(self._space, puts)
                return own
            except ConditionFailed:
                found = yield from self._kept.get(_RECORD)
            if found is None:
                continue
            if "deleting" not in found:
                raise SessionExists(f"the session {self._session!r} already exists: get it, or take another id")
            if now - found["deleting"] < _PATIENCE:
                raise BackendUnavailable(f"the session {self._session!r} is being deleted: try again in a minute")
            yield from steps.reclaim(self._space)

    def find(self) -> Steps[str | None]:
        """Return the own id of the session as it stands, or None where there is none or it is being deleted."""
        found = yield from self._kept.get(_RECORD)
        return None if found is None else found.get("id")

    def open(self, *, create: bool) -> Steps[str]:
        """Return the session's own id, made if need be; raises ``SessionNotFound`` where it is not to be made."""
        while (own := (yield from self.find())) is None:
            if not create:
                raise SessionNotFound(
                    f"there is no session {self._session!r}: create it, or list_sessions tells what there is"
                )
            try:
                return (yield from self.create())
            except SessionExists:
                continue
        return own

    def condition(self, own: str) -> Check:
        """Return the condition that the session is still the one with this id."""
        return Check(PK, PRESENT, _own(own))

    def require(self, own: str) -> Steps[None]:
        """Raise ``SessionNotFound`` unless the session is still the one with this id."""
        if not (yield from self._kept.has(_own(own))):
            raise self.gone()

    def gone(self) -> SessionNotFound:
        """The error for objects from before a deletion."""
        return SessionNotFound(
            f"the session {self._session!r} was deleted since this store was opened: open or create it again"
        )

    def condemn(self) -> Steps[None]:
        """Begin the deletion: from now on nothing is written to the session by those who opened it."""
        own = yield from self.find()
        if own is not None:
            deleting = {"deleting": (yield from steps.now())}
            yield from steps.commit(self._space, (Drop(PK, _own(own)), self._kept.put(_RECORD, deleting)))


def _own(own: str) -> str:
    return f"{_RECORD}/{own}"
