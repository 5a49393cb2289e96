"""Bytes at rest: one self-describing, checksummed blob for each version.

::

    magic 2 | format 1 | kind 1 | compression 1 | flags 1 | size 4 | timestamp 8 | agent length 1 | note length 2
    | checksum 12 | [sha256 32] | agent | note | payload

The payload of a delta begins with how many versions back its base is (2) and the base's CRC-32 (4): a difference that
meets another content than it was made from does not read.

All numbers are big-endian. The checksum (blake2b) covers everything but itself and is bound to the store, space, key
and version, so that a blob moved elsewhere does not read; a payload that is what the sha256 was taken of is covered by
that, which the checksum covers. Decoding follows the header alone: it never guesses, never
unpickles, and never inflates beyond the size that the header states.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import Any, Final, NamedTuple
from zlib import crc32

from ..backends.base import MAX_VALUE_BYTES, Refused
from ..errors import DecodeError, UnsafeRow, ValueTooLarge
from .delta import deflate, difference, inflate, restore

_HEADER: Final = struct.Struct(">2sBBBBIdBH")
_BACK: Final = struct.Struct(">HI")
_MAGIC: Final = b"\xc5\x78"
_FORMAT: Final = 1
_CHECK: Final = 12
_START: Final = _HEADER.size + _CHECK
_FLAGS: Final = 5
_HASHED: Final = 1
_COVERED: Final = 2
"""The sha256 is that of the payload."""
_RAW_BELOW: Final = 256


class Kind(IntEnum):
    """What a version's bytes are."""

    GONE = 0
    BYTES = 1
    TEXT = 2
    JSON = 3


class Compression(IntEnum):
    """How the payload is stored; a delta needs the version ``base`` steps before."""

    RAW = 0
    ZSTD = 1
    DELTA = 2


# By names of their own: Python 3.11 takes 0.1 us to find the member of an enumeration.
GONE: Final = Kind.GONE
BYTES: Final = Kind.BYTES
TEXT: Final = Kind.TEXT
RAW: Final = Compression.RAW
_DELTA: Final = Compression.DELTA
_KINDS: Final = {int(kind): kind for kind in Kind}
_COMPRESSIONS: Final = {int(compression): compression for compression in Compression}


class Blob(NamedTuple):
    """A blob's header: everything about a version but its content."""

    kind: Kind
    compression: Compression
    size: int
    timestamp: float
    agent: str
    note: str
    sha256: bytes | None
    payload: bytes
    back: int

    @property
    def live(self) -> bool:
        """Whether this version is a value and not the mark of a removal."""
        return self.kind is not GONE


def binding(store: str, space: str, pk: str, version: int) -> bytes:
    """The identity that a blob's checksum is bound to."""
    return f"{len(store)}:{store}{len(space)}:{space}{len(pk)}:{pk}{version}".encode("utf-8", "surrogatepass")


def seal(bound: bytes, kind: Kind, content: bytes, **header: Any) -> bytes:
    """Make a blob of ``content``; keywords are those of ``encode``."""
    return encode(bound, kind, content, **header)[0]


def encode(
    bound: bytes,
    kind: Kind,
    content: bytes,
    *,
    timestamp: float,
    agent: str = "",
    note: str = "",
    sha256: bytes | None = None,
    base: tuple[int, bytes] | None = None,
    compress: bool = True,
    hashed: bool = False,
) -> tuple[bytes, Blob]:
    """Make a blob of ``content`` and its header.

    ``base`` is (versions back, that version's content) for a delta to be tried; without ``compress`` the content is
    stored as it is; ``hashed`` says that ``sha256`` is that of the content. Raises ``ValueTooLarge`` above 64 MiB.
    """
    if len(content) > MAX_VALUE_BYTES:
        raise ValueTooLarge(f"a value holds at most {MAX_VALUE_BYTES} bytes, this one has {len(content)}: split it")
    compression, payload = _pack(content, base) if compress and len(content) >= _RAW_BELOW else (RAW, content)
    who, what = agent.encode()[:255], note.encode()[:65535]
    flags = 0 if sha256 is None else _HASHED | _COVERED if hashed and compression is RAW else _HASHED
    header = _HEADER.pack(_MAGIC, _FORMAT, kind, compression, flags, len(content), timestamp, len(who), len(what))
    body = b"".join((sha256 or b"", who, what))
    checksum = _checksum(bound, header, body, b"" if flags & _COVERED else payload)
    blob = b"".join((header, checksum, body, payload))
    back = 0 if base is None or compression is not _DELTA else base[0]
    if len(who) == 255 or len(what) == 65535:
        agent, note = who.decode("utf-8", "replace"), what.decode("utf-8", "replace")
    return blob, Blob(kind, compression, len(content), timestamp, agent, note, sha256, payload, back)


