"""How a state and its additions lie in rows of one partition.

::

    sort key  ID            a state: its parent, its head and table, the parts that it changed
    sort key  ID \x01 NNNN  the additions to that state, numbered as they came

    payload of a state:     count of ids 2, count of pieces 4, ids, pieces, and their bytes, head and table first
    an id:                  its length 4, text
    a piece:                kind 1, size 2, length of its bytes 2, length of its name 1
                            [place of the base among the ids 1, base's stamp 4, step 2, additions 1] name [own stamp 4]
    payload of an addition: kind 1, size 4, count of parts 2, (length of its name 4, stamp 4, name) for each, its bytes

Numbers have the highest byte first. The kind says in its upper bits which of the bracketed fields follow, and whether
the numbers of the piece take four bytes each, since one of them needs it.

A piece is what one part was changed to: as it is, compressed (a head with the parent's as dictionary), or as its
difference from the piece of an earlier state, which it names by id and stamp. The ids begin with the parent's, empty
for none. A piece's stamp is the checksum of its bytes and its base's stamp, unless the row was stored anew: then it
stands in the row. The rows are sealed like all collection rows, bound to space, partition and sort key.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
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
_WIDE: Final = 0x20
_STAMPED: Final = 0x40
_PIECE: Final = {
    mark: struct.Struct(form)
    for mark, form in {0: ">BHHB", _BASED: ">BHHBBIHB", _WIDE: ">BIII", _WIDE | _BASED: ">BIIIIIII"}.items()
}
_STATE: Final = struct.Struct(">HI")
_ADDITION: Final = struct.Struct(">BIH")
_PART: Final = struct.Struct(">II")
_NUMBER: Final = struct.Struct(">I")

Table = dict[str, list[str]]
"""A state's parts: the mark of each, and the state that changed it last ("" for this one)."""


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


@dataclass(slots=True, eq=False)
class StateRow:
    """A state as its row says; ``pieces`` are the parts it changed, ``head`` the piece of its table and head, ``rev``
    the revision that wrote it, None while it is being written. ``first`` is what the head's piece holds, ``opened``
    the same taken apart, once they were read."""

    id: str
    parent: str | None
    head: Piece
    pieces: dict[str, Piece]
    sealed: bytes
    expires: float | None
    rev: int | None = None
    first: bytes | None = None
    opened: tuple[Table, bytes] | None = None

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
    entries: list[bytes] = []
    bodies: list[bytes] = []
    for name, (kind, size, own, payload, step, base, also) in ((HEAD, head), *pieces.items()):
        stamped = anew and own != stamp(payload, base)
        text = name.encode("utf-8", "surrogatepass")
        mark = kind | _STAMPED if stamped else kind
        numbers: tuple[int, ...] = (size, len(payload), len(text))
        form = 0
        if base is not None:
            if base.id not in ids:
                ids.append(base.id)
            numbers += (ids.index(base.id), base.stamp, step, also)
            form = _BASED
        try:
            entries.append(_PIECE[form].pack(mark | form, *numbers))
        except struct.error:
            form |= _WIDE
            entries.append(_PIECE[form].pack(mark | form, *numbers))
        entries.append(text)
        if stamped:
            entries.append(_NUMBER.pack(own))
        bodies.append(payload)
    return b"".join((_STATE.pack(len(ids), 1 + len(pieces)), *map(_packed_id, ids), *entries, *bodies))


def _packed_id(id: str) -> bytes:
    text = id.encode("utf-8", "surrogatepass")
    return _NUMBER.pack(len(text)) + text


class _Reader:
    """Goes through a payload."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, form: struct.Struct) -> tuple[int, ...]:
        found: tuple[int, ...] = form.unpack_from(self._data, self._at)
        self._at += form.size
        return found

    def peek(self) -> int:
        return self._data[self._at]

    def take(self, length: int) -> bytes:
        start = self._at
        self._at = end = start + length
        if end > len(self._data):
            raise ValueError("it is cut short")
        return self._data[start:end]

    def text(self, length: int) -> str:
        return self.take(length).decode("utf-8", "surrogatepass")

    def id(self) -> str:
        return self.text(*self.read(_NUMBER))

    def rest(self) -> bytes:
        return self._data[self._at :]


def parse_state(space: str, row: Row) -> StateRow:
    """Read a state's row; raises ``DecodeError`` naming the state."""
    id = str(row.sk)
    reader = _Reader(unseal(space, row))
    found: list[tuple[str, int, int, int, int, Ref | None, int, int | None]] = []
    try:
        known, count = reader.read(_STATE)
        ids = [reader.id() for _ in range(known)]
        for _ in range(count):
            mark, size, length, named, *numbers = reader.read(_PIECE[reader.peek() & (_BASED | _WIDE)])
            name = reader.text(named)
            base, step, also, own = None, 0, 0, None
            if numbers:
                at, base_stamp, step, also = numbers
                base = Ref(ids[at], base_stamp)
            if mark & _STAMPED:
                (own,) = reader.read(_NUMBER)
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
    parts: list[bytes] = []
    for name, mark in addition.dictionary:
        text = name.encode("utf-8", "surrogatepass")
        parts += (_PART.pack(len(text), mark), text)
    head = _ADDITION.pack(addition.kind, addition.size, len(addition.dictionary))
    return b"".join((head, *parts, addition.payload))


def parse_addition(space: str, row: Row) -> Addition:
    """Read an addition's row; raises ``DecodeError`` naming its state."""
    reader = _Reader(unseal(space, row))
    try:
        kind, size, count = reader.read(_ADDITION)
        dictionary: list[tuple[str, int]] = []
        for _ in range(count):
            length, mark = reader.read(_PART)
            dictionary.append((reader.text(length), mark))
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
