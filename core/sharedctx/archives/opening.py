"""Opening an archive, which may come from anybody: nothing of it is believed, and nothing is written before all is
checked."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from ..access import Grants
from ..audit.verifying import digest_of
from ..entries.record import PK as RECORD
from ..errors import ConfigError, DecodeError, InvalidValue, SharedContextError
from ..versions.delta import decompress
from . import lines
from .lines import RowLine, VersionLine

MOST_BYTES: Final = 8 * 2**30
"""Bytes that the values of an archive may take together, unless the caller says otherwise."""
_MANIFEST_BYTES: Final = 4 * 2**20
_TEXT_BYTES: Final = 512 * 2**20
_MOST_SKIPPED: Final = 1_000_000


class Archive:
    """A checked archive: the session's name, its grants, versions in order of their commits, rows and contents."""

    def __init__(self, manifest: dict[str, Any], contents: IO[bytes]) -> None:
        self.session: Any = manifest.get("session")
        self.exported_at = manifest.get("exported_at")
        self.grants = Grants({})
        self.versions: list[VersionLine] = []
        self.rows: list[RowLine] = []
        self.digest = ""
        self._contents = contents

    def content(self, line: VersionLine) -> bytes:
        """The bytes of a version."""
        self._contents.seek(line.offset)
        return self._contents.read(line.size)


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], most: int = MOST_BYTES) -> Iterator[Archive]:
    """Open and check an archive of at most ``most`` bytes of values.

    Raises ``ConfigError`` when there is no such file, ``InvalidValue`` for all that an export could not have written:
    other files (``../``, absolute, links), bad hashes, more bytes than it says, lines that make no sense.
    """
    place = os.fspath(path)
    with tempfile.TemporaryFile() as contents:
        try:
            if not stat.S_ISREG(os.stat(place).st_mode):
                raise ConfigError("this is no plain file: name an archive that an export wrote")
            with zipfile.ZipFile(place) as archive:
                found = _read(archive, contents, most)
        except OSError as error:
            raise ConfigError(
                f"the archive {place} cannot be read ({error.strerror}): name one that is there"
            ) from None
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError) as error:
            raise InvalidValue(f"{place} is no archive of a session, or damaged ({error}): export it again") from None
        except SharedContextError as error:
            raise type(error)(f"{place}: {error.message}") from None
        yield found


def _read(archive: zipfile.ZipFile, contents: IO[bytes], most: int) -> Archive:
    _check_members(archive)
    manifest_text = _member(archive, lines.MANIFEST, _MANIFEST_BYTES)
    manifest = lines.read_object(manifest_text, lines.MANIFEST)
    if manifest.get("format") != lines.FORMAT:
        raise InvalidValue("it is no archive of a session: give one that an export wrote")
    if manifest.get("format_version") != lines.FORMAT_VERSION:
        raise InvalidValue(f"it has format {manifest.get('format_version')!r:.20}, of a newer sharedctx: upgrade")
    total = manifest.get("content_bytes")
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise InvalidValue("the archive is damaged: its manifest says no number of bytes")
    if total > most:
        raise InvalidValue(
            f"its values have {total} bytes, at most {most} are allowed: raise most_bytes if you trust it"
        )
    found = Archive(manifest, contents)
    found.digest = hashlib.sha256(manifest_text).hexdigest()
    try:
        found.grants = Grants.checked(manifest.get("grants"))
    except SharedContextError as error:
        raise InvalidValue(f"the archive is damaged: its grants make no sense: {error.message}") from None
    texts = {name: _hashed(archive, name, manifest, most) for name in (lines.VERSIONS, lines.ROWS, lines.AUDIT)}
    with archive.open(lines.CONTENTS) as packed:
        _hash_member(archive, manifest)
        try:
            written = decompress(packed, contents, total)
        except DecodeError as error:
            raise InvalidValue(f"the archive is damaged: {error.message}") from None
    if written != total:
        raise InvalidValue(f"the archive is damaged: its values have {written} bytes and not {total}")
    found.versions = [lines.read_version(text, n) for n, text in enumerate(texts[lines.VERSIONS].splitlines(), 1)]
    found.rows = [lines.read_row(text, n) for n, text in enumerate(texts[lines.ROWS].splitlines(), 1)]
    _check_versions(found, total, most)
    _check_rows(found.rows)
    return found


