"""The spelling of keys, session ids and participants."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..errors import ConfigError, InvalidKey

MAX_KEY_BYTES = 512
RESERVED = "\x01"
"""Partitions of the session's own start with this; keys cannot."""
NOTES = "notes/"
"""The keys of the session's notes start with this."""
_SESSION = re.compile(r"[A-Za-z0-9._-]{1,128}")
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")


def check_key(key: str) -> str:
    """Return ``key`` if it may name an entry; raises ``InvalidKey`` saying what is wrong and what to do.

    Keys are non-empty NFC text of at most 512 bytes in UTF-8, without control, direction or line characters and
    without ``..`` segments. ``/`` divides segments.
    """
    if not isinstance(key, str):
        raise InvalidKey(f"a key is text, not {type(key).__name__}: {key!r:.60}")
    return _checked(key)


@lru_cache(8192)
def _checked(key: str) -> str:
    if not key:
        raise InvalidKey("a key is not empty: name the entry")
    if not key.isascii() or not key.isprintable():
        for at, char in enumerate(key):
            if unicodedata.category(char) in _REFUSED and char not in _JOINERS:
                raise InvalidKey(f"the key {key!r} has the character U+{ord(char):04X} at {at}: leave it out")
        if not unicodedata.is_normalized("NFC", key):
            raise InvalidKey(f"the key {key!r} is not in Unicode NFC: pass unicodedata.normalize('NFC', key)")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidKey(f"the key {key[:40]!r}... has {len(key.encode())} bytes, at most {MAX_KEY_BYTES}: shorten it")
    if ".." in key.split("/"):
        raise InvalidKey(f"the key {key!r} has a '..' segment: use the entry's own path")
    return key


def check_session(session: str, what: str = "session id") -> str:
    """Return ``session`` if it may name one; raises ``ConfigError``, which says ``what`` it names."""
    if not isinstance(session, str):
        raise ConfigError(f"a {what} is text, not {type(session).__name__}")
    if not _SESSION.fullmatch(session) or session in (".", ".."):
        raise ConfigError(f"the {what} {session!r} is not 1 to 128 of A-Z a-z 0-9 . _ - (and not '.' or '..')")
    return session


def check_participant(name: str) -> str:
    """Return ``name`` if it may stand for an agent (printable, at most 255 bytes); raises ``ConfigError``."""
    if not isinstance(name, str):
        raise ConfigError(f"a participant is text, not {type(name).__name__}")
    if not name or not name.isprintable() or len(name.encode()) > 255:
        raise ConfigError(f"the participant {name!r} is not printable text of 1 to 255 bytes")
    return name
