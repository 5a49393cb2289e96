"""Checking a store: its storage, every stored version and row, every audit log."""

from __future__ import annotations

from collections.abc import Iterator

from .audit import PK, Trail
from .audit.verifying import Verifying
from .backends import steps
from .backends.base import Backend
from .backends.steps import Steps, run
from .errors import DecodeError
from .versions.collection import Collection, unseal
from .versions.log import ContentCache, VersionLog


def examine(backend: Backend, audit_key: bytes | None) -> list[str]:
    """Return a sentence for each fault, none when all is well."""
    faults = backend.verify()
    for space in run(backend, steps.all_spaces()):
        log = VersionLog(backend.id, space, ContentCache(0))
        for pk in run(backend, steps.all_pks(space)):
            for check in (_versions(backend, log, pk), _rows(backend, Collection(space, pk))):
                try:
                    faults += check
                except DecodeError as error:
                    faults.append(f"{space}: {pk!r}: {error.message}")
    return faults + audits(backend, audit_key)


def audits(backend: Backend, audit_key: bytes | None) -> list[str]:
    """Verify every audit log of the store."""
    faults = []
    for space in audited(backend):
        faults += run(backend, Verifying(trail(backend, space, audit_key), backend.id).run())
    return faults


def audited(backend: Backend) -> list[str]:
    """The spaces with an audit log."""
    return [space for space in run(backend, steps.all_spaces()) if PK in backend.pks(space, PK, limit=1)]


def trail(backend: Backend, space: str, audit_key: bytes | None) -> Trail:
    """The audit log of a space, to be read, or written to whatever its settings."""

    def on() -> Steps[bool]:
        yield from ()
        return True

    return Trail(backend.id, space, audit_key, on)


def _versions(backend: Backend, log: VersionLog, pk: str) -> Iterator[str]:
    after = 1
    while rows := backend.scan(log.space, pk, after, limit=200):
        for row in rows:
            version = None
            try:
                version = log.read_row(row)
                if version.blob.live:
                    run(backend, log.content(version))
            except DecodeError as error:
                if version is None or not run(backend, log.is_gone(version)):
                    yield f"{log.space}: {error.message}"
        after = int(rows[-1].sk) + 1


def _rows(backend: Backend, collection: Collection) -> Iterator[str]:
    for row in run(backend, collection.rows()):
        try:
            unseal(collection.space, row)
        except DecodeError as error:
            yield f"{collection.space}: {error.message}"
