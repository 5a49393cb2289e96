"""Encryption at rest: any backend, with the values of its rows encrypted. Names of spaces, keys and rows are not.

::

    magic 3 | length of the key's id 1 | key's id | nonce 12 | AES-256-GCM ciphertext and tag

The store, space, partition and (of collection rows) sort key are associated data, so that a value moved elsewhere does
not open; a version's own checksum, inside, binds it to its number. A mark made with the first key tells whoever opens
the store that it is encrypted. An empty value is a mark without content and stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import ConditionFailed, ConfigError
from .base import ABSENT, NEXT, Backend, Change, Commit, Committed, Grounds, Op, Put, Refused, Row, SortKey
from .capabilities import Backup, Dated, Prompt, Repair
from .keyring import VARIABLE, Keyring

_MAGIC: Final = b"\xc5\x65\x01"
_MARK: Final = ("store", "encryption", "mark")
_MARKED: Final = b"encrypted"


def guarded(backend: Backend, keyring: Keyring | None) -> Backend:
    """Return the backend as it is to be used: encrypted with a keyring, as it is without one.

    Raises ``ConfigError`` when the store is encrypted and the keys are missing, or holds rows that are not.
    """
    space, pk, sk = _MARK
    found = None if keyring is None else Encrypted(backend, keyring)
    while not (rows := backend.scan(space, pk, sk, f"{sk}\0", limit=1)):
        if found is None:
            return backend
        if backend.spaces(limit=1):
            raise ConfigError(
                f"{backend.describe()['address']} holds rows that are not encrypted: open it without keys, or copy it "
                "into a new store with them"
            )
        try:
            backend.commit(space, (Put(pk, found.seal(space, pk, sk, _MARKED), sk, when=ABSENT),))
        except ConditionFailed:
            continue
    if found is None:
        raise ConfigError(f"{backend.describe()['address']} is encrypted: give its keys as keyring= or in {VARIABLE}")
    opened = found.open(space, rows[0]).value
    if isinstance(opened, Refused):
        raise ConfigError(f"{backend.describe()['address']} does not open with these keys: {opened.reason}")
    return found


@dataclass(frozen=True)
class Encrypted:
    """A backend over ``inner`` that encrypts each value before it is written."""

    inner: Backend
    keyring: Keyring

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def local(self) -> bool:
        return self.inner.local

    @property
    def rev_tells_all(self) -> bool:
        return self.inner.rev_tells_all

    @property
    def prompt(self) -> bool:
        return isinstance(self.inner, Prompt) and self.inner.prompt

    def seal(self, space: str, pk: str, sk: SortKey | None, value: bytes) -> bytes:
        """Encrypt a value for its place; ``sk`` None: a version."""
        if not value:
            return value
        name = self.keyring.current.encode()
        return b"".join((_MAGIC, bytes((len(name),)), name, self.keyring.encrypt(value, self._place(space, pk, sk))))

    def open(self, space: str, row: Row) -> Row:
        """Decrypt a row; one that does not open has a ``Refused`` value that says why."""
        value = row.value
        if not value or isinstance(value, Refused):
            return row
        if not value.startswith(_MAGIC):
            return row._replace(value=Refused("it lies unencrypted in an encrypted store"))
        end = len(_MAGIC) + 1 + value[len(_MAGIC)] if len(value) > len(_MAGIC) else len(value)
        name = value[len(_MAGIC) + 1 : end].decode("ascii", "replace")
        place = self._place(space, row.pk, row.sk if isinstance(row.sk, str) else None)
        try:
            opened = self.keyring.decrypt(name, value[end:], place)
        except KeyError:
            known = ", ".join(self.keyring.ids)
            return row._replace(value=Refused(f"it needs the key {name!r}, and the keyring has {known}"))
        if opened is None:
            return row._replace(value=Refused(f"it is damaged, or its key {name!r} is another key than was given"))
        return row._replace(value=opened)

    def _place(self, space: str, pk: str, sk: SortKey | None) -> bytes:
        parts = (self.inner.id, space, pk, "" if sk is None else f"={sk}")
        return "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")

    def _sealed(self, space: str, ops: Sequence[Op]) -> list[Op]:
        return [
            op._replace(value=self.seal(space, op.pk, None if op.sk is NEXT else op.sk, op.value))
            if isinstance(op, Put) and op.value.__class__ is bytes
            else op
            for op in ops
        ]

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        return self.inner.commit(space, self._sealed(space, ops), if_rev)

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        sealed = [(space, self._sealed(space, ops), if_rev) for space, ops, if_rev in commits]
        return self.inner.commit_many(sealed, grounds)

    def scan(
        self,
        space: str,
        pk: str,
        lo: SortKey = 1,
        hi: SortKey | None = None,
        *,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[Row]:
        rows = self.inner.scan(space, pk, lo, hi, limit=limit, newest_first=newest_first)
        return [self.open(space, row) for row in rows]

    def newest(self, space: str, pk: str) -> tuple[Row, int] | None:
        if isinstance(self.inner, Dated):
            found = self.inner.newest(space, pk)
            return None if found is None else (self.open(space, found[0]), found[1])
        rev = self.inner.rev(space)
        rows = self.scan(space, pk, limit=1, newest_first=True)
        return (rows[0], rev) if rows else None

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        return self.inner.pks(space, prefix, after, limit)

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        found = self.inner.spaces(prefix, after, limit + 1)
        return [space for space in found if space != _MARK[0]][:limit]

    def rev(self, space: str) -> int:
        return self.inner.rev(space)

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        return self.inner.changes(space, since, limit)

    def wait(self, space: str, since: int, timeout: float) -> bool:
        return self.inner.wait(space, since, timeout)

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        return self.inner.reclaim(space, pk, before, expired_at)

    def clock(self) -> float:
        return self.inner.clock() if isinstance(self.inner, Dated) else self.inner.now()

    def now(self) -> float:
        return self.inner.now()

    def expired(self, expires: float | None) -> bool:
        return self.inner.expired(expires)

    def describe(self) -> dict[str, Any]:
        return {**self.inner.describe(), "encrypted_with": self.keyring.current}

    def verify(self) -> list[str]:
        return self.inner.verify()

    def repair(self) -> list[str]:
        return self.inner.repair() if isinstance(self.inner, Repair) else []

    def backup(self, path: str) -> None:
        if not isinstance(self.inner, Backup):
            raise ConfigError(
                f"{self.inner.describe()['address']} has no copy of itself to give: `sharedctx copy` does it"
            )
        self.inner.backup(path)

    def close(self) -> None:
        self.inner.close()
