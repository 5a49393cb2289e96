"""What a session of notes keeps beside its notes: that it exists, that it is archived, who may do what, snapshots."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from ..access import matches
from ..backends import steps
from ..backends.base import ABSENT, Drop, Op, Put
from ..backends.steps import Steps
from ..entries.session import ARCHIVE
from ..errors import ConditionFailed, InvalidValue, SessionExists, SessionNotFound

_PK = ARCHIVE.pk
_RECORD = "session"
_ACCESS = "access/"
_SNAPSHOT = "snapshot/"


@dataclass(frozen=True, slots=True)
class Access:
    """Patterns of the participants that may read and write one note; ``*`` stands for any text."""

    readable_by: tuple[str, ...] = ("*",)
    writable_by: tuple[str, ...] = ("*",)

    def allows(self, participant: str | None, *, write: bool = False) -> bool:
        """Whether ``participant`` (None: the owner) may read, or ``write``."""
        patterns = self.writable_by if write else self.readable_by
        return participant is None or any(matches(pattern, participant) for pattern in patterns)


class State:
    """The records of one session of notes, as steps over its space."""

    def __init__(self, space: str, session: str) -> None:
        self._space = space
        self._session = session

    def _row(self, sk: str) -> Steps[Any]:
        rows = yield from steps.scan(self._space, _PK, sk, f"{sk}\x00", limit=1)
        return json.loads(rows[0].value) if rows else None

    def _rows(self, prefix: str) -> Steps[dict[str, Any]]:
        found: dict[str, Any] = {}
        lo, hi = prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)
        while rows := (yield from steps.scan(self._space, _PK, lo, hi)):
            found |= {str(row.sk).removeprefix(prefix): json.loads(row.value) for row in rows}
            lo = f"{rows[-1].sk}\x00"
        return found

    def create(self, *, importing: bool = False) -> Steps[str]:
        """Make the session and return its own id; raises ``SessionExists``."""
        own = uuid.uuid4().hex
        record = {"id": own, "created_at": (yield from steps.now()), "importing": importing}
        try:
            yield from steps.commit(self._space, (Put(_PK, json.dumps(record).encode(), sk=_RECORD, when=ABSENT),))
        except ConditionFailed:
            raise SessionExists(f"the session {self._session!r} already exists: get it, or take another id") from None
        return own

    def find(self) -> Steps[str | None]:
        """Return the own id of the session as it stands, or None where there is none."""
        record = yield from self._row(_RECORD)
        return None if record is None else str(record["id"])

    def open(self, *, create: bool, importing: bool = False) -> Steps[tuple[str, bool]]:
        """Return the session's own id, made if need be, and whether notes are still to be imported into it.

        Raises ``SessionNotFound`` where there is none and none is to be made.
        """
        while (record := (yield from self._row(_RECORD))) is None:
            if not create:
                raise SessionNotFound(
                    f"there is no session {self._session!r}: create it, or list_sessions tells what there is"
                )
            try:
                return (yield from self.create(importing=importing)), importing
            except SessionExists:
                continue
        return str(record["id"]), bool(record["importing"])

    def imported(self, own: str) -> Steps[None]:
        """Write down that the import is done, so that the file is a mirror from now on."""
        record = {**(yield from self._row(_RECORD)), "id": own, "importing": False}
        yield from steps.commit(self._space, (Put(_PK, json.dumps(record).encode(), sk=_RECORD),))

    def require(self, own: str) -> Steps[None]:
        """Raise ``SessionNotFound`` unless the session is still the one that was opened."""
        if (yield from self.find()) != own:
            raise SessionNotFound(
                f"the session {self._session!r} was deleted since this store was opened: open or create it again"
            )

    def archive(self) -> Steps[None]:
        """Make the session's notes read-only; done twice, it is done."""
        at = json.dumps({"at": (yield from steps.now())}).encode()
        try:
            yield from steps.commit(self._space, (Put(_PK, at, sk=str(ARCHIVE.sk), when=ABSENT),))
        except ConditionFailed:
            return

    def access(self, key: str) -> Steps[Access]:
        """Return who may do what with a note."""
        found = yield from self._row(_ACCESS + key)
        return _access(found)

    def accesses(self) -> Steps[dict[str, Access]]:
        """Return the access of every note that has its own."""
        return {key: _access(found) for key, found in (yield from self._rows(_ACCESS)).items()}

    def access_ops(self, key: str, access: Access | None) -> tuple[Op, ...]:
        """Return what a commit writes to give a note this access; None takes its own away."""
        if access is None:
            return (Drop(_PK, _ACCESS + key),)
        rules = {"readable_by": access.readable_by, "writable_by": access.writable_by}
        return (Put(_PK, json.dumps(rules).encode(), sk=_ACCESS + key),)

    def take(self, label: str, rev: int, versions: dict[str, int]) -> Steps[dict[str, Any]]:
        """Write a snapshot down while the session is at ``rev``; raises ``ConditionFailed``, ``InvalidValue``."""
        if (yield from self._row(_SNAPSHOT + label)) is not None:
            raise InvalidValue(f"the snapshot {label!r} exists and snapshots do not change: take another label")
        taken = {"label": label, "rev": rev, "at": (yield from steps.now()), "versions": versions}
        put = Put(_PK, json.dumps(taken).encode(), sk=_SNAPSHOT + label, when=ABSENT)
        yield from steps.commit(self._space, (put,), rev)
        return taken

    def snapshots(self) -> Steps[dict[str, Any]]:
        """Return the snapshots by label."""
        return (yield from self._rows(_SNAPSHOT))


def _access(found: Any) -> Access:
    return Access() if found is None else Access(tuple(found["readable_by"]), tuple(found["writable_by"]))
