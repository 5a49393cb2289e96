"""Collection rows at rest: what is kept beside versions and may be replaced, as JSON under a checksum.

::

    magic 2 | format 1 | checksum 12 | payload

The checksum (blake2b) is bound to the space, partition and sort key, so that a row moved elsewhere does not read; it is
not bound to the store, so that rows are copied as they are. In the format for large rows it is that of the payload's
CRC-32, which is made five times as fast. An empty row is a mark: it says only that it is there.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any, Final

from ..backends import steps
from ..backends.base import ANY, Drop, Put, Refused, Row, When
from ..backends.steps import Steps
from ..errors import DecodeError, UnsafeRow

_MAGIC: Final = b"\xc5\x72\x01"
_LARGE: Final = b"\xc5\x72\x02"
_CHECK: Final = 12
_START: Final = len(_MAGIC) + _CHECK


def seal(space: str, pk: str, sk: str, payload: bytes) -> bytes:
    """Return the row's value for ``payload``."""
    return b"".join((_MAGIC, _checksum(space, pk, sk, payload), payload))


def seal_large(space: str, pk: str, sk: str, payload: bytes) -> bytes:
    """The same for a payload of which many are read at once."""
    return b"".join((_LARGE, _checksum(space, pk, sk, _crc(payload)), payload))


def resealed(space: str, row: Row, target: str) -> bytes:
    """Return a row's value, checked, as it is sealed in the space ``target``; raises as ``unseal`` does."""
    payload = unseal_large(space, row)
    return b"".join((_MAGIC, _checksum(target, row.pk, str(row.sk), payload), payload))


def unseal(space: str, row: Row) -> bytes:
    """Return a row's payload; raises ``DecodeError`` (damaged, moved, not ours) or ``UnsafeRow``, naming the row."""
    return bytes(unseal_large(space, row))


def unseal_large(space: str, row: Row) -> memoryview:
    """The same without copying the payload."""
    at = f"{row.pk!r} row {row.sk!r}"
    if isinstance(row.value, Refused):
        raise UnsafeRow(f"{at}: a foreign row was found and not loaded ({row.value.reason})")
    if not row.value:
        return memoryview(b"")
    magic = row.value[: len(_MAGIC)]
    if magic not in (_MAGIC, _LARGE):
        raise DecodeError(f"{at}: the stored bytes are not sharedctx's, or of a newer one; other rows still read")
    payload = memoryview(row.value)[_START:]
    checked = payload if magic == _MAGIC else _crc(payload)
    if row.value[len(_MAGIC) : _START] != _checksum(space, row.pk, str(row.sk), checked):
        raise DecodeError(f"{at}: the stored bytes are damaged (checksum); other rows still read")
    return payload


def _checksum(space: str, pk: str, sk: str, payload: bytes | memoryview) -> bytes:
    bound = f"{len(space)}:{space}{len(pk)}:{pk}{len(sk)}:{sk}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(bound, digest_size=_CHECK)
    digest.update(payload)
    return digest.digest()


def _crc(payload: bytes | memoryview) -> bytes:
    return zlib.crc32(payload).to_bytes(4, "big")


class Collection:
    """The rows of one partition that hold JSON, by their sort keys."""

    def __init__(self, space: str, pk: str) -> None:
        self.space = space
        self.pk = pk

    def put(self, sk: str, data: Any, *, expires: float | None = None, when: When = ANY) -> Put:
        """Return the operation that writes a row."""
        payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return Put(self.pk, seal(self.space, self.pk, sk, payload), sk, expires, when)

    def drop(self, sk: str) -> Drop:
        """Return the operation that removes a row."""
        return Drop(self.pk, sk)

    def read(self, row: Row) -> Any:
        """Return what a row holds, None of a mark; raises ``DecodeError``."""
        payload = unseal(self.space, row)
        return json.loads(payload) if payload else None

    def get(self, sk: str) -> Steps[Any]:
        """Return what the row of this sort key holds, None where there is no row; raises ``DecodeError``."""
        row = yield from self.row(sk)
        return None if row is None else self.read(row)

    def row(self, sk: str) -> Steps[Row | None]:
        """Return the row of this sort key, unread."""
        rows = yield from steps.scan(self.space, self.pk, sk, f"{sk}\x00", limit=1)
        return rows[0] if rows else None

    def has(self, sk: str) -> Steps[bool]:
        """Return whether there is a row of this sort key, whatever it holds."""
        return (yield from self.row(sk)) is not None

    def rows(self, prefix: str = "", start: str = "") -> Steps[list[Row]]:
        """Return all rows whose sort keys start with ``prefix``, in order, from ``start`` on."""
        found: list[Row] = []
        after = max(prefix, start)
        while page := (yield from steps.scan(self.space, self.pk, after)):
            fitting = [row for row in page if str(row.sk).startswith(prefix)]
            found += fitting
            if len(fitting) < len(page):
                break
            after = f"{page[-1].sk}\x00"
        return found

    def all(self, prefix: str = "") -> Steps[dict[str, Any]]:
        """Return what the rows hold by their sort keys, in order; raises ``DecodeError``."""
        return {str(row.sk): self.read(row) for row in (yield from self.rows(prefix))}
