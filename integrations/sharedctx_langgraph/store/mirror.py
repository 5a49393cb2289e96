"""What lives in a session, by namespace: kept in memory, current by the change feed."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.entries.session import Session
from sharedctx.errors import DecodeError
from sharedctx.forking import renew_after_fork
from sharedctx.versions.log import Version

from .address import Namespace, place

_SMALL = 2048
_log = logging.getLogger("sharedctx.langgraph")


class Held(NamedTuple):
    """An item as it was last seen; ``whole`` says whether its content is held too."""

    address: str
    namespace: Namespace
    key: str
    version: Version
    whole: bool


class Mirror:
    """The newest versions of a session's entries, without the contents of large ones. Steps are driven by threads, one
    at a time; a search works on what it was given."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Read anew: a thread of the parent may have been at it."""
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._shelves: dict[Namespace, dict[str, Held]] = {}
        self._rev: int | None = None

    def shelves(self, prefix: Namespace = ()) -> Steps[list[list[Held]]]:
        """Return the items of each namespace that is ``prefix`` or lies below it, newest first, expired ones too."""
        depth = len(prefix)
        with self._lock:
            yield from self._sync()
            found = [shelf for namespace, shelf in self._shelves.items() if namespace[:depth] == prefix]
            return [list(reversed(shelf.values())) for shelf in found]

    def _sync(self) -> Steps[None]:
        rev = yield from steps.rev(self._session.space)
        if rev == self._rev and (yield from self._stands()):
            return
        versions: list[Version] = []
        for address in (yield from self._session.changed_keys(self._rev, self._held)):
            self._drop(address)
            try:
                version = yield from self._session.log.newest(address)
            except DecodeError as error:
                _log.warning("searches leave out %r: %s", address, error)
                continue
            if version is not None and version.blob.live:
                versions.append(version)
        versions.sort(key=lambda version: version.pk, reverse=True)
        versions.sort(key=lambda version: version.rev)
        for version in versions:  # dictionaries keep this order: that of their last writes
            self._add(version.pk, version)
        self._rev = rev

    def _stands(self) -> Steps[bool]:
        """Whether the session is still there: of one that was removed whole, its feed says nothing."""
        for address in self._held:
            if (yield from steps.newest(self._session.space, address)) is None:
                self._held, self._shelves, self._rev = {}, {}, None
                return False
            break
        return True

    def _add(self, address: str, version: Version) -> None:
        namespace, key = place(address)
        whole = len(version.blob.payload) <= _SMALL
        if not whole:
            version = version._replace(blob=version.blob._replace(payload=b""))
        held = Held(address, namespace, key, version, whole)
        self._held[address] = held
        self._shelves.setdefault(namespace, {})[key] = held

    def _drop(self, address: str) -> None:
        old = self._held.pop(address, None)
        if old is not None:
            shelf = self._shelves[old.namespace]
            del shelf[old.key]
            if not shelf:
                del self._shelves[old.namespace]


def order(held: Held) -> tuple[int, str]:
    """The place of an item among others: by its last write, newest first, then by its address."""
    return -held.version.rev, held.address


def newest_first(shelves: Sequence[Sequence[Held]]) -> Iterator[Held]:
    """Go through the items of all shelves in this order."""
    if len(shelves) == 1:
        return iter(shelves[0])
    return heapq.merge(*shelves, key=order)
