"""What a session of notes keeps beside its notes: that it is archived, its snapshots, and that a file mirrors it."""

from __future__ import annotations

import json
from typing import Any

from ..backends import steps
from ..backends.base import ABSENT, Put
from ..backends.steps import Steps
from ..entries.session import ARCHIVE
from ..errors import ConditionFailed, InvalidValue

_PK = ARCHIVE.pk
_SNAPSHOT = "snapshot/"
_MIRRORS = "mirrors"


class State:
    """The records of one session of notes, as steps over its space."""

    def __init__(self, space: str, session: str) -> None:
        self._space = space
        self._session = session

    def archive(self) -> Steps[None]:
        """Make the session's notes read-only; done twice, it is done."""
        at = json.dumps({"at": (yield from steps.now())}).encode()
        try:
            yield from steps.commit(self._space, (Put(_PK, at, sk=str(ARCHIVE.sk), when=ABSENT),))
        except ConditionFailed:
            return

    def take(self, label: str, rev: int, versions: dict[str, int]) -> Steps[dict[str, Any]]:
        """Write a snapshot down while the session is at ``rev``; raises ``ConditionFailed``, ``InvalidValue``."""
        if label in (yield from self.snapshots()):
            raise InvalidValue(f"the snapshot {label!r} exists and snapshots do not change: take another label")
        taken = {"label": label, "rev": rev, "at": (yield from steps.now()), "versions": versions}
        put = Put(_PK, json.dumps(taken).encode(), sk=_SNAPSHOT + label, when=ABSENT)
        yield from steps.commit(self._space, (put,), rev)
        return taken

    def snapshots(self) -> Steps[dict[str, Any]]:
        """Return the snapshots by label."""
        found: dict[str, Any] = {}
        lo, hi = _SNAPSHOT, _SNAPSHOT[:-1] + chr(ord(_SNAPSHOT[-1]) + 1)
        while rows := (yield from steps.scan(self._space, _PK, lo, hi)):
            found |= {str(row.sk).removeprefix(_SNAPSHOT): json.loads(row.value) for row in rows}
            lo = f"{rows[-1].sk}\x00"
        return found

    def mirrored(self) -> Steps[bool]:
        """Return whether a file has been this session's mirror, so that it is never imported again."""
        return bool((yield from steps.scan(_MIRRORS, self._session, "", limit=1)))

    def mirror(self) -> Steps[None]:
        """Write down that a file is this session's mirror from now on; it stays known when the session is deleted."""
        yield from steps.commit(_MIRRORS, (Put(self._session, b"", sk="written"),))
