"""What this process wrote last of each project, so that the next write need not read it first."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple

from ..backends.base import Row
from ..versions.log import Version
from .names import LEAF, PREFIX
from .state import State

_MOST = 1024
_REQUESTS = 8192
REQUEST = " request:"
"""Before the name of a request in a version's note."""


Requests = tuple[tuple[str, str], ...]


class Head(NamedTuple):
    """A newest row, its state and who wrote it; whoever builds on it finds out by its commit whether it still is the
    newest. ``row`` is None where there never was one, ``live`` False where the project was removed. ``requests`` are
    who wrote the versions that are kept, by the names of which requests, None where that was not read."""

    row: Row | None
    state: State
    agent: str = ""
    live: bool = True
    requests: Requests | None = None

    @property
    def number(self) -> int:
        """The number of the live version, 0 where there is none."""
        return int(self.row.sk) if self.row is not None and self.live else 0


class Heads:
    """The heads written last by this process, of the projects written last, and what it is writing after them."""

    def __init__(self) -> None:
        self._written: OrderedDict[str, Head] = OrderedDict()
        self._offered: dict[str, tuple[Head, bytes]] = {}
        self._asked: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def asked(self, key: str, agent: str, request: str) -> bool:
        """Note a request, and return whether it came before: what it wrote then may still wait to be committed, be it
        that whoever sent it has gone."""
        at = key, agent, request
        if at in self._asked:
            return True
        self._asked[at] = None
        if len(self._asked) > _REQUESTS:
            with suppress(KeyError):  # another thread took it
                self._asked.popitem(last=False)
        return False

    def offer(self, key: str, head: Head, blob: bytes) -> None:
        """Know what is to be committed next: a head but for its row, and that row's value."""
        self._offered[key] = head, blob

    def offered(self, key: str) -> tuple[Head, bytes] | None:
        """Return what was offered last, while it is neither committed nor refused."""
        return self._offered.get(key)

    def settle(self, key: str, head: Head) -> None:
        """Know that what was offered as this head is committed or refused."""
        held = self._offered.get(key)
        if held is not None and held[0] is head:
            self._offered.pop(key, None)

    def of(self, key: str) -> Head | None:
        """Return what was written last of a key; there may be newer versions by others."""
        return self._written.get(key)

    def keep(self, key: str, written: Head) -> None:
        """Know what was written."""
        held = self._written.get(key)
        if held is None or held.number < written.number:
            self._written[key] = written
            if len(self._written) > _MOST:
                self._written.popitem(last=False)

    def forget(self, key: str) -> None:
        """Know that others have written since."""
        self._written.pop(key, None)

    def size(self, project: str) -> int:
        """Bytes of a project's state written last, 0 where none is known."""
        held = self._written.get(f"{PREFIX}{project}{LEAF}")
        return 0 if held is None else len(held.state.encoded)

    def state(self, version: Version) -> State | None:
        """Return the state of a version, if it is the one written last of its key."""
        held = self._written.get(version.pk)
        return held.state if held is not None and held.row is not None and held.row.rev == version.rev else None


def request_of(version: Version) -> str:
    """Return the name of the request that wrote a version, "" where it had none."""
    return version.blob.note.partition(REQUEST)[2]
