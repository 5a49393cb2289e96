"""A store: one opened backend, its sessions and its care."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .backends import steps
from .backends.base import Backend, Backup
from .backends.encrypted import guarded
from .backends.keyring import Keyring
from .backends.registry import default_address, normalise, open_backend
from .backends.steps import run
from .context import SharedContext
from .entries.names import check_session
from .entries.record import PK, Record
from .errors import BackendUnavailable, ConfigError, DecodeError
from .forking import renew_after_fork
from .lazy import lazy
from .savings import SPACE, Savings, minutes
from .settings import SessionSettings
from .tokens import counter
from .versions.collection import Collection, unseal
from .versions.log import ContentCache, VersionLog

if TYPE_CHECKING:
    from .grouping import GroupDriver

_opened: dict[tuple[str, bool], tuple[Backend, ContentCache, Keyring | None, int]] = {}


class _Opening:
    """The lock around the table of open backends."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self.lock = threading.Lock()


_opening = _Opening()


class Store:
    """Sessions of versioned entries at one address; a context manager.

    Stores of the same address in one process share one backend, which closes with the last of them.
    """

    def __init__(
        self, address: str, *, durable: bool, clock: Callable[[], float], keyring: Keyring | None = None
    ) -> None:
        self._key = (address, durable)
        self._shared = address != "memory://" and clock is time.time
        self._closed = False
        self._clock = clock
        self._driver: GroupDriver | None = None
        self.backend: Backend
        self.contents: ContentCache
        if not self._shared:
            self.backend, self.contents = _open(address, durable, clock, keyring), ContentCache()
            return
        with _opening.lock:
            held = _opened.get(self._key)
            if held is None:
                held = (_open(address, durable, clock, keyring), ContentCache(), keyring, 0)
            elif (held[2] and held[2].ids) != (keyring and keyring.ids):
                raise ConfigError(f"{address} is open in this process with other keys: close it first")
            self.backend, self.contents, keys, count = held
            _opened[self._key] = (self.backend, self.contents, keys, count + 1)

    @lazy
    def savings(self) -> Savings:
        """What this store's contexts served to models."""
        return Savings(self.backend, self._clock)

    @property
    def address(self) -> str:
        """Where the store lies."""
        return str(self.backend.describe()["address"])

    @property
    def driver(self) -> GroupDriver:
        """What drives this store's verbs from event loops."""
        if self._driver is None:
            from .grouping import GroupDriver  # brings asyncio, which threads do not need

            self._driver = GroupDriver(self.backend)
        return self._driver

    def session(self, session: str = "default", **settings: Any) -> SharedContext:
        """Return the session's context; keywords are ``model`` and those of ``SessionSettings``. Nothing is written."""
        if settings.get("model") is not None:
            settings["count_tokens"] = settings.get("count_tokens") or counter(settings["model"])
        settings.pop("model", None)
        return SharedContext(session, store=self, settings=SessionSettings(**settings))

    def sessions(self) -> list[str]:
        """Return the ids of sessions that hold anything, in order."""
        return [space.removeprefix("session:") for space in run(self.backend, steps.all_spaces("session:"))]

    def delete_session(self, session: str) -> int:
        """Remove a session with all history, grants and records; returns the number of rows removed."""
        check_session(session)
        space = f"session:{session}"
        run(self.backend, Record(space, session).condemn())
        removed = sum(self.backend.reclaim(space, pk) for pk in run(self.backend, steps.all_pks(space)) if pk != PK)
        removed += sum(self.backend.reclaim(f"{kind}:{session}") for kind in ("session", "access"))
        for pk in (session, minutes(session)):
            self.backend.reclaim(SPACE, pk)
        return removed

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a consistent copy to the new directory ``path`` while the store is in use.

        Raises ``ConfigError`` when the backend cannot copy itself or something is already there.
        """
        if not isinstance(self.backend, Backup):
            raise ConfigError(f"{self.address} has no copy of itself to give: only stores on disk can be backed up")
        self.backend.backup(os.fspath(path))

    def stats(self) -> dict[str, Any]:
        """Return the backend's facts and the number of sessions."""
        return {**self.backend.describe(), "sessions": len(self.sessions())}

    def doctor(self) -> list[str]:
        """Check the storage and every stored version; returns a sentence for each fault, none when all is well."""
        faults = self.backend.verify()
        for space in run(self.backend, steps.all_spaces()):
            log = VersionLog(self.backend.id, space, ContentCache(0))
            for pk in run(self.backend, steps.all_pks(space)):
                faults += self._check(log, pk)
                faults += self._check_rows(Collection(space, pk))
        return faults

    def _check(self, log: VersionLog, pk: str) -> list[str]:
        faults = []
        after = 1
        while rows := self.backend.scan(log.space, pk, after, limit=200):
            for row in rows:
                try:
                    version = log.read_row(row)
                    if version.blob.live:
                        run(self.backend, log.content(version))
                except DecodeError as error:
                    faults.append(f"{log.space}: {error.message}")
            after = int(rows[-1].sk) + 1
        return faults

    def _check_rows(self, collection: Collection) -> list[str]:
        faults = []
        for row in run(self.backend, collection.rows()):
            try:
                unseal(collection.space, row)
            except DecodeError as error:
                faults.append(f"{collection.space}: {error.message}")
        return faults

    def close(self) -> None:
        """Give the store back; the backend closes with its last opener. A second close does nothing."""
        if self._closed:
            return
        if "savings" in self.__dict__:
            self.savings.close()
        self._closed = True
        if self._driver is not None:
            self._driver.close()
        if not self._shared:
            self.backend.close()
            return
        with _opening.lock:
            held = _opened.get(self._key)
            if held is None:
                return
            backend, contents, keys, count = held
            if count > 1:
                _opened[self._key] = (backend, contents, keys, count - 1)
                return
            del _opened[self._key]
        backend.close()

    def check_open(self) -> None:
        """Raise ``BackendUnavailable`` after ``close``."""
        if self._closed:
            raise BackendUnavailable("this store was closed by its opener: open it again")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(address: str, durable: bool, clock: Callable[[], float], keyring: Keyring | None) -> Backend:
    backend = open_backend(address, durable=durable, clock=clock)
    try:
        return guarded(backend, keyring)
    except BaseException:
        backend.close()
        raise


def open(  # the verb of the package: sharedctx.open
    address: str | os.PathLike[str] | None = None,
    *,
    durable: bool = False,
    keyring: Keyring | None = None,
    clock: Callable[[], float] = time.time,
) -> Store:
    """Open a store by path or URL (default: ``SHAREDCTX_URL``, else ``./.sharedctx``), making it on first use.

    ``durable=True`` also survives power cuts. With a ``keyring`` (default: the keys of ``SHAREDCTX_KEYS``) a new store
    is encrypted, and an encrypted one opens. Stores with a ``clock`` of their own are not shared in the process.
    Raises ``ConfigError``, ``BackendUnavailable``, ``DiskFull``.
    """
    address = normalise(default_address() if address is None else address)
    return Store(address, durable=durable, clock=clock, keyring=keyring or Keyring.from_environment())