def parse(bound: bytes, blob: bytes) -> Blob:
    """Read and check a blob's header; raises ``DecodeError`` (damaged, not ours) or ``UnsafeRow``."""
    if isinstance(blob, Refused):
        raise UnsafeRow(f"a foreign row was found and not loaded ({blob.reason})")
    if len(blob) < _START or blob[:2] != _MAGIC:
        raise DecodeError("the stored bytes are not a sharedctx version")
    _, form, kind, compression, flags, size, timestamp, who, what = _HEADER.unpack_from(blob)
    if form != _FORMAT:
        raise DecodeError(f"the version has blob format {form}, this sharedctx reads {_FORMAT}: upgrade sharedctx")
    header, body = blob[: _HEADER.size], blob[_START:]
    at = 32 if flags & _HASHED else 0
    payload = body[at + who + what :]
    damaged = blob[_HEADER.size : _START] != _checksum(bound, header, _covered(flags, body, at + who + what))
    if damaged or (flags & _COVERED and body[:at] != hashlib.sha256(payload).digest()):
        raise DecodeError("the stored bytes are damaged (checksum)")
    try:
        return Blob(
            kind=_KINDS[kind],
            compression=_COMPRESSIONS[compression],
            size=size,
            timestamp=timestamp,
            agent=body[at : at + who].decode("utf-8", "replace"),
            note=body[at + who : at + who + what].decode("utf-8", "replace"),
            sha256=body[:32] if at else None,
            payload=payload,
            back=_BACK.unpack_from(payload)[0] if compression == _DELTA else 0,
        )
    except (KeyError, struct.error) as error:
        raise DecodeError(f"the stored header makes no sense: {error}") from error


def rebind(old: bytes, new: bytes, blob: bytes) -> bytes:
    """Return a blob, checked, as it is bound to another place; its content is not decoded."""
    found = parse(old, blob)
    header, body = blob[: _HEADER.size], blob[_START:]
    covered = _covered(header[_FLAGS], body, len(body) - len(found.payload))
    return b"".join((header, _checksum(new, header, covered), body))


def content(blob: Blob, base: bytes | None) -> bytes:
    """Return the content; ``base`` is that of the version ``blob.back`` before, for a delta."""
    if blob.size > MAX_VALUE_BYTES:
        raise DecodeError(f"the stored size {blob.size} is over the limit of {MAX_VALUE_BYTES} bytes")
    if blob.compression is RAW:
        found = blob.payload
    elif blob.compression is Compression.ZSTD:
        found = inflate(blob.payload, blob.size)
    elif base is None:
        raise DecodeError("the version that this one builds on cannot be read")
    else:
        if _BACK.unpack_from(blob.payload)[1] != crc32(base):
            raise DecodeError("the version before is not the one that this difference was made from")
        found = restore(blob.payload[_BACK.size :], blob.size, base)
    if len(found) != blob.size:
        raise DecodeError(f"the content has {len(found)} bytes where {blob.size} were stored")
    return found


def _covered(flags: int, body: bytes, payload: int) -> bytes:
    """The part of a body, whose payload begins there, that its checksum covers."""
    return body[:payload] if flags & _COVERED else body


def _checksum(bound: bytes, *parts: bytes) -> bytes:
    digest = hashlib.blake2b(bound, digest_size=_CHECK)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _pack(data: bytes, base: tuple[int, bytes] | None) -> tuple[Compression, bytes]:
    if base is not None:
        delta = _BACK.pack(base[0], crc32(base[1])) + difference(data, base[1])
        if len(delta) * 2 < len(data):
            return Compression.DELTA, delta
    packed = deflate(data)
    return (Compression.ZSTD, packed) if len(packed) < len(data) else (Compression.RAW, data)
