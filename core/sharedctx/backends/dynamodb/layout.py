"""How rows lie in the table: keys of items, their attributes, and the changes of a commit as bytes.

Every item has a partition key ``h`` and a sort key ``r``, both text, which DynamoDB orders by code point.

=====================  ==================  ========================================================================
h                      r                   what
=====================  ==================  ========================================================================
prefix:space:NAME      m                   the space's state: u counts its changes, n last revision, k up to which
                                           the feed was cut, c rows, b bytes, i the store's id
prefix:space:NAME      rPK\\0\\0#0012        version 12 of a partition
prefix:space:NAME      rPK\\0\\0=TEXT        a collection row
prefix:space:NAME      f0017               feed: the changes of commits up to revision 17, and q, who sent them
prefix:space:NAME      lID                 parts of large values that no row names: not yet, or no longer
prefix:parts:NAME      ID-0003             a part of a large value
prefix:spaces          NAME                a space that there is or was
prefix:store           store, clock        the store's id and format; up to when something was found expired
=====================  ==================  ========================================================================

A row has n (revision), v (value), s (its size), x (expires) and p (``ID:COUNT`` of its parts) where it has them; a
version that was dropped while it was the newest stays with g alone, so that its number is not given again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from ...errors import InvalidKey
from ..base import Change, Refused, Row, SortKey

META: Final = "m"
DIGITS: Final = 16
INLINE: Final = 384 * 1024
"""Bytes of a value that lie in its row's own item, of which DynamoDB takes 400 KB; those of larger ones in parts."""

FACTS: Final = "r, n, x, s, p, g"
LONGEST: Final = 1000
"""Bytes of a name as it lies in the table; DynamoDB takes ``_MOST`` in a sort key."""

_MOST: Final = 1024
LAST: Final = "\U0010ffff" * (_MOST // 4)
_CHANGE: Final = struct.Struct(">QBHH")

Item = dict[str, dict[str, Any]]


class Held(NamedTuple):
    """What is known of a stored row without its value; ``parts`` names those of a large one."""

    rev: int
    size: int
    expires: float | None
    parts: str | None


class Keys:
    """The keys of items under one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.spaces = f"{prefix}:spaces"
        self.store = f"{prefix}:store"

    def space(self, space: str) -> str:
        """The partition of a space; raises ``InvalidKey`` for a name that is too long."""
        name = f"{self._prefix}:space:{space}"
        if len(space) > LONGEST // 4 and len(space.encode()) > LONGEST:
            raise InvalidKey(f"the space {space[:40]!r}... is too long: {LONGEST} bytes are the most in DynamoDB")
        return name

    def parts(self, space: str) -> str:
        """The partition of the parts of a space's large values."""
        return f"{self._prefix}:parts:{space}"


def key(h: str, r: str) -> Item:
    """The key of an item."""
    return {"h": {"S": h}, "r": {"S": r}}


def number(value: int) -> dict[str, str]:
    """A whole number as an attribute."""
    return {"N": str(value)}


def padded(value: int) -> str:
    """A number as text that sorts like it."""
    return str(min(max(value, 0), 10**DIGITS - 1)).zfill(DIGITS)


def base(pk: str) -> str:
    """How the sort keys of a partition's rows begin; no other partition's begin so, and they sort as partitions do."""
    return "r" + pk.replace("\0", "\0\1") + "\0\0"


def row_key(pk: str, sk: SortKey) -> str:
    """The sort key of a row; raises ``InvalidKey`` where DynamoDB does not take one so long."""
    found = base(pk) + (f"={sk}" if isinstance(sk, str) else f"#{padded(sk)}")
    if len(found) > LONGEST // 4 and len(found.encode()) > LONGEST:
        raise InvalidKey(
            f"the names {pk[:40]!r} and {str(sk)[:40]!r} are too long together: {LONGEST - 20} bytes are the most in "
            "a table of DynamoDB"
        )
    return found


def clipped(bound: str) -> str:
    """A bound that DynamoDB takes in place of one that is longer than any name there is."""
    return bound.encode()[:_MOST].decode(errors="ignore") if len(bound) > LONGEST // 4 else bound


def row_of(r: str) -> tuple[str, SortKey]:
    """The partition key and sort key that a row's sort key in the table stands for."""
    pk, _, rest = r[1:].partition("\0\0")
    return pk.replace("\0\1", "\0"), rest[1:] if rest[0] == "=" else int(rest[1:])


def bounds(pk: str, lo: SortKey, hi: SortKey | None) -> tuple[str, str]:
    """The first sort key of a range and the last, which may be the excluded ``hi`` itself."""
    start = base(pk)
    if isinstance(lo, str):
        return clipped(f"{start}={lo}"), clipped(f"{start}>" if hi is None else f"{start}={hi}")
    return f"{start}#{padded(lo)}", f"{start}#:" if hi is None else f"{start}#{padded(int(hi) - 1)}"


def following(text: str) -> str:
    """The first text after all that begin with this one, or the longest that there is, where nothing follows."""
    kept = text.rstrip("\U0010ffff")
    if not kept:
        return LAST
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if code == 0xD800 else code)


def held(item: Item) -> Held | None:
    """Read a row's facts; None for a version that is gone."""
    if "g" in item:
        return None
    expires = float(item["x"]["S"]) if "x" in item else None
    size = int(item["s"]["N"]) if "s" in item else 0
    return Held(int(item["n"]["N"]), size, expires, item["p"]["S"] if "p" in item else None)


def item_of(h: str, pk: str, sk: SortKey, row: Held, value: bytes) -> Item:
    """The item of a row; ``value`` is left out where it lies in parts."""
    item = key(h, row_key(pk, sk)) | {"n": number(row.rev), "s": number(row.size)}
    if row.expires is not None:
        item["x"] = {"S": repr(float(row.expires))}
    if row.parts is not None:
        item["p"] = {"S": row.parts}
    elif value:
        item["v"] = {"B": value}
    return item


def row(item: Item) -> tuple[Row, str | None]:
    """Read a row, with the name of its value's parts; one that is not ours has a ``Refused`` value."""
    pk, sk = row_of(item["r"]["S"])
    try:
        facts = held(item)
        value = bytes(item["v"]["B"]) if "v" in item else b""
    except (KeyError, ValueError, TypeError):
        return Row(pk, sk, Refused("the item is not a row of ours"), 0, None), None
    assert facts is not None
    return Row(pk, sk, value, facts.rev, facts.expires), facts.parts


def packed(changes: Iterable[Change]) -> bytes:
    """Changes as bytes, in order."""
    found = []
    for rev, pk, sk, op in changes:
        name, code = pk.encode(), (f"={sk}" if isinstance(sk, str) else f"#{sk}").encode()
        found.append(_CHANGE.pack(rev, op == "put", len(name), len(code)) + name + code)
    return b"".join(found)


def unpacked(data: bytes) -> Iterator[Change]:
    """The changes that ``packed`` made bytes of."""
    at = 0
    while at < len(data):
        rev, put, name, code = _CHANGE.unpack_from(data, at)
        at += _CHANGE.size
        pk, text = data[at : at + name].decode(), data[at + name : at + name + code].decode()
        at += name + code
        yield Change(rev, pk, text[1:] if text[0] == "=" else int(text[1:]), "put" if put else "drop")
