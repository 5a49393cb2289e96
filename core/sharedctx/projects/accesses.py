"""Who accessed which project when, written down at most once in a while for each."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..backends import steps
from ..backends.steps import Steps
from ..versions.collection import Collection


class Access(NamedTuple):
    """The last known access of a participant ("" for nobody in particular) to a project."""

    project: str
    participant: str
    at: float
    version: int


class Accesses:
    """The accesses to the projects of one session, in a space of their own, so that reading wakes no follower."""

    def __init__(self, session: str) -> None:
        self.space = f"projects:{session}"
        self._rows = Collection(self.space, "accesses")

    def note(self, access: Access) -> Steps[None]:
        """Write an access down."""
        row = {"at": access.at, "version": access.version}
        yield from steps.commit(self.space, (self._rows.put(f"{access.project}/{access.participant}", row),))

    def all(self, project: str | None = None) -> Steps[list[Access]]:
        """Return the accesses to a project, or to all."""
        found: list[Access] = []
        for sk, row in (yield from self._rows.all("" if project is None else f"{project}/")).items():
            name, _, participant = sk.partition("/")
            found.append(Access(name, participant, *_read(row)))
        return found

    def forget(self, project: str) -> Steps[None]:
        """Drop what is known of a project that is gone."""
        for sk in (yield from self._rows.all(f"{project}/")):
            yield from steps.commit(self.space, (self._rows.drop(sk),))


def _read(row: Any) -> tuple[float, int]:
    return float(row["at"]), int(row["version"])
