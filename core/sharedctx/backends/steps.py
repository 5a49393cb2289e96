"""Storage logic written once for sync and async: generators that yield what they need from the backend.

A function of type ``Steps[T]`` yields ``Call``s and is sent their results; ``run`` drives it on the calling
thread, ``sharedctx.aio`` drives the same generator from an event loop with group commit.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from .base import Backend, Change, Committed, Op, Row, SortKey

T = TypeVar("T")


class Call(NamedTuple):
    """One request to the backend: the method's name and its arguments.

    ``known`` is an answer that the caller would go on with as well; a driver gives it unless it knows of a later one.
    """

    method: str
    args: tuple[Any, ...]
    options: dict[str, Any] = {}  # noqa: RUF012 - never mutated; a NamedTuple default
    known: Any = None


ASK_NOW = Call("now", ())
"""The request for the store's clock."""

Steps = Generator[Call, Any, T]


def run(backend: Backend, steps: Steps[T]) -> T:
    """Drive ``steps`` to the end on this thread and return its result."""
    try:
        call = next(steps)
        while True:
            try:
                result = call.known or getattr(backend, call.method)(*call.args, **call.options)
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value


def commit(space: str, ops: Sequence[Op], if_rev: int | None = None) -> Steps[Committed]:
    """Ask for ``Backend.commit``."""
    result: Committed = yield Call("commit", (space, ops, if_rev))
    return result


def scan(
    space: str,
    pk: str,
    lo: SortKey = 1,
    hi: SortKey | None = None,
    *,
    limit: int = 1000,
    newest_first: bool = False,
) -> Steps[list[Row]]:
    """Ask for ``Backend.scan``."""
    rows: list[Row] = yield Call("scan", (space, pk, lo, hi), {"limit": limit, "newest_first": newest_first})
    return rows


NEWEST = {"limit": 1, "newest_first": True}
TAIL = {"limit": 1, "newest_first": True}
"""Marks the newest version read for an append: a driver that queues commits may answer with a queued one."""


@lru_cache(8192)
def ask_newest(space: str, pk: str) -> Call:
    """The request for the newest version row of a partition, made once for all times that it is asked."""
    return Call("scan", (space, pk, 1, None), NEWEST)


@lru_cache(8192)
def ask_dated(space: str, pk: str) -> Call:
    """The request for the newest version row with the space's revision, to backends that are ``Dated``."""
    return Call("newest", (space, pk))


@lru_cache(8192)
def ask_tail(space: str, pk: str) -> Call:
    """The request for the version to append after."""
    return Call("scan", (space, pk, 1, None), TAIL)


def newest(space: str, pk: str) -> Steps[Row | None]:
    """Ask for the newest version row of a partition."""
    rows: list[Row] = yield ask_newest(space, pk)
    return rows[0] if rows else None


def tail(space: str, pk: str, seen: int | None = None) -> Steps[Row | None]:
    """Ask for the version to append after, which may still wait to be committed.

    Where none waits and number ``seen`` was the newest that was met, that answers, as a row without its value.
    """
    if seen is None:
        rows: list[Row] = yield ask_tail(space, pk)
    else:
        rows = yield Call("scan", (space, pk, 1, None), TAIL, [Row(pk, seen, b"", 0, None)])
    return rows[0] if rows else None


def pks(space: str, prefix: str = "", after: str = "", limit: int = 1000) -> Steps[list[str]]:
    """Ask for ``Backend.pks``."""
    result: list[str] = yield Call("pks", (space, prefix, after, limit))
    return result


def all_pks(space: str, prefix: str = "", after: str = "") -> Steps[list[str]]:
    """Ask for ``Backend.pks`` page by page until all are there."""
    found: list[str] = []
    while page := (yield from pks(space, prefix, found[-1] if found else after)):
        found += page
    return found


def all_spaces(prefix: str = "") -> Steps[list[str]]:
    """Ask for ``Backend.spaces`` page by page until all are there."""
    found: list[str] = []
    while True:
        page: list[str] = yield Call("spaces", (prefix, found[-1] if found else ""))
        if not page:
            return found
        found += page


def rev(space: str) -> Steps[int]:
    """Ask for ``Backend.rev``."""
    result: int = yield Call("rev", (space,))
    return result


def changes(space: str, since: int, limit: int = 1000) -> Steps[list[Change]]:
    """Ask for ``Backend.changes``."""
    result: list[Change] = yield Call("changes", (space, since, limit))
    return result


def reclaim(
    space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
) -> Steps[int]:
    """Ask for ``Backend.reclaim``."""
    result: int = yield Call("reclaim", (space, pk, before, expired_at))
    return result


def now() -> Steps[float]:
    """Ask for ``Backend.now``."""
    result: float = yield ASK_NOW
    return result


def expired(expires: float | None) -> Steps[bool]:
    """Ask for ``Backend.expired``; a row that never expires costs no question."""
    if expires is None:
        return False
    result: bool = yield Call("expired", (expires,))
    return result
