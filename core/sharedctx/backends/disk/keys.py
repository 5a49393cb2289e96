"""How rows of a space become keys of one ordered table.

::

    {space}-{pk}-{15 digits}        a version, as `Cache.push` of diskcache numbers it: from 500000000000000 up
    {space}-{pk}-~{sk}-{digits}     a collection row; the digits are its revision, so a replacement is an insert
    {space}--d{15 digits}           the drops of one commit, for the feed
    {space}--m{15 digits}           the compaction mark
    -format  -id  -clock            the store's own

Names are escaped so that "-" ends them and code-point order survives: a character up to "." becomes "." and a
character 0x30 higher, hence "-" sorts below everything that a name can contain.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ...errors import UnsafeRow
from ..base import SortKey

BASE = 499_999_999_999_999
LAST = 10**14
"""No partition comes to a version of this number; a key with a higher one is foreign."""
HOLE = "x"
"""The tag of rows that hold a number or a mark and are no rows to the caller."""

_ESCAPES = {code: "." + chr(0x30 + code) for code in range(0x2F)}
_PLAIN = re.compile(r"[-/-\U0010ffff]*")
_ESCAPED = re.compile(r"\.([0-^])")


@lru_cache(4096)
def escape(name: str) -> str:
    # A third of the time of translate, for nearly all names.
    return name.replace("-", ".]") if _PLAIN.fullmatch(name) else name.translate(_ESCAPES)


@lru_cache(4096)
def unescape(text: str) -> str:
    if "." not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(ord(found[1]) - 0x30), text)


def unescaped(text: str) -> str | None:
    """The name that is escaped so, None for what no name becomes."""
    name = unescape(text)
    return name if escape(name) == text else None


@lru_cache(8192)
def partition(space: str, pk: str) -> str:
    """The prefix of all rows of one partition."""
    return f"{escape(space)}-{escape(pk)}"


@lru_cache(8192)
def version_bounds(space: str, pk: str) -> tuple[str, str]:
    """Exclusive bounds around all versions of a partition."""
    prefix = partition(space, pk)
    return f"{prefix}-", f"{prefix}-~"


def version_key(prefix: str, number: int) -> str:
    return f"{prefix}-{number + BASE:015d}"


def number(key: str) -> int:
    """The number in the key of a version; raises ``UnsafeRow`` for a key that no version has."""
    digits = key[-15:]
    if key[-16:-15] == "-" and digits.isdecimal() and 0 < (found := int(digits) - BASE) <= LAST:
        return found
    raise UnsafeRow(f"a foreign row stands among the versions, with the key {key!r}: `doctor --repair` removes it")


def collection_start(prefix: str, sk: str) -> str:
    """A collection row's key but for its revision."""
    return f"{prefix}-~{escape(sk)}"


def collection_key(prefix: str, sk: str, rev: int) -> str:
    return f"{prefix}-~{escape(sk)}-{rev}"


def collection_bounds(prefix: str, sk: str) -> tuple[str, str]:
    """Exclusive bounds around the one row of this sort key."""
    start = f"{prefix}-~{escape(sk)}"
    return f"{start}-", f"{start}."


def scan_bounds(prefix: str, lo: SortKey, hi: SortKey | None) -> tuple[str, str]:
    """Bounds of ``lo <= sk < hi``: the first inclusive, the second exclusive; a name never equals a bound."""
    if isinstance(lo, str):
        return f"{prefix}-~{escape(lo)}", f"{prefix}-\x7f" if hi is None else f"{prefix}-~{escape(str(hi))}"
    first = version_key(prefix, min(max(lo, 1), LAST))
    return first, f"{prefix}-~" if hi is None or int(hi) > LAST else version_key(prefix, max(int(hi), 1))


def sort_key(key: str, prefix_length: int) -> SortKey:
    """Read the sort key out of a row's key; ``prefix_length`` is that of ``partition(...)``.

    Raises ``UnsafeRow`` for a key that no row of ours has.
    """
    if key[prefix_length + 1 : prefix_length + 2] != "~":
        return number(key)
    name, dash, digits = key[prefix_length + 2 :].partition("-")
    if name and dash and digits.isdecimal() and (found := unescaped(name)) is not None:
        return found
    raise UnsafeRow(f"a foreign row stands in a collection, with the key {key!r}: `doctor --repair` removes it")


def successor(text: str) -> str:
    """The least text above everything that starts with ``text``, which is not empty."""
    for index in range(len(text) - 1, -1, -1):
        code = ord(text[index])
        if code < 0x10FFFF:
            return text[:index] + chr(0xE000 if code == 0xD7FF else code + 1)
    return "\U0010ffff" * (len(text) + 1)
