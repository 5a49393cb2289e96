"""Packs of vectors at rest: the items of one commit or of many, with their vectors as rows of float32.

::

    header length 4 | header (JSON, zstd) | zeros up to 16 | vectors, little-endian float32

The header is ``[dimensions, keys, versions, vectors, facts, expiries, names]``: lists with a place for each item, or
one value that all have. Packs are payloads of collection rows, whose checksum covers them.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from ..errors import DecodeError, InvalidValue

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FLOAT: Final = 4
_LENGTH: Final = struct.Struct(">I")
_ALIGNED: Final = 16
_LARGEST_HEADER: Final = 64 * 2**20


class Item(NamedTuple):
    """What an index knows of an entry: its version, how many vectors it has (None: it is gone), facts to filter by (as
    JSON text), its expiry, and another name that it is found by."""

    key: str
    version: int
    vectors: int | None = 0
    facts: str = "null"
    expires: float | None = None
    name: str | None = None

    def read_facts(self) -> Any:
        """Return the facts as they were given."""
        return json.loads(self.facts)


class Pack(NamedTuple):
    """Items and the vectors of all of them, one after the other; ``alike`` when each item has one vector and another
    name, and none expires."""

    dimensions: int
    items: list[Item]
    floats: bytes | memoryview
    alike: bool = False


def floats(key: str, vector: Iterable[float]) -> bytes:
    """Return a vector as it is stored; raises ``InvalidValue`` for one that is empty or not of finite numbers."""
    try:
        found = array("f", vector)
    except (TypeError, OverflowError, ValueError) as error:
        raise InvalidValue(f"the vector of {key!r} is not a row of numbers: {error}") from None
    if not found or not math.isfinite(sum(found)):
        raise InvalidValue(f"the vector of {key!r} is empty or has a number that is not finite: embed the text anew")
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def encode(dimensions: int, items: Sequence[Item], rows: Iterable[bytes | memoryview]) -> bytes:
    """Return a pack's payload; ``rows`` are the bytes of the items' vectors in order."""
    keys, versions, *columns = map(list, zip(*items, strict=True)) if items else ([], [])
    short = [column[0] if column.count(column[0]) == len(column) else column for column in columns]
    text = json.dumps([dimensions, keys, versions, *short], ensure_ascii=False, separators=(",", ":"))
    header = zstd.compress(text.encode(), 3)
    padding = b"\0" * (-(_LENGTH.size + len(header)) % _ALIGNED)
    return b"".join((_LENGTH.pack(len(header)), header, padding, *rows))


def _all_named(names: Any, count: int) -> bool:
    return None not in names if isinstance(names, list) else names is not None and count == 1


def decode(payload: bytes | memoryview) -> Pack:
    """Read a pack; raises ``DecodeError``."""
    try:
        (length,) = _LENGTH.unpack_from(payload)
        end = _LENGTH.size + length
        engine = zstd.ZstdDecompressor()
        header = engine.decompress(payload[_LENGTH.size : end], max_length=_LARGEST_HEADER)
        if not engine.eof:
            raise DecodeError("the header of a pack of vectors is cut or too long")
        dimensions, keys, versions, *short = json.loads(header)
        columns = [column if isinstance(column, list) else repeat(column, len(keys)) for column in short]
        items = list(map(Item, keys, versions, *columns))
        count = len(items) if short[:1] == [1] else sum(item.vectors or 0 for item in items)
        alike = short[:1] == [1] and short[2] is None and _all_named(short[3], len(keys))
    except (struct.error, zstd.ZstdError, EOFError, ValueError, TypeError) as error:
        raise DecodeError(f"a pack of vectors does not open: {error}") from error
    rest = memoryview(payload)[end + (-end % _ALIGNED) :]
    if len(rest) != count * dimensions * FLOAT:
        raise DecodeError("a pack of vectors does not hold what its header says")
    return Pack(dimensions, items, rest, alike)
