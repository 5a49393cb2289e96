"""Where an item lies: namespace and key as segments of an entry's key, and every entry's key as namespace and key.

A segment is the text itself wherever keys may have it; other characters are percent-escaped. Labels of namespaces have
no periods and are not empty: in those of other frameworks' entries periods read as ``%2E``, an empty one as ``%FF``,
and what looks like either gets a ``25`` more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from sharedctx.entries.names import check_key
from sharedctx.errors import InvalidKey

Namespace = tuple[str, ...]

_EMPTY = "%FF"
_ESCAPES = re.compile(r"(?:%[0-9A-F]{2})+")
_AMBIGUOUS = re.compile(r"%(?=[0-9A-F]{2})")
_PERIOD = "%2E"
_LIKE_PERIOD = re.compile(r"%(?=(?:25)*2E)")
_MARKED_PERIOD = re.compile(r"%25(?=(?:25)*2E)")
_LIKE_EMPTY = re.compile(r"%(?:25)*FF")


def address(namespace: Sequence[str], key: str) -> str:
    """Return the entry's key of an item; raises ``InvalidKey`` for one that is too long."""
    return _address(tuple(namespace), key)


@lru_cache(8192)
def _address(namespace: Namespace, key: str) -> str:
    return check_key("/".join((*map(_label_segment, namespace), _segment(key))))


@lru_cache(8192)
def place(address: str) -> tuple[Namespace, str]:
    """Return the namespace and key of an entry; those of top-level entries have the namespace ``()``."""
    *labels, key = address.split("/")
    return tuple(map(_label, labels)), _text(key)


def _label(segment: str) -> str:
    if not segment:
        return _EMPTY
    if _LIKE_EMPTY.fullmatch(segment):
        return segment.replace("%", "%25")
    return _LIKE_PERIOD.sub("%25", _text(segment)).replace(".", _PERIOD)


def _label_segment(label: str) -> str:
    if label == _EMPTY:
        return ""
    if _LIKE_EMPTY.fullmatch(label):
        return label.replace("%25", "%", 1)
    return _segment(_MARKED_PERIOD.sub("%", label.replace(_PERIOD, ".")))


def _segment(text: str) -> str:
    """Return the segment that stands for a text, no two for the same: itself, unless it is one that stands for another
    text or keys cannot have it."""
    if _fits(text) and (("%" not in text) or (plain := _unescaped(text)) == text or _segment(plain) != text):
        return text
    return _escaped(text)


def _text(segment: str) -> str:
    """Return the text that a segment stands for."""
    if "%" not in segment:
        return segment
    plain = _unescaped(segment)
    return plain if plain != segment and _segment(plain) == segment else segment


def _fits(text: str) -> bool:
    try:
        return "/" not in text and check_key(text) == text
    except (InvalidKey, UnicodeEncodeError):
        return False


def _escaped(text: str) -> str:
    if not text:
        return _EMPTY
    if set(text) == {"."}:
        return _PERIOD * len(text)
    if not unicodedata.is_normalized("NFC", text):
        return quote(text, safe=" ", errors="surrogatepass")
    plain = _AMBIGUOUS.sub("%25", text)
    return "".join(char if _fits(char) else quote(char, "", None, "surrogatepass") for char in plain)


def _unescaped(segment: str) -> str:
    if segment == _EMPTY:
        return ""

    def read(found: re.Match[str]) -> str:
        try:
            return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return found[0]

    return _ESCAPES.sub(read, segment)
