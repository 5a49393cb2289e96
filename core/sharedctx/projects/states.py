"""States of versions, decoded once while there is room."""

from __future__ import annotations

from collections import OrderedDict

from ..backends.steps import Steps
from ..entries.session import Session
from ..versions.log import Version
from .state import State

_ROOM = 64 * 2**20


class States:
    """The states read or written last, by key and revision. One event loop or many threads may use it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._held: OrderedDict[tuple[str, int], State] = OrderedDict()
        self._bytes = 0

    def of(self, version: Version) -> Steps[State]:
        """Return the state of a version that is a value; raises ``DecodeError``."""
        at = (version.pk, version.rev)
        state = self._held.get(at)
        if state is None:
            state = State.read((yield from self._session.value(version)))
            self.keep(version, state)
        return state

    def keep(self, version: Version, state: State) -> None:
        """Remember the state of a version; those used longest ago make room."""
        size = len(state.encoded)
        if size > _ROOM // 4:
            return
        self._held[version.pk, version.rev] = state
        self._bytes += size
        while self._bytes > _ROOM and self._held:
            try:
                self._bytes -= len(self._held.popitem(last=False)[1].encoded)
            except KeyError:  # another thread took the last one
                break
