"""Packs of vectors at rest: the items of one commit or of many, with their vectors as rows of float32.

::

    header length 4 | header | vectors, little-endian float32

A header of some length is compressed by zstd, which its length tells with its highest bit.

The header's first line is JSON, ``[dimensions, count, versions, vectors, expiries, keys, facts, names]``: each a list
with a place for each item, or one value that all have, or of texts ``true``: then as many lines follow, one for each
item, which is read at a third of the time. Packs are payloads of collection rows, whose checksum covers them.
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
_LARGEST_HEADER: Final = 64 * 2**20
_SHORT: Final = 512
_PACKED: Final = 2**31
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


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


class Entry(NamedTuple):
    """What a commit tells the index of an entry: its new version, its vectors, facts to filter by, its expiry, and
    another name it is found by."""

    key: str
    version: int
    vectors: Sequence[Iterable[float]] = ()
    facts: Any = None
    expires: float | None = None
    name: str | None = None


class Pack(NamedTuple):
    """Items and the vectors of all of them, one after the other; ``alike`` when each item has one vector and a name of
    its own, and none expires."""

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


def unfit(key: str, size: int, dimensions: int) -> InvalidValue:
    """Return the error of a vector of another size than those that an index has."""
    return InvalidValue(
        f"the vector of {key!r} has {size} dimensions where the index has {dimensions}: use the embedder that made "
        "the index, or empty it"
    )


def told(
    entries: Iterable[Entry], gone: Iterable[tuple[str, int]], dimensions: int
) -> tuple[int, list[Item], list[bytes]]:
    """Return what a pack says of new versions and of those that removed entries: the dimensions of its vectors (0:
    those of the first), items, and the vectors in order; raises ``InvalidValue``."""
    items: list[Item] = []
    rows: list[bytes] = []
    for entry in entries:
        found = [floats(entry.key, vector) for vector in entry.vectors]
        for row in found:
            size = len(row) // FLOAT
            dimensions = dimensions or size
            if size != dimensions:
                raise unfit(entry.key, size, dimensions)
        rows += found
        facts = _JSON.encode(entry.facts)
        items.append(Item(entry.key, entry.version, len(found), facts, entry.expires, entry.name))
    items += [Item(key, version, None) for key, version in gone]
    return dimensions, items, rows


def encode(dimensions: int, items: Sequence[Item], rows: Iterable[bytes | memoryview]) -> bytes:
    """Return a pack's payload; ``rows`` are the bytes of the items' vectors in order."""
    keys, versions, vectors, facts, expiries, names = map(list, zip(*items, strict=True)) if items else ([],) * 6
    head: list[Any] = [dimensions, len(items), *map(_short, (versions, vectors, expiries))]
    lines = [""]
    for texts in (keys, facts, names):
        short = _short(texts)
        if isinstance(short, list) and None not in short and not any("\n" in text for text in short):
            lines += short
            short = True
        head.append(short)
    lines[0] = _JSON.encode(head)
    header, mark = "\n".join(lines).encode(), 0
    if len(header) > _SHORT:
        header, mark = zstd.compress(header, 3), _PACKED
    return b"".join((_LENGTH.pack(len(header) | mark), header, *rows))


def _short(column: list[Any]) -> Any:
    return column[0] if column and column.count(column[0]) == len(column) else column


def _long(column: Any, count: int) -> Iterable[Any]:
    return column if isinstance(column, list) else repeat(column, count)


def _items(header: str) -> tuple[int, list[Item], bool]:
    """The dimensions, the items and whether they are alike."""
    first, *lines = header.split("\n")
    dimensions, count, *numbers, keys, facts, names = json.loads(first)
    texts: list[Iterable[Any]] = []
    for column in (keys, facts, names):
        texts.append(lines[:count] if column is True else _long(column, count))
        if column is True:
            del lines[:count]
    versions, vectors, expiries = (_long(column, count) for column in numbers)
    called = list(texts[2])
    items = list(map(Item._make, zip(texts[0], versions, vectors, texts[1], expiries, called, strict=True)))
    alike = numbers[1:] == [1, None] and None not in called and len(set(called)) == count
    return dimensions, items, alike


def decode(payload: bytes | memoryview) -> Pack:
    """Read a pack; raises ``DecodeError``."""
    try:
        (length,) = _LENGTH.unpack_from(payload)
        end = _LENGTH.size + (length & ~_PACKED)
        header = bytes(payload[_LENGTH.size : end])
        if length & _PACKED:
            engine = zstd.ZstdDecompressor()
            header = engine.decompress(header, max_length=_LARGEST_HEADER)
            if not engine.eof:
                raise DecodeError("the header of a pack of vectors is cut or too long")
        dimensions, items, alike = _items(header.decode())
        count = len(items) if alike else sum(item.vectors or 0 for item in items)
    except (struct.error, zstd.ZstdError, EOFError, ValueError, TypeError) as error:
        raise DecodeError(f"a pack of vectors does not open: {error}") from error
    rest = memoryview(payload)[end:]
    if len(rest) != count * dimensions * FLOAT:
        raise DecodeError("a pack of vectors does not hold what its header says")
    return Pack(dimensions, items, rest, alike)
