"""The newest versions as they were read last, for as long as nothing was committed to their session."""

from __future__ import annotations

from typing import NamedTuple

from sharedctx import Store
from sharedctx.projects import Projects, State
from sharedctx.versions.log import Version

from .messages import context_body
from .replies import compress

_MOST_BYTES = 32 * 2**20


class Found(NamedTuple):
    """A live version, its hash, and the body of its reply as it is and compressed."""

    version: Version
    hash: str
    body: bytes
    packed: dict[str, bytes]

    def encoded(self, encoding: str) -> bytes:
        """The body in an encoding, made once."""
        found = self.packed.get(encoding)
        if found is None:
            found = self.packed[encoding] = compress(self.body, encoding)
        return found


class Latest:
    """Replies by project. On stores where asking for the revision is a call over the network nothing is kept."""

    def __init__(self, store: Store, projects: Projects) -> None:
        self._backend = store.backend
        self._space = projects.space
        self._held: dict[str, Found] = {}
        self._rev: int | None = None
        self._bytes = 0

    def get(self, project: str) -> Found | None:
        """Return what was read of a project, if that is still all there is."""
        if not self._held or not self._backend.local:
            return None
        if self._backend.rev(self._space) != self._rev:
            self._held.clear()
            return None
        return self._held.get(project)

    def rev(self) -> int | None:
        """Return the session's revision, to be asked for before reading what is kept by ``keep``."""
        return self._backend.rev(self._space) if self._backend.local else None

    def keep(self, project: str, rev: int | None, version: Version, state: State) -> Found:
        """Keep what was read of a project after ``rev`` was asked for."""
        found = Found(version, state.hash, context_body(project, version, state.encoded, state.hash), {})
        if rev is not None and version.expires is None:
            if rev != self._rev or self._bytes > _MOST_BYTES:
                self._held.clear()
                self._rev, self._bytes = rev, 0
            self._held[project] = found
            self._bytes += len(found.body) * 2
        return found
