"""How a state and its additions lie in rows of one partition.

::

    sort key  ID            a state: its parent, its head and table, the parts that it changed
    sort key  ID \x01 NNNN  the additions to that state, numbered as they came

    payload of a state:     JSON length 2 | JSON [ids, [piece, ...], {stamps}] | the pieces' bytes, head and table first
    payload of an addition: JSON length 2 | JSON [kind, size, [[part, stamp], ...]] | bytes

A piece is what one part was changed to: as it is, compressed (a head with an earlier head as dictionary), or as its
difference from the piece of an earlier state, which it names by id and stamp. ``ids`` begins with the parent; pieces
name ids by their place there; ids that are UUIDs are written shorter. A piece's stamp is the checksum of its bytes and
its base's stamp, unless the row was stored anew: then it stands in the row. The rows are sealed like all collection
rows, bound to space, partition and sort key.
"""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from binascii import a2b_base64, b2a_base64
from typing import Any, Final, NamedTuple

from ...backends.base import MAX_VALUE_BYTES, Row
from ...errors import DecodeError, InvalidKey
from ..collection import unseal
from ..delta import inflate

MARK: Final = "\x01"
AFTER: Final = "\x02"
HEAD: Final = ""
"""The name of the piece that holds a state's table and head."""
RAW, WHOLE, DELTA, BESIDE = range(4)
_LENGTH: Final = struct.Struct(">H")
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
    """A state as its row says; ``pieces`` are the parts it changed, ``head`` the piece of its table and head."""

    id: str
    parent: str | None
    head: Piece
    pieces: dict[str, Piece]
    sealed: bytes
    expires: float | None

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


def pack_state(parent: str | None, head: Piece, pieces: dict[str, Piece]) -> bytes:
    """Return the payload of a state's row."""
    ids = [parent or ""]
    entries: list[list[Any]] = []
    kept: dict[str, int] = {}
    for name, piece in ((HEAD, head), *pieces.items()):
        entry: list[Any] = [name, piece.kind, piece.size, len(piece.payload)]
        if piece.base is not None:
            if piece.base.id not in ids:
                ids.append(piece.base.id)
            entry += [ids.index(piece.base.id), piece.base.stamp, piece.step, piece.also]
        if piece.stamp != stamp(piece.payload, piece.base):
            kept[name] = piece.stamp
        entries.append(entry)
    facts = [[_short(id) for id in ids], entries, *([kept] if kept else [])]
    return _framed(facts, [head.payload, *(piece.payload for piece in pieces.values())])


def _short(id: str) -> str:
    """A UUID in 23 characters, other ids as they are."""
    if len(id) == 36:
        with contextlib.suppress(ValueError):
            found = bytes.fromhex(id.replace("-", ""))
            if _uuid(found) == id:
                return "~" + b2a_base64(found, newline=False)[:22].decode()
    return f"~{id}" if id.startswith("~") else id


def _long(text: str) -> str:
    if not text.startswith("~"):
        return text
    return text[1:] if text.startswith("~~") else _uuid(a2b_base64(text[1:] + "=="))


def _uuid(found: bytes) -> str:
    text = found.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_state(space: str, row: Row) -> StateRow:
    """Read a state's row; raises ``DecodeError`` naming the state."""
    id = str(row.sk)
    (packed, entries, *stored), body = _opened(unseal(space, row), id)
    at = 0
    pieces: dict[str, Piece] = {}
    try:
        ids = [_long(each) for each in packed]
        kept = stored[0] if stored else {}
        for name, kind, size, length, *rest in entries:
            payload = body[at : at + length]
            at += length
            base, step, also = None, 0, 0
            if rest:
                where, mark, step, also = rest
                base = Ref(ids[where], mark)
            own = kept[name] if name in kept else stamp(payload, base)
            pieces[name] = Piece(kind, size, own, payload, step, base, also)
        return StateRow(id, ids[0] or None, pieces.pop(HEAD), pieces, row.value, row.expires)
    except (LookupError, TypeError, ValueError) as error:
        raise DecodeError(f"state {id!r}: the stored row makes no sense: {error}") from error


def pack_addition(addition: Addition) -> bytes:
    """Return the payload of an addition's row."""
    return _framed([addition.kind, addition.size, addition.dictionary], [addition.payload])


def parse_addition(space: str, row: Row) -> Addition:
    """Read an addition's row; raises ``DecodeError`` naming its state."""
    id = str(row.sk).partition(MARK)[0]
    (kind, size, dictionary), payload = _opened(unseal(space, row), id)
    return Addition(kind, size, payload, [(name, mark) for name, mark in dictionary])


def whole(piece: Piece | Addition, known: bytes = b"") -> bytes:
    """Return the content of a piece or addition that builds on no other state; raises ``DecodeError``."""
    if piece.size > MAX_VALUE_BYTES:
        raise DecodeError(f"the stored size {piece.size} is over the limit of {MAX_VALUE_BYTES} bytes")
    return piece.payload if piece.kind == RAW else inflate(piece.payload, piece.size, known)


def _framed(facts: list[Any], bodies: list[bytes]) -> bytes:
    header = _JSON(facts).encode("utf-8", "surrogatepass")
    if len(header) > 0xFFFF:
        raise InvalidKey(f"the names of a state's parts take {len(header)} bytes: 65,535 are the most")
    return b"".join((_LENGTH.pack(len(header)), header, *bodies))


def _opened(payload: bytes, id: str) -> tuple[Any, bytes]:
    try:
        (length,) = _LENGTH.unpack_from(payload)
        end = _LENGTH.size + length
        return json.loads(payload[_LENGTH.size : end]), payload[end:]
    except (struct.error, ValueError) as error:
        raise DecodeError(f"state {id!r}: the stored row makes no sense: {error}") from error
