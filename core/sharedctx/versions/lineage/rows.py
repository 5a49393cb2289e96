"""How a state and its additions lie in rows of one partition.

::

    sort key  ID            a state: its parent, its head and table, the parts that it changed
    sort key  ID \x01 NNNN  the additions to that state, numbered as they came

    payload of a state:     count of ids, ids | count of pieces, pieces | their bytes, head and table first
    an id:                  twice its length, text | 1, the 16 bytes of a UUID
    a piece:                kind 1 | size | length of its bytes | length of its name, name
                            [| place of the base among the ids | base's stamp 4 | step | additions] [| own stamp 4]
    payload of an addition: kind 1 | size | count of parts | length of its name, name, stamp 4, for each | bytes

Numbers without a width take a byte for every 7 bits, the lowest first. The kind says in its upper bits which of the
bracketed fields follow.

A piece is what one part was changed to: as it is, compressed (a head with the parent's as dictionary), or as its
difference from the piece of an earlier state, which it names by id and stamp. The ids begin with the parent's, empty
for none. A piece's stamp is the checksum of its bytes and its base's stamp, unless the row was stored anew: then it
stands in the row. The rows are sealed like all collection rows, bound to space, partition and sort key.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

from ...backends.base import MAX_VALUE_BYTES, Row
from ...errors import DecodeError, InvalidKey
from ..collection import unseal
from ..delta import inflate

MARK: Final = "\x01"
AFTER: Final = "\x02"
HEAD: Final = ""
"""The name of the piece that holds a state's table and head."""
RAW, WHOLE, DELTA, BESIDE = range(4)
_BASED: Final = 0x10
_STAMPED: Final = 0x20
_UUID: Final = 1
_STAMP: Final = struct.Struct(">I")
_LOW: Final = [bytes((number,)) for number in range(128)]


class Ref(NamedTuple):
    """A piece of an earlier state: that state's id, and the stamp that the piece must bear."""

    id: str
    stamp: int


class Piece(NamedTuple):
    """What a part was changed to. ``step`` counts the changes since it was whole, ``also`` the additions to the
    state's parent that served as dictionary."""

    kind: int
    size: int
    stamp: int
    payload: bytes
    step: int = 0
    base: Ref | None = None
    also: int = 0


class StateRow(NamedTuple):
    """A state as its row says; ``pieces`` are the parts it changed, ``head`` the piece of its table and head, ``rev``
    the revision that wrote it, None while it is being written."""

    id: str
    parent: str | None
    head: Piece
    pieces: dict[str, Piece]
    sealed: bytes
    expires: float | None
    rev: int | None = None

    def piece(self, name: str) -> Piece | None:
        """The piece of that part, or of the head."""
        return self.head if name == HEAD else self.pieces.get(name)

    def builds_on(self) -> set[str]:
        """The ids of the states without which this one cannot be read."""
        found = {piece.base.id for piece in (self.head, *self.pieces.values()) if piece.base is not None}
        if self.parent is not None and any(piece.also for piece in self.pieces.values()):
            found.add(self.parent)
        return found


class Addition(NamedTuple):
    """One addition as its row says; ``dictionary`` names parts of its own state, whole ones, by name and stamp."""

    kind: int
    size: int
    payload: bytes
    dictionary: list[tuple[str, int]]


def stamp(payload: bytes, base: Ref | None) -> int:
    """What tells one piece from another that was put under the same id."""
    return zlib.crc32(payload, 0 if base is None else base.stamp)


def check_id(id: str) -> str:
    """Return the id of a state; raises ``InvalidKey`` for one that could not be told from additions."""
    if not id or min(id) <= AFTER:
        raise InvalidKey(f"{id!r} is no id of a state: it must be text without control characters")
    return id


def addition_key(id: str, number: int) -> str:
    return f"{id}{MARK}{number:04d}"


def split(sk: str) -> tuple[str, int | None]:
    """Return the id of a row's state, and the number of the addition, None for the state itself."""
    id, mark, number = sk.partition(MARK)
    return id, int(number) if mark else None


def pack_state(parent: str | None, head: Piece, pieces: dict[str, Piece], *, anew: bool = False) -> bytes:
    """Return the payload of a state's row; of one that is stored ``anew`` the pieces keep their stamps."""
    ids = [parent or ""]
    entries: list[bytes] = [_number(1 + len(pieces))]
    bodies: list[bytes] = [head.payload]
    _entry(entries, ids, HEAD, head, anew)
    for name, piece in pieces.items():
        _entry(entries, ids, name, piece, anew)
        bodies.append(piece.payload)
    return b"".join((_number(len(ids)), *[_packed_id(id) for id in ids], *entries, *bodies))


