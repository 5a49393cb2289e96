"""Which store, session and participant a command works on, and how it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import click

import sharedctx
from sharedctx.backends.registry import default_address, normalise, nothing_at
from sharedctx.errors import (
    ConfigError,
    Forbidden,
    InvalidKey,
    InvalidValue,
    KeyNotFound,
    SessionExists,
    SessionNotFound,
    SharedContextError,
    VersionConflict,
)

from .display import alert, as_json, show, table

_SOME = 5
_EXITS: list[tuple[type[SharedContextError], int]] = [
    (KeyNotFound, 3),
    (SessionNotFound, 3),
    (VersionConflict, 4),
    (SessionExists, 4),
    (Forbidden, 5),
    (ConfigError, 2),
    (InvalidKey, 2),
    (InvalidValue, 2),
]


@dataclass
class Target:
    """The options that stand before every command."""

    address: str | None
    session: str
    participant: str | None
    as_json: bool

    def store(self, *, make: bool = False) -> sharedctx.Store:
        """Open the store; the caller closes it. Raises ``ConfigError`` where there is none and none is to be made."""
        if not make and self.empty():
            folder = normalise(default_address() if self.address is None else self.address).removeprefix("disk://")
            raise ConfigError(f"there is no store in {folder}: name another with --path, or put something first")
        return sharedctx.open(self.address)

    def empty(self) -> bool:
        """Whether opening the store would make a new one."""
        return nothing_at(normalise(default_address() if self.address is None else self.address))

    def context(self, store: sharedctx.Store) -> sharedctx.SharedContext:
        """The session, for the participant if one was named."""
        context = store.session(self.session)
        return context if self.participant is None else context.bind(self.participant)

    def emit(self, data: Any, text: str) -> None:
        """Print ``data`` as JSON with ``--json``, else ``text``."""
        if self.as_json:
            click.echo(as_json(data))
        elif text:
            show(text)

    def emit_table(self, data: Any, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print ``data`` as JSON with ``--json``, else the rows."""
        if self.as_json:
            self.emit(data, "")
        else:
            table(columns, rows)

    def emit_listing(
        self, store: sharedctx.Store, data: Any, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Print what this session has; where that is nothing, tell of the store's other sessions as well."""
        self.emit_table(data, columns, rows)
        if not rows and not self.as_json and (others := self.others(store)):
            alert(f"nothing in session {self.session!r}{others}")

    def others(self, store: sharedctx.Store) -> str:
        """What to say of the store's other sessions where this one holds nothing; empty when there are none."""
        found = [session for session in store.sessions() if session != self.session]
        some = ", ".join(found[:_SOME]) + (", ..." if len(found) > _SOME else "")
        return f"; this store has {some}: name it by `sharedctx --session ID` before the command" if found else ""

    @contextmanager
    def looking_for(self, context: sharedctx.SharedContext, key: str) -> Iterator[None]:
        """Let a ``KeyNotFound`` name the nearest keys, unless it is a version of the key that is missing."""
        try:
            yield
        except KeyNotFound:
            if context.get_entry(key) is None and not context.history(key, limit=1):
                self.missing(context, key)
            raise

    def missing(self, context: sharedctx.SharedContext, key: str) -> NoReturn:
        """Raise ``KeyNotFound`` naming the nearest keys."""
        near = context.nearest(key)
        hint = f"; nearest: {', '.join(near)}" if near else "; `sharedctx ls` lists what there is"
        if not context.keys():
            hint = self.others(context.store) or hint
        raise KeyNotFound(f"there is no live value under {key!r} in session {self.session!r}{hint}")


def exit_code(error: SharedContextError) -> int:
    """0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 forbidden."""
    return next((code for kind, code in _EXITS if isinstance(error, kind)), 1)


def told(error: SharedContextError) -> str:
    """The error's message in the words of the command line: options where it names arguments of Python."""
    return error.message.replace("expect=", "--expect ").replace("most_bytes", "--max-bytes")


def names_version(text: str) -> bool:
    """Whether a text has the form ``KEY@VERSION``."""
    _, at, number = text.rpartition("@")
    return bool(at) and number.isascii() and number.isdecimal()


def key_version(text: str) -> tuple[str, int]:
    """Split ``KEY@VERSION``; raises click's usage error."""
    if not names_version(text):
        raise click.UsageError(f"{text!r} is not KEY@VERSION, for example plan@3")
    key, _, number = text.rpartition("@")
    return key, int(number)
