"""A client's copy of a project: what it knows of versions, put in order. It does no input or output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sharedctx.errors import InvalidValue
from sharedctx.projects import State
from sharedctx.projects.state import EMPTY

_MOST_AHEAD = 4096


class Change(NamedTuple):
    """One version: how its state is made from the one before, the hash that it has, and when it was written."""

    version: int
    make: Callable[[State], State]
    hash: str
    timestamp: str
    changes: dict[str, Any] | None


class Torn(Exception):
    """What was told does not fit what is known: the state must be read anew."""


class Replica:
    """The state at ``version``; None while nothing is known, and 0 is before the first.

    Versions may be told in any order and more than once: each is taken once, when its turn has come.
    """

    def __init__(self) -> None:
        self.version: int | None = None
        self.state: State = EMPTY
        self.timestamp = ""
        self.gone = False
        self._ahead: dict[int, Change] = {}
        self._known: int = 0

    @property
    def gap(self) -> bool:
        """Whether a version before one that is known of has not been told."""
        return self.version is not None and self._known > self.version

    def snapshot(self, version: int, state: State, timestamp: str) -> bool:
        """Take a whole state; False where what is known is as new or newer."""
        if self.version is not None and version <= self.version and not (version == self.version and self.gone):
            return False
        self.version, self.state, self.timestamp, self.gone = version, state, timestamp, False
        self._ahead = {number: change for number, change in self._ahead.items() if number > version}
        self._known = max([version, *self._ahead])
        return True

    def hear(self, change: Change) -> list[Change]:
        """Take a version; returns those that have their turn now, in order. Raises ``Torn``."""
        if self.version is None or change.version <= self.version:
            return []
        if len(self._ahead) >= _MOST_AHEAD:
            self.forget()
            raise Torn
        if change.changes is None or change.version not in self._ahead:  # what this client wrote stays its own
            self._ahead[change.version] = change
        self._known = max(self._known, change.version)
        taken = []
        while (following := self._ahead.pop(self.version + 1, None)) is not None:
            try:
                state = following.make(self.state)
            except InvalidValue:
                state = None
            if state is None or (following.hash and state.hash != following.hash):
                self.forget()
                raise Torn
            self.version, self.state, self.timestamp, self.gone = (
                following.version,
                state,
                following.timestamp,
                False,
            )
            taken.append(following)
        return taken

    def learn(self, version: int) -> None:
        """Know of a version without its content."""
        self._known = max(self._known, version)

    def removed(self, version: int) -> bool:
        """Take the removal of the project; False where it is known."""
        if self.version is not None and version <= self.version:
            return False
        self.version, self.state, self.gone = version, EMPTY, True
        self._ahead.clear()
        self._known = version
        return True

    def forget(self) -> None:
        """Know nothing."""
        self.version, self.state, self.gone = None, EMPTY, False
        self._ahead.clear()
        self._known = 0
