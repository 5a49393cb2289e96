"""Read statements on an open store, whose failures are told as errors of the store."""

from __future__ import annotations

import sqlite3
from typing import Any

from ...errors import BackendUnavailable
from ..bounds import check_name
from . import faults, rows, transaction
from .connections import Connections

_ROWS = " WHERE key > ? AND key < ? AND raw = 1 AND tag IS NOT 'x' ORDER BY key "
ONE = rows.COLUMNS + _ROWS + "DESC LIMIT 1"
NEWEST = rows.COLUMNS + _ROWS + "DESC LIMIT ?"
OLDEST = rows.COLUMNS + _ROWS + "LIMIT ?"
DATED = rows.COLUMNS.replace("SELECT ", f"SELECT ({transaction.LAST_ROW}), ", 1) + _ROWS + "DESC LIMIT 1"
RANGE = rows.COLUMNS + " WHERE key >= ? AND key < ? AND raw = 1 AND tag IS NOT 'x' ORDER BY key "


class Queries:
    """Asks a store that was not ``closed``."""

    def __init__(self, path: str, connections: Connections) -> None:
        self._path = path
        self._connections = connections
        self.closed = False

    def all(self, sql: str, args: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        if self.closed:
            raise self.is_closed()
        try:
            return self._connections.query(sql, args)
        except UnicodeEncodeError as error:
            check_name(error.object, "name")
            raise
        except sqlite3.Error as error:
            if sql.startswith(rows.COLUMNS) and "decode" in str(error):
                found = self.all(rows.WARY + sql.removeprefix(rows.COLUMNS), args)
                return [tuple(rows.readable(column) for column in row[:2]) + row[2:] for row in found]
            raise faults.explain(error, self._path) from error

    def first(self, sql: str, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Return the row of a statement that gives one at most."""
        if self.closed:
            raise self.is_closed()
        try:
            return self._connections.first(sql, args)
        except sqlite3.Error as error:
            if sql is DATED and "decode" in str(error):
                rev = self.all(transaction.LAST_ROW)[0][0]
                found = self.first(ONE, args)
                return None if found is None else (rev, *found)
            if sql.startswith(rows.COLUMNS) and "decode" in str(error):
                return next(iter(self.all(sql, args)), None)
            raise faults.explain(error, self._path) from error

    def is_closed(self) -> BackendUnavailable:
        """The error of a closed store."""
        return BackendUnavailable(f"the store {self._path} was closed; open it again")
