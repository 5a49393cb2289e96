"""The keys that a store is encrypted with: one that writes, and older ones that still read."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..extras import extra

VARIABLE = "SHAREDCTX_KEYS"
_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Keyring:
    """AES-256 keys by their ids, the first of which encrypts what is written; all of them decrypt.

    To change the key, put a new one in front and keep the old one behind it for as long as anything written with it is
    to be read. Ids stand beside what they encrypted and are no secret. Raises ``ConfigError``,
    ``PackageNotInstalled`` (the extra ``encryption``).
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        with extra("encryption", "encryption at rest"):
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        if not keys:
            raise ConfigError("a keyring needs at least one key: `sharedctx keygen` makes one")
        self._ciphers: dict[str, Any] = {}
        for name, key in keys.items():
            if not _ID.fullmatch(name):
                raise ConfigError(f"the key's id {name!r} is not 1 to 64 letters, digits, '.', '_' or '-'")
            if len(key) != _BYTES:
                raise ConfigError(f"the key {name!r} is not {_BYTES} bytes: `sharedctx keygen` makes one")
            self._ciphers[name] = AESGCM(key)
        self.current = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read ``ID:KEY,ID:KEY`` with keys in base64, as in the environment variable; raises ``ConfigError``."""
        keys = {}
        for number, part in enumerate(filter(None, map(str.strip, text.split(","))), 1):
            name, colon, key = part.partition(":")
            try:
                keys[name] = base64.b64decode(key, altchars=b"-_", validate=True)
            except ValueError:
                colon = ""
            if not colon:
                raise ConfigError(f"part {number} of the keys is not ID:KEY with the key in base64")
        return cls(keys)

    @classmethod
    def from_environment(cls) -> Keyring | None:
        """Return the keys of ``SHAREDCTX_KEYS``, None where it is not set."""
        text = os.environ.get(VARIABLE)
        return cls.parse(text) if text else None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the one that encrypts first."""
        return tuple(self._ciphers)

    def encrypt(self, data: bytes, associated: bytes) -> bytes:
        """Return nonce and ciphertext under the current key."""
        nonce = os.urandom(12)
        sealed: bytes = self._ciphers[self.current].encrypt(nonce, data, associated)
        return nonce + sealed

    def decrypt(self, key: str, data: bytes, associated: bytes) -> bytes | None:
        """Return what was encrypted under that key, None where it is not that; raises ``KeyError`` without the key."""
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self._ciphers[key].decrypt(data[:12], data[12:], associated)
        except (InvalidTag, ValueError):
            return None
        return opened


def generate(name: str) -> str:
    """Return a new key as ``ID:KEY``, for ``SHAREDCTX_KEYS``; raises ``ConfigError`` for a bad id."""
    key = os.urandom(_BYTES)
    Keyring({name: key})
    return f"{name}:{base64.urlsafe_b64encode(key).decode()}"
