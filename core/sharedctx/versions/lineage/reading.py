"""Reading states: rows by id, contents along what they build on, additions in their order."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ...backends import steps
from ...backends.base import Row
from ...backends.steps import Steps
from ...errors import DecodeError
from ..delta import Laid
from .memory import At, LineageMemory
from .rows import (
    AFTER,
    BESIDE,
    DELTA,
    HEAD,
    MARK,
    Piece,
    Ref,
    StateRow,
    Table,
    parse_addition,
    parse_state,
    split,
    whole,
)

ALSO_BYTES: Final = 1 << 16
_TAIL: Final = 8192
_NEAR: Final = 4
_TABLE: Final = struct.Struct(">II")


Near = dict[str, Row]
"""Rows by sort key that one read came by, most of which it needs."""


def pack_head(table: Table, parent: str | None, head: bytes) -> bytes:
    """Return the content of a state's first piece: how many parts, the bytes of all words, the letters of each, the
    words (name, mark and origin of each part; what the parent changed last is told by a mark), and the head."""
    words: list[str] = []
    for name, (mark, at) in table.items():
        words += (name, mark, MARK if at == parent else at)
    text = "".join(words).encode("utf-8", "surrogatepass")
    lengths = struct.pack(f">{len(words)}I", *map(len, words))
    return b"".join((_TABLE.pack(len(table), len(text)), lengths, text, head))


def split_head(content: bytes, parent: str | None) -> tuple[Table, bytes]:
    """Return the table and head of such a content; raises ``ValueError`` or ``struct.error``."""
    count, size = _TABLE.unpack_from(content)
    lengths = struct.unpack_from(f">{3 * count}I", content, _TABLE.size)
    start = _TABLE.size + 12 * count
    text = content[start : start + size].decode("utf-8", "surrogatepass")
    if sum(lengths) != len(text):
        raise ValueError("its words are cut short")
    words: list[str] = []
    at = 0
    for length in lengths:
        words.append(text[at : at + length])
        at += length
    table: Table = {
        name: [mark, (parent or "") if origin == MARK else origin]
        for name, mark, origin in zip(words[::3], words[1::3], words[2::3], strict=True)
    }
    return table, content[start + size :]


class Reading:
    """Reads the states of one partition."""

    def __init__(self, space: str, pk: str, memory: LineageMemory) -> None:
        self.space = space
        self.pk = pk
        self.memory = memory

    def at(self, id: str) -> At:
        """Where memory keeps a state."""
        return (self.space, self.pk, id)

    def parse(self, row: Row) -> StateRow:
        """Return the state of a row that was read; raises ``DecodeError`` naming it."""
        at = self.at(str(row.sk))
        held = self.memory.row(at)
        if held is not None and held.sealed == row.value and held.rev in (row.rev, None):
            return held
        if held is not None:  # another writer was there, who may have put other additions too
            self.memory.forget(at)
        state = parse_state(self.space, row)
        self.memory.keep(at, state)
        return state

    def stored(self, id: str) -> Steps[StateRow | None]:
        """Return the state as the store has it now."""
        rows = yield from steps.scan(self.space, self.pk, id, f"{id}\x00", limit=1)
        return self.parse(rows[0]) if rows else None

    def known(self, id: str) -> Steps[StateRow | None]:
        """Return the state as it was last seen, or as the store has it."""
        held = self.memory.row(self.at(id))
        return held if held is not None else (yield from self.stored(id))

    def head(self, state: StateRow, near: Near | None = None) -> Steps[tuple[Table, bytes]]:
        """Return a state's table and its head; raises ``DecodeError``. ``near`` keeps rows for a read's other calls."""
        if state.opened is None:
            content = yield from self.content(state, HEAD, near)
            try:
                state.opened = split_head(content, state.parent)
            except (struct.error, ValueError) as error:
                raise DecodeError(f"state {state.id!r}: its table makes no sense: {error}") from error
        return state.opened

    def part(self, state: StateRow, name: str, table: Table, near: Near | None = None) -> Steps[bytes]:
        """Return the content of a part as of this state; raises ``DecodeError``."""
        source = origin(state, name, table)
        if source == state.id:
            return (yield from self.content(state, name, near))
        holder = yield from self.known(source)
        if holder is None or name not in holder.pieces:
            holder = yield from self.stored(source)
        if holder is None or name not in holder.pieces:
            raise DecodeError(f"state {state.id!r}: state {source!r}, which holds its {name!r}, is gone")
        return (yield from self.content(holder, name, near))

    def content(self, state: StateRow, name: str, near: Near | None = None) -> Steps[bytes]:
        """Return what this state changed a part to; raises ``DecodeError`` naming the state."""
        held = self.held(state, name)
        if held is not None:
            return held
        try:
            return (yield from self._content(state, name, near))
        except DecodeError:
            self.memory.doubt()  # the store may hold all of it, though not as it was when it was remembered
        return (yield from self._content(state, name, None))

    def _content(self, state: StateRow, name: str, near: Near | None) -> Steps[bytes]:
        chain: list[tuple[StateRow, Piece]] = []
        near = {} if near is None else near
        at, content = state, None
        laid: Laid | None = None
        try:
            while True:
                piece = at.piece(name)
                if piece is None:
                    raise DecodeError("what it builds on is not there")
                content = self.held(at, name)
                laid = None if content is not None else self.memory.laid(self._key(at.id, name, piece))
                if content is not None or laid is not None:
                    break
                chain.append((at, piece))
                if piece.base is None:
                    break
                at = yield from self._base(at.id, name, piece, piece.base, near)
            for at, piece in reversed(chain):
                if piece.kind == DELTA:
                    also = yield from self.also(at, piece.also, near)
                    laid = (laid or Laid.of(content or b"")).changed(piece.payload, piece.size, also)
                    content = None
                    self.memory.lay(self._key(at.id, name, piece), laid)
                else:
                    known = laid.joined() if laid is not None else content
                    content = whole(piece, known if piece.kind == BESIDE and known else b"")
                    laid = None
                    self.remember(at, name, content)
            if content is None and laid is not None:
                content = laid.joined()
                self.remember(state, name, content)
        except DecodeError as error:
            what = f"its {name!r}" if name else "its head"
            raise type(error)(f"state {state.id!r}, {what}: {error.message}; other states still read") from error
        assert content is not None
        return content

    def held(self, state: StateRow, name: str) -> bytes | None:
        """Return what this state changed a part to, if it is at hand."""
        if name == HEAD:
            return state.first
        piece = state.pieces.get(name)
        return None if piece is None else self.memory.contents.get(self._key(state.id, name, piece))

    def remember(self, state: StateRow, name: str, content: bytes) -> None:
        """Keep a content that was read or written."""
        if name == HEAD:
            state.first = content
        else:
            self.memory.contents.put(self._key(state.id, name, state.pieces[name]), content)

    def _key(self, id: str, name: str, piece: Piece) -> tuple[str, int, str]:
        return (self.space, piece.stamp, f"{self.pk}\x00{id}\x00{name}")

    def _base(self, id: str, name: str, piece: Piece, base: Ref, near: Near) -> Steps[StateRow]:
        """Return the state that a piece builds on. A miss of a neighbour reads what lies around it at once."""
        held = self.memory.row(self.at(base.id))
        if held is not None and (found := held.piece(name)) is not None and found.stamp == base.stamp:
            return held
        if base.id not in near and (left := piece.step % 16):
            few = _NEAR * (left + 1)
            for row in (yield from steps.scan(self.space, self.pk, "", id, limit=few, newest_first=True)):
                near[str(row.sk)] = row
        state = self.parse(near[base.id]) if base.id in near else (yield from self.stored(base.id))
        found = None if state is None else state.piece(name)
        if state is None or found is None or found.stamp != base.stamp:
            raise DecodeError(f"state {base.id!r}, which it builds on, is gone or was replaced")
        return state

    def also(self, state: StateRow, count: int, near: Near | None = None) -> Steps[bytes]:
        """Return the first additions to a state's parent in one."""
        if not count or state.parent is None:
            return b""
        rows = [row for n in range(count) if (row := (near or {}).get(f"{state.parent}{MARK}{n:04d}"))]
        if len(rows) < count:  # what is remembered may be what another process removed since
            rows = yield from self.addition_rows(state.parent)
        contents = yield from self.additions(state.parent, rows)
        if len(contents) < count:
            raise DecodeError(f"the additions to {state.parent!r}, which it builds on, are gone")
        return b"".join(contents[:count])

    def addition_rows(self, id: str) -> Steps[list[Row]]:
        """Return the rows of all additions to a state."""
        found: list[Row] = []
        lo = f"{id}{MARK}"
        while page := (yield from steps.scan(self.space, self.pk, lo, f"{id}{AFTER}", limit=16)):
            found += page
            if len(page) < 16:
                break
            lo = f"{page[-1].sk}\x00"
        return found

    def additions(self, id: str, rows: Sequence[Row], state: StateRow | None = None) -> Steps[list[bytes]]:
        """Return the contents of rows of additions to one state; raises ``DecodeError`` naming it."""
        contents: list[bytes] = []
        held = (self.memory.additions(self.at(id)) if rows else None) or []
        for at, row in enumerate(rows):
            if at < len(held) and held[at][0] == row.value:
                contents.append(held[at][1])
                continue
            try:
                addition = parse_addition(self.space, row)
                known = b""
                if addition.dictionary:
                    state = state or (yield from self.known(id))
                    known = yield from self.dictionary(id, state, addition.dictionary)
                contents.append(whole(addition, known))
            except DecodeError as error:
                raise type(error)(f"state {id!r}, addition {split(str(row.sk))[1]}: {error.message}") from error
        return contents

    def dictionary(self, id: str, state: StateRow | None, names: Iterable[tuple[str, int]]) -> Steps[bytes]:
        """Return the ends of whole parts of a state, which its additions may repeat."""
        ends: list[bytes] = []
        for name, stamp in names:
            piece = None if state is None else state.pieces.get(name)
            if state is not None and (piece is None or piece.stamp != stamp):
                state = yield from self.stored(id)
                piece = None if state is None else state.pieces.get(name)
            if state is None or piece is None or piece.stamp != stamp:
                raise DecodeError(f"state {id!r}, which it builds on, is gone or was replaced")
            content: bytes = yield from self.content(state, name)
            ends.append(content[-_TAIL:])
        return b"".join(ends)


def origin(state: StateRow, name: str, table: Table) -> str:
    """The state whose piece is this state's part. Its own counts before what its table says: where the state that the
    table names was removed, the part was stored anew."""
    return state.id if name in state.pieces else table[name][1] or state.id


def known_parts(state: StateRow) -> list[tuple[str, int]]:
    """The parts of a state that its additions may use as dictionary: whole ones, worth the trouble."""
    return [(name, piece.stamp) for name, piece in state.pieces.items() if piece.base is None and piece.size > 64]


__all__: list[Any] = ["ALSO_BYTES", "Reading", "known_parts", "origin", "pack_head"]
