"""Where a record lies: ``memory/{scope}/{id}``, in segments that keys may have."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from sharedctx.entries.arguments import check_words
from sharedctx.entries.names import check_key
from sharedctx.errors import InvalidKey

ROOT = "memory"
_LONGEST = 80
_LETTER = re.compile(r"[\w-]", re.ASCII)
_PLAIN = re.compile(r"[\w-]{1,80}", re.ASCII)


def path(scope: str | None) -> str:
    """Return a scope's one spelling: from ``/``, without one at the end and without empty segments.

    Raises ``InvalidValue`` for what is no text.
    """
    return _spelled("" if scope is None else check_words("the scope", scope))


@lru_cache(1024)
def _spelled(scope: str) -> str:
    return "/" + "/".join(part for part in scope.split("/") if part)


def within(scope: str, prefix: str) -> bool:
    """Whether a scope is ``prefix`` or lies below it; both in their one spelling."""
    return prefix == "/" or scope == prefix or scope.startswith(f"{prefix}/")


def segment(text: str, what: str = "the id") -> str:
    """Return text as one segment of a key: as it is where it can be, else shortened and told apart by its hash.

    Raises ``InvalidValue`` for ``what`` is no text.
    """
    check_words(what, text)
    if _PLAIN.fullmatch(text):
        return text
    try:
        if len(text.encode()) <= _LONGEST and check_key(text) == text and not set("/~") & set(text):
            return text
    except (InvalidKey, UnicodeEncodeError):
        pass
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{''.join(_LETTER.findall(text))[:_LONGEST]}~{digest}"


def key(scope: str, own: str) -> str:
    """Return the key of the record ``own`` in a scope; deep scopes are shortened by a hash of the whole."""
    last = segment(own)
    name = f"{_above(path(scope))}/{last}"
    if len(name.encode()) <= 512:
        return name
    digest = hashlib.sha256(_above(path(scope)).removeprefix(f"{ROOT}/").encode()).hexdigest()[:24]
    return f"{ROOT}/~{digest}/{last}"


@lru_cache(1024)
def _above(scope: str) -> str:
    """What the keys of records in a scope begin with."""
    return "/".join((ROOT, *(segment(part) for part in scope.split("/") if part)))
