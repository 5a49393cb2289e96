"""A store: one opened backend, its sessions and its care."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from .audit import AuditHead, AuditRecord
from .audit.record import check_key
from .backends import steps
from .backends.base import Backend
from .backends.capabilities import Backup, Repair
from .backends.encrypted import guarded
from .backends.keyring import Keyring
from .backends.registry import default_address, normalise, open_backend
from .backends.steps import run
from .context import SharedContext
from .entries.arguments import check_limit, check_number
from .entries.configuration import STORE as SETTINGS
from .entries.configuration import Configuration, Configured
from .entries.names import check_session
from .entries.record import PK, Record
from .errors import BackendUnavailable, ConfigError
from .forking import renew_after_fork
from .lazy import lazy
from .served.readers import partition as readers
from .served.savings import SPACE, Savings, minutes
from .settings import SessionSettings
from .tokens import counter
from .versions.log import ContentCache
from .versions.witness import Act

if TYPE_CHECKING:
    from .archives import Imported
    from .driving.grouping import GroupDriver

AUDITS: Final = "audit"
"""The space of the store's own audit log."""
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
        self,
        address: str,
        *,
        durable: bool,
        clock: Callable[[], float],
        keyring: Keyring | None = None,
        audit_key: bytes | None = None,
    ) -> None:
        self.audit_key = audit_key
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
            from .driving.grouping import GroupDriver  # brings asyncio, which threads do not need

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
        from .doctor import trail

        check_session(session)
        space = f"session:{session}"
        if (head := self.session(session).audit_head()) is not None:
            act = Act("delete_session", session, head.number, head.digest)
            run(self.backend, trail(self.backend, AUDITS, self.audit_key).note([act], "", self.backend.now()))
        run(self.backend, Record(space, session).condemn())
        removed = sum(self.backend.reclaim(space, pk) for pk in run(self.backend, steps.all_pks(space)) if pk != PK)
        removed += sum(self.backend.reclaim(f"{kind}:{session}") for kind in ("session", "access", "views"))
        for pk in (session, minutes(session), readers(session)):
            self.backend.reclaim(SPACE, pk)
        self.contents.forget(space)
        return removed

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a consistent copy to the new directory ``path`` while the store is in use.

        Raises ``ConfigError`` when the backend cannot copy itself or something is already there.
        """
        if not isinstance(self.backend, Backup):
            raise ConfigError(
                f"{self.address} has no copy of itself to give: `sharedctx copy` brings it to a directory"
            )
        self.backend.backup(os.fspath(path))

    def import_session(
        self, path: str | os.PathLike[str], session: str | None = None, *, most_bytes: int | None = None
    ) -> Imported:
        """Bring in an archive that ``SharedContext.export`` wrote, as ``session`` (default: the id that it had).

        The whole archive is checked first, whoever it comes from; ``most_bytes`` (default 8 GiB) bounds what all its
        versions may take. Raises ``SessionExists``, ``InvalidValue`` for what no export wrote, ``ConfigError``.
        """
        from .archives import MOST_BYTES, import_session

        self.check_open()
        most = MOST_BYTES if most_bytes is None else check_number("most_bytes", most_bytes)
        return import_session(self.backend, path, lambda name: self.session(name).verbs.session, session, most)

    def stats(self) -> dict[str, Any]:
        """Return the backend's facts and the number of sessions."""
        return {**self.backend.describe(), "sessions": len(self.sessions())}

    def doctor(self) -> list[str]:
        """Check the storage, every version and all audit logs; returns a sentence for each fault."""
        from .doctor import examine

        return examine(self.backend, self.audit_key)

    def repair(self) -> list[str]:
        """Remove rows that other programs wrote into the store; returns a sentence for each that is gone.

        Versions stay, damaged ones too: ``erase`` their key, or write it again. Make a backup first. A backend that
        nobody else writes to has nothing to remove.
        """
        self.check_open()
        return self.backend.repair() if isinstance(self.backend, Repair) else []

    def configure(self, **settings: Any) -> Configuration:
        """Store settings for all sessions that have none of their own, as ``SharedContext.configure`` does for one.

        Raises ``ConfigError``.
        """
        from .doctor import audited, trail

        stored = Configured(SETTINGS, self.contents)
        old = run(self.backend, stored.stored())
        new = old.changed(settings)
        run(self.backend, steps.commit(SETTINGS, (stored.put(new),)))
        stored.forget()
        if old.audit and not new.audit:
            for space in audited(self.backend):
                if run(self.backend, Configured(space, self.contents).stored()).audit is None:
                    end = trail(self.backend, space, self.audit_key).note([Act("end", "")], "", self.backend.now())
                    run(self.backend, end)
        return new

    def configuration(self) -> Configuration:
        """Return what is stored for all sessions."""
        return run(self.backend, Configured(SETTINGS, self.contents).stored())

    def audit(self, since: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Return which sessions with an audit log were deleted, when, and with which head; oldest first."""
        from .doctor import trail

        log = trail(self.backend, AUDITS, self.audit_key)
        return run(self.backend, log.records(check_number("since", since), check_limit(limit), lambda key: True))

    def audit_heads(self) -> list[AuditHead]:
        """Return the newest row of every audit log, to be kept elsewhere."""
        from .doctor import audited, trail

        heads = [run(self.backend, trail(self.backend, space, None).head()) for space in audited(self.backend)]
        return [head for head in heads if head is not None]

    def verify_audit(self) -> list[str]:
        """Check every audit log of the store; returns a sentence for each fault."""
        from .doctor import audits

        return audits(self.backend, self.audit_key)

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

    @property
    def closed(self) -> bool:
        """Whether its opener closed it."""
        return self._closed

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
    audit_key: bytes | str | None = None,
    clock: Callable[[], float] = time.time,
) -> Store:
    """Open a store by path or URL (default: ``SHAREDCTX_URL``, else ``./.sharedctx``), making it on first use.

    ``durable=True`` also survives power cuts. With a ``keyring`` (default: the keys of ``SHAREDCTX_KEYS``) a new store
    is encrypted, and an encrypted one opens. ``audit_key`` (default: ``SHAREDCTX_AUDIT_KEY``), 16 bytes or more, is
    what audit logs are authenticated with. Stores with a ``clock`` of their own are not shared in the process.
    Raises ``ConfigError``, ``BackendUnavailable``, ``DiskFull``.
    """
    address = normalise(default_address() if address is None else address)
    keys = keyring or Keyring.from_environment()
    return Store(address, durable=durable, clock=clock, keyring=keys, audit_key=check_key(audit_key))
