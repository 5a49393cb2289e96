"""Writing a session into an archive."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

from ..backends import steps
from ..backends.base import Backend
from ..backends.steps import run
from ..entries.names import RESERVED
from ..entries.record import PK as RECORD
from ..entries.session import Session
from ..entries.values import KINDS
from ..errors import ConfigError, DecodeError, DiskFull, VersionConflict
from ..versions.cache import ContentCache, Version
from ..versions.collection import Collection, unseal
from ..versions.delta import compressing
from ..versions.reading import Versions
from ..versions.witness import Act
from . import lines
from .lines import RowLine, VersionLine

_PAGE = 100


class Exported(NamedTuple):
    """What an export wrote: ``bytes`` is the archive's size."""

    path: str
    session: str
    keys: int
    versions: int
    bytes: int


def export_session(session: Session, participant: str | None, path: str | os.PathLike[str]) -> Exported:
    """Write the session as it is now to the new file ``path``; the owner's holds all, another's the keys it may read.

    Raises ``ConfigError`` when something is already there or it cannot be written, ``DecodeError`` for a version that
    is damaged, ``VersionConflict`` when history went meanwhile, ``DiskFull``.
    """
    target = os.path.abspath(os.path.expanduser(os.fspath(path)))
    if os.path.lexists(target):
        raise ConfigError(f"{target} is already there: name a new file for the archive")
    now = session.backend.now()
    run(session.backend, session.log.note([Act("export", "", detail=os.path.basename(target))], participant or "", now))
    try:
        made = _Saving(session, participant, now).write(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"the disk that {target} was to lie on is full: free some space, then export again"
            ) from None
        raise ConfigError(f"the archive {target} cannot be written ({error.strerror}): name another place") from None
    return made


class _Saving:
    """One export."""

    def __init__(self, session: Session, participant: str | None, now: float) -> None:
        self._session = session
        self._backend: Backend = session.backend
        self._participant = participant
        self._now = now
        self._versions = Versions(self._backend.id, session.space, ContentCache(16 * 2**20))
        self._held: dict[bytes, int] = {}
        self._written = 0

    def write(self, target: str) -> Exported:
        rev = self._backend.rev(self._session.space)
        with contextlib.ExitStack() as files:
            parts = {name: files.enter_context(tempfile.TemporaryFile()) for name in lines.FILES}
            found = self._save_versions(parts[lines.CONTENTS], rev)
            for line in sorted(found, key=lambda line: (line.rev, line.key)):
                parts[lines.VERSIONS].write(lines.dump(line))
            if self._participant is None:
                for row in self._rows():
                    parts[lines.ROWS].write(lines.dump(row))
                for content in self._audit():
                    parts[lines.AUDIT].write(content)
            manifest = {
                "format": lines.FORMAT,
                "format_version": lines.FORMAT_VERSION,
                "session": self._session.id,
                "exported_at": self._now,
                "rev": rev,
                "versions": len(found),
                "content_bytes": self._written,
                "grants": self._grants(),
                "files": {name: _described(part) for name, part in parts.items()},
            }
            _assemble(target, manifest, parts)
        return Exported(
            target, self._session.id, len({line.key for line in found}), len(found), os.path.getsize(target)
        )

    def _save_versions(self, contents: IO[bytes], rev: int) -> list[VersionLine]:
        allows = run(self._backend, self._session.rights.judge(self._participant))
        found = []
        with compressing(contents) as write:
            for key in run(self._backend, steps.all_pks(self._session.space, "", f"{RESERVED}\U0010ffff")):
                if allows("read", key):
                    found += [self._line(version, write) for version in self._history(key) if version.rev <= rev]
        return found

    def _history(self, key: str) -> Iterator[Version]:
        number = 1
        while page := self._backend.scan(self._session.space, key, number, limit=_PAGE):
            yield from map(self._versions.read_row, page)
            number = int(page[-1].sk) + 1

    def _line(self, version: Version, write: Any) -> VersionLine:
        blob = version.blob
        content = self._content(version) if blob.live else b""
        digest = hashlib.sha256(content).digest()
        offset = self._held.get(digest)
        if offset is None:
            offset = self._held[digest] = self._written
            write(content)
            self._written += len(content)
        return VersionLine(
            version.rev,
            version.pk,
            version.number,
            KINDS[blob.kind],
            blob.timestamp,
            blob.agent,
            blob.note,
            version.expires,
            blob.sha256.hex() if blob.sha256 else "",
            offset,
            len(content),
            digest.hex(),
        )

    def _content(self, version: Version) -> bytes:
        try:
            return run(self._backend, self._versions.content(version))
        except DecodeError:
            if not run(self._backend, self._versions.is_gone(version)):
                raise
        raise VersionConflict(f"history of {version.pk!r} was removed while it was exported: export again")

    def _rows(self) -> Iterator[RowLine]:
        for pk in run(self._backend, steps.all_pks(self._session.space, RESERVED)):
            if pk == RECORD:
                continue
            for row in run(self._backend, Collection(self._session.space, pk).rows()):
                payload = base64.b64encode(unseal(self._session.space, row)).decode()
                yield RowLine(pk, str(row.sk), row.expires, payload)

    def _audit(self) -> Iterator[bytes]:
        for row in run(self._backend, self._session.trail.rows()):
            if isinstance(row, Version):
                line = self._session.trail.line(row)
                told = {"digest": line.digest.hex(), "row": line.payload.decode("utf-8", "replace")}
                yield json.dumps(told, ensure_ascii=False).encode() + b"\n"

    def _grants(self) -> dict[str, Any]:
        if self._participant is not None:
            return {}
        rules: dict[str, Any] = json.loads(run(self._backend, self._session.rights.grants()).dump())
        return rules


def _described(part: IO[bytes]) -> dict[str, Any]:
    part.seek(0)
    digest = hashlib.file_digest(part, "sha256")  # type: ignore[arg-type]
    return {"bytes": part.tell(), "sha256": digest.hexdigest()}


def _assemble(target: str, manifest: dict[str, Any], parts: Mapping[str, IO[bytes]]) -> None:
    """Write the archive; one that cannot be finished is taken away."""
    try:
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigError(f"{target} is already there: name a new file for the archive") from None
    try:
        with os.fdopen(handle, "wb") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(lines.MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
                for name, part in parts.items():
                    part.seek(0)
                    facts = zipfile.ZipInfo(name)
                    facts.compress_type = zipfile.ZIP_STORED if name == lines.CONTENTS else zipfile.ZIP_DEFLATED
                    facts.external_attr = 0o600 << 16
                    with archive.open(facts, "w", force_zip64=True) as member:
                        shutil.copyfileobj(part, member, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        os.unlink(target)
        raise
