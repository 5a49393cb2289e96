"""Rows of the table as rows of the backend; foreign ones as what raises when they are read."""

from __future__ import annotations

from typing import Any

from ...errors import UnsafeRow
from ..base import Refused, Row, SortKey
from . import keys, transaction

COLUMNS = "SELECT key, tag, rowid, mode, filename, value FROM Cache"
WARY = (
    "SELECT CAST(key AS BLOB), iif(typeof(tag) = 'text', CAST(tag AS BLOB), tag), rowid, mode,"
    " iif(filename IS NULL, NULL, 'a file'), iif(typeof(value) = 'blob', value, 0) FROM Cache"
)
"""The same of rows that hold what is no UTF-8, and are foreign therefore."""


def own(mode: int, filename: str | None, value: Any) -> bytes:
    """The value of a row of ours; of a foreign one, what raises when it is read."""
    if mode != 1 or filename is not None or type(value) is not bytes:
        return Refused(f"mode {mode}, file {filename!r}, {type(value).__name__}")
    return value


def collected(pk: str, length: int, key: str, tag: Any, rowid: int, mode: int, filename: str | None, value: Any) -> Row:
    """A collection row out of the columns read, ``length`` that of its partition's prefix; raises as ``version``."""
    return _tagged(pk, keys.sort_key(key, length), own(mode, filename, value), tag, rowid)


def version(pk: str, key: str, tag: Any, rowid: int, mode: int, filename: str | None, value: Any) -> Row:
    """A version out of the columns read; raises ``UnsafeRow`` for a key that no version has."""
    value = own(mode, filename, value)
    if tag is None:
        return Row(pk, keys.number(key), value, rowid, None)
    return _tagged(pk, keys.number(key), value, tag, rowid)


def _tagged(pk: str, sk: SortKey, value: bytes, tag: Any, rowid: int) -> Row:
    try:
        return Row(pk, sk, value, *transaction.read_tag(tag, rowid))
    except UnsafeRow as error:
        return Row(pk, sk, Refused(str(error)), rowid, None)


def readable(column: Any) -> Any:
    """A key or tag as text, whatever it holds."""
    return column.decode("utf-8", "replace") if isinstance(column, bytes) else column
