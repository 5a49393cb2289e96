"""The rows of an audit log: canonical JSON behind a digest that covers it and the digest before it.

::

    digest 32 | {"acts": [[action, key, version, hash, expires, detail], ...], "at", "key_id", "number", "prev", "who"}

The digest is sha256, or HMAC-SHA256 where a key is set: then only who has the key can make a row that fits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ..errors import ConfigError, DecodeError, InvalidValue
from ..versions.witness import Act

VARIABLE: Final = "SHAREDCTX_AUDIT_KEY"
LEAST_KEY: Final = 16
START: Final = bytes(32)
"""What the first row of a chain follows."""
_HEAD = re.compile(r"([^\s:]+:)?([A-Za-z0-9._-]+)@(\d{1,15}):([0-9a-f]{64})")


class AuditRecord(NamedTuple):
    """One act. ``number`` is its row in the chain, which acts of one commit share; ``at`` is seconds since the epoch,
    ``participant`` who did it (None: the owner, or the store by itself), ``action`` one of put, delete, rollback,
    erase, trim, evict, grant, revoke, configure, import, denied, begin, end, resume, delete_session; ``hash`` the
    sha256 of the value in hex, ``expires_at`` when it was to expire."""

    number: int
    at: float
    participant: str | None
    action: str
    key: str
    version: int | None
    hash: str
    expires_at: float | None
    detail: str

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return self._asdict()


class AuditHead(NamedTuple):
    """The newest row of a chain: kept elsewhere, it shows later whether the chain was cut or written anew."""

    space: str
    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.space}@{self.number}:{self.digest}"

    @staticmethod
    def parse(text: AuditHead | str) -> AuditHead:
        """Read what ``str`` gave; raises ``InvalidValue``."""
        if isinstance(text, AuditHead):
            return text
        found = _HEAD.fullmatch(str(text))
        if found is None:
            raise InvalidValue(f"{text!r:.200} is no head of an audit log: give what audit_head() gave, as text")
        return AuditHead(f"{found[1] or ''}{found[2]}", int(found[3]), found[4])


class Line(NamedTuple):
    """One row as it lies in the store."""

    number: int
    at: float
    who: str
    acts: tuple[Act, ...]
    key_id: str
    prev: bytes
    digest: bytes
    payload: bytes

    def records(self) -> list[AuditRecord]:
        """The row's acts, for people."""
        return [AuditRecord(self.number, self.at, self.who or None, *act) for act in self.acts]


def check_key(key: bytes | str | None) -> bytes | None:
    """Return the key that audit logs are authenticated with, if any; raises ``ConfigError``, which does not tell it."""
    if key is None:
        key = os.environ.get(VARIABLE) or None
    if key is None:
        return None
    data = key.encode() if isinstance(key, str) else bytes(key)
    if len(data) < LEAST_KEY:
        raise ConfigError(f"the key of audit logs ({VARIABLE}) has fewer than {LEAST_KEY} bytes: take random ones")
    return data


def key_id(key: bytes | None) -> str:
    """A name for the key that does not tell it; empty without a key."""
    return "" if key is None else hashlib.sha256(b"sharedctx audit key" + key).hexdigest()[:12]


def write(number: int, at: float, who: str, acts: Sequence[Act], prev: bytes, key: bytes | None) -> bytes:
    """Make the content of a row."""
    told = {
        "acts": [list(act) for act in acts],
        "at": at,
        "key_id": key_id(key),
        "number": number,
        "prev": prev.hex(),
        "who": who,
    }
    payload = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8", "replace")
    return digest(prev, payload, key) + payload


def digest(prev: bytes, payload: bytes, key: bytes | None) -> bytes:
    """The digest of a row that follows the one of digest ``prev``."""
    whole = prev + payload
    return hashlib.sha256(whole).digest() if key is None else hmac.digest(key, whole, "sha256")


def read(content: bytes) -> Line:
    """Read the content of a row, unchecked; raises ``DecodeError`` for what is none."""
    payload = bytes(content[32:])
    try:
        told = json.loads(payload)
        acts = tuple(Act(*act) for act in told["acts"])
        prev = bytes.fromhex(told["prev"])
        number, at, who, name = int(told["number"]), float(told["at"]), str(told["who"]), str(told["key_id"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DecodeError(f"this is no row of an audit log: {error}") from error
    return Line(number, at, who, acts, name, prev, bytes(content[:32]), payload)
