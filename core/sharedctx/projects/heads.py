"""What this process wrote last of each project, so that the next write need not read it first."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ..backends import steps
from ..backends.base import Row
from ..backends.steps import Steps
from ..versions.log import VersionLog
from .state import State

_MOST = 1024


class Head(NamedTuple):
    """A newest row, its state and who wrote it; whoever builds on it finds out by its commit whether it still is the
    newest. ``row`` is None where there never was one, ``live`` False where the project was removed."""

    row: Row | None
    state: State
    agent: str = ""
    live: bool = True

    @property
    def number(self) -> int:
        """The number of the live version, 0 where there is none."""
        return int(self.row.sk) if self.row is not None and self.live else 0


class Heads:
    """The rows written last, and the states of those that are on their way to the store."""

    def __init__(self, log: VersionLog) -> None:
        self._log = log
        self._written: OrderedDict[str, Head] = OrderedDict()
        self._ahead: dict[str, tuple[int, State, str]] = {}

    def of(self, key: str) -> Steps[Head | None]:
        """Return what is known of a key: the write that is on its way, else the one that was written last."""
        ahead = self._ahead.get(key)
        if ahead is None:
            return self._written.get(key)
        row = yield from steps.tail(self._log.space, key)
        if row is None or row.sk != ahead[0]:
            return None
        if row.rev < 0 or self._log.read_row(row).blob.sha256 == ahead[1].digest:
            return Head(row, ahead[1], ahead[2])
        return None

    def begin(self, key: str, number: int, state: State, agent: str) -> None:
        """Know of a write that is about to be queued."""
        self._ahead[key] = (number, state, agent)

    def end(self, key: str, number: int, written: Head | None) -> None:
        """Know how that went: what was written, or None where it failed."""
        if self._ahead.get(key, (0,))[0] == number:
            self._ahead.pop(key, None)
        held = self._written.get(key)
        if written is None:
            self._written.pop(key, None)
        elif held is None or held.number < number:
            self._written[key] = written
            if len(self._written) > _MOST:
                self._written.popitem(last=False)

    def size(self, key: str) -> int:
        """Bytes of the state written last, 0 where none is known."""
        held = self._written.get(key)
        return 0 if held is None else len(held.state.encoded)