def _check_members(archive: zipfile.ZipFile) -> None:
    names = [member.filename for member in archive.infolist()]
    for member in archive.infolist():
        mode = member.external_attr >> 16
        if member.filename not in (lines.MANIFEST, *lines.FILES):
            raise InvalidValue(f"it holds the file {member.filename!r:.120}, which no export writes: do not trust it")
        if (stat.S_IFMT(mode) not in (0, stat.S_IFREG)) or member.is_dir() or member.flag_bits & 1:
            raise InvalidValue(f"its file {member.filename!r} is a link, a directory or encrypted: do not trust it")
    if sorted(names) != sorted((lines.MANIFEST, *lines.FILES)):
        raise InvalidValue(f"it should hold {', '.join((lines.MANIFEST, *lines.FILES))} once each: export it again")


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read a file of the archive, never more than ``most`` bytes of it."""
    with archive.open(name) as member:
        found = member.read(most + 1)
    if len(found) > most:
        raise InvalidValue(f"its file {name} holds more than {most} bytes")
    return found


def _said(manifest: dict[str, Any], name: str) -> tuple[int, str]:
    files = manifest.get("files")
    said = files.get(name) if isinstance(files, dict) else None
    size = said.get("bytes") if isinstance(said, dict) else None
    if not isinstance(said, dict) or isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise InvalidValue(f"the archive is damaged: its manifest says nothing of {name}")
    return size, str(said.get("sha256"))


def _hashed(archive: zipfile.ZipFile, name: str, manifest: dict[str, Any], most: int) -> bytes:
    size, digest = _said(manifest, name)
    if size > min(most, _TEXT_BYTES):
        raise InvalidValue(f"its file {name} has {size} bytes, which is more than {min(most, _TEXT_BYTES)}")
    found = _member(archive, name, size)
    if len(found) != size or hashlib.sha256(found).hexdigest() != digest:
        raise InvalidValue(f"the archive is damaged or was changed: {name} has not the sha256 that its manifest says")
    return found


def _hash_member(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
    size, digest = _said(manifest, lines.CONTENTS)
    told, read = hashlib.sha256(), 0
    with archive.open(lines.CONTENTS) as packed:
        while piece := packed.read(1 << 20):
            read += len(piece)
            if read > size:
                break
            told.update(piece)
    if read != size or told.hexdigest() != digest:
        raise InvalidValue(
            f"the archive is damaged or was changed: {lines.CONTENTS} has not the sha256 that its manifest says"
        )


def _check_versions(found: Archive, total: int, most: int) -> None:
    last: dict[str, int] = {}
    written: dict[str, int] = {}
    digests: dict[tuple[int, int, str], tuple[str, str]] = {}
    rev = skipped = size = 0
    for line in found.versions:
        at = f"version {line.version} of {line.key!r}"
        if line.rev < rev or line.version <= last.get(line.key, 0) or line.rev == written.get(line.key):
            raise InvalidValue(f"the archive is damaged: {at} is not in order")
        skipped += line.version - last.get(line.key, 0) - 1
        if skipped > _MOST_SKIPPED:
            raise InvalidValue(
                f"it leaves out more than {_MOST_SKIPPED} versions before {at}: it cannot be brought back"
            )
        rev, last[line.key], written[line.key] = line.rev, line.version, line.rev
        if line.offset + line.size > total:
            raise InvalidValue(f"the archive is damaged: {at} reaches beyond the values")
        size += line.size
        if size > most:  # lines can share bytes
            raise InvalidValue(f"its versions have more than {most} bytes up to {at}: raise most_bytes if you trust it")
        place = line.offset, line.size, line.kind
        if place not in digests:
            content = found.content(line)
            own = digest_of(lines.KIND_NAMES[line.kind], content).hex()
            digests[place] = hashlib.sha256(content).hexdigest(), own
        whole, own = digests[place]
        if whole != line.content or (line.kind != "gone" and line.hash not in ("", own)):
            raise InvalidValue(f"the archive is damaged or was changed: {at} has not the sha256 that it should have")
        if not own:
            raise InvalidValue(f"the archive is damaged: {at} is no {line.kind}")


def _check_rows(rows: list[RowLine]) -> None:
    seen = set()
    for row in rows:
        if row.pk == RECORD or (row.pk, row.sk) in seen:
            raise InvalidValue(f"the archive is damaged: the row {row.sk!r:.80} of {row.pk!r:.80} cannot be")
        seen.add((row.pk, row.sk))
        try:
            base64.b64decode(row.payload, validate=True)
            row.sk.encode()
        except ValueError:
            raise InvalidValue(
                f"the archive is damaged: the row {row.sk!r:.80} of {row.pk!r:.80} does not read"
            ) from None
