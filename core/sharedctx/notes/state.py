"""What a session of notes keeps beside its notes: that it is archived, its snapshots, and that a file mirrors it."""

from __future__ import annotations

from typing import Any

from ..backends import steps
from ..backends.base import ABSENT, Put
from ..backends.steps import Steps
from ..entries.session import ARCHIVE
from ..errors import ConditionFailed, InvalidValue
from ..versions.collection import Collection

_SNAPSHOT = "snapshot/"
_MIRRORS = "mirrors"


class State:
    """The records of one session of notes, as steps over its space."""

    def __init__(self, space: str, session: str) -> None:
        self._space = space
        self._session = session
        self._kept = Collection(space, ARCHIVE.pk)

    def archive(self) -> Steps[None]:
        """Make the session's notes read-only; done twice, it is done."""
        put = self._kept.put(str(ARCHIVE.sk), {"at": (yield from steps.now())}, when=ABSENT)
        try:
            yield from steps.commit(self._space, (put,))
        except ConditionFailed:
            return

    def take(self, label: str, rev: int, versions: dict[str, int]) -> Steps[dict[str, Any]]:
        """Write a snapshot down while the session is at ``rev``; raises ``ConditionFailed``, ``InvalidValue``."""
        if label in (yield from self.snapshots()):
            raise InvalidValue(f"the snapshot {label!r} exists and snapshots do not change: take another label")
        taken = {"label": label, "rev": rev, "at": (yield from steps.now()), "versions": versions}
        yield from steps.commit(self._space, (self._kept.put(_SNAPSHOT + label, taken, when=ABSENT),), rev)
        return taken

    def snapshots(self) -> Steps[dict[str, Any]]:
        """Return the snapshots by label."""
        kept = yield from self._kept.all(_SNAPSHOT)
        return {sk.removeprefix(_SNAPSHOT): taken for sk, taken in kept.items()}

    def mirrored(self) -> Steps[bool]:
        """Return whether a file has been this session's mirror, so that it is never imported again."""
        return bool((yield from steps.scan(_MIRRORS, self._session, "", limit=1)))

    def mirror(self) -> Steps[None]:
        """Write down that a file is this session's mirror from now on; it stays known when the session is deleted."""
        yield from steps.commit(_MIRRORS, (Put(self._session, b"", sk="written"),))