def _entry(entries: list[bytes], ids: list[str], name: str, piece: Piece, anew: bool) -> None:
    """Add what a row says of a piece, and the id of its base where it is not there yet."""
    kind, size, own, payload, step, base, also = piece
    stamped = anew and own != stamp(payload, base)
    mark = kind | (_BASED if base is not None else 0) | (_STAMPED if stamped else 0)
    entries += (_LOW[mark], _number(size), _number(len(payload)), _text(name))
    if base is not None:
        if base.id not in ids:
            ids.append(base.id)
        entries += (_number(ids.index(base.id)), _STAMP.pack(base.stamp), _number(step), _number(also))
    if stamped:
        entries.append(_STAMP.pack(own))


def _number(number: int) -> bytes:
    if number < 128:
        return _LOW[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _text(text: str) -> bytes:
    found = text.encode("utf-8", "surrogatepass")
    return _number(len(found)) + found


@lru_cache(4096)
def _packed_id(id: str) -> bytes:
    """A UUID in 17 bytes, other ids as they are."""
    if len(id) == 36 and id[8] == id[13] == id[18] == id[23] == "-":
        with contextlib.suppress(ValueError):
            digits = id.replace("-", "")
            found = bytes.fromhex(digits)
            if found.hex() == digits:
                return _LOW[_UUID] + found
    text = id.encode("utf-8", "surrogatepass")
    return _number(2 * len(text)) + text


def _uuid(found: bytes) -> str:
    text = found.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Reader:
    """Goes through a payload."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        return self.numbers(1)[0]

    def numbers(self, count: int) -> list[int]:
        data, at = self._data, self._at
        found: list[int] = []
        for _ in range(count):
            number = data[at]
            at += 1
            if number > 127:
                number &= 127
                shift = 7
                while (byte := data[at]) > 127:
                    number |= (byte & 127) << shift
                    shift += 7
                    at += 1
                at += 1
                number |= byte << shift
            found.append(number)
        self._at = at
        return found

    def take(self, length: int) -> bytes:
        start = self._at
        self._at = end = start + length
        if end > len(self._data):
            raise ValueError("it is cut short")
        return self._data[start:end]

    def text(self) -> str:
        return self.take(self.number()).decode("utf-8", "surrogatepass")

    def stamp(self) -> int:
        found: int = _STAMP.unpack_from(self._data, self._at)[0]
        self._at += 4
        return found

    def id(self) -> str:
        number = self.number()
        if number == _UUID:
            return _uuid(self.take(16))
        return self.take(number >> 1).decode("utf-8", "surrogatepass")

    def rest(self) -> bytes:
        return self._data[self._at :]


def parse_state(space: str, row: Row) -> StateRow:
    """Read a state's row; raises ``DecodeError`` naming the state."""
    id = str(row.sk)
    reader = _Reader(unseal(space, row))
    found: list[tuple[str, int, int, int, int, Ref | None, int, int | None]] = []
    try:
        ids = [reader.id() for _ in range(reader.number())]
        for _ in range(reader.number()):
            mark, size, length, named = reader.numbers(4)
            name = reader.take(named).decode("utf-8", "surrogatepass") if named else HEAD
            base, step, also, own = None, 0, 0, None
            if mark & _BASED:
                base = Ref(ids[reader.number()], reader.stamp())
                step, also = reader.numbers(2)
            if mark & _STAMPED:
                own = reader.stamp()
            found.append((name, mark & 15, size, length, step, base, also, own))
        pieces: dict[str, Piece] = {}
        for name, kind, size, length, step, base, also, own in found:
            payload = reader.take(length)
            pieces[name] = Piece(kind, size, stamp(payload, base) if own is None else own, payload, step, base, also)
        return StateRow(id, ids[0] or None, pieces.pop(HEAD), pieces, row.value, row.expires, row.rev)
    except (LookupError, ValueError, struct.error) as error:
        raise _senseless(id, error) from error


def pack_addition(addition: Addition) -> bytes:
    """Return the payload of an addition's row."""
    parts = [part for name, mark in addition.dictionary for part in (_text(name), _STAMP.pack(mark))]
    head = (_LOW[addition.kind], _number(addition.size), _number(len(addition.dictionary)))
    return b"".join((*head, *parts, addition.payload))


def parse_addition(space: str, row: Row) -> Addition:
    """Read an addition's row; raises ``DecodeError`` naming its state."""
    reader = _Reader(unseal(space, row))
    try:
        kind, size = reader.number(), reader.number()
        dictionary = [(reader.text(), reader.stamp()) for _ in range(reader.number())]
        return Addition(kind, size, reader.rest(), dictionary)
    except (LookupError, ValueError, struct.error) as error:
        raise _senseless(str(row.sk).partition(MARK)[0], error) from error


def _senseless(id: str, error: Exception) -> DecodeError:
    return DecodeError(f"state {id!r}: the stored row makes no sense: {error}")


def whole(piece: Piece | Addition, known: bytes = b"") -> bytes:
    """Return the content of a piece or addition that builds on no other state; raises ``DecodeError``."""
    if piece.size > MAX_VALUE_BYTES:
        raise DecodeError(f"the stored size {piece.size} is over the limit of {MAX_VALUE_BYTES} bytes")
    return piece.payload if piece.kind == RAW else inflate(piece.payload, piece.size, known)
