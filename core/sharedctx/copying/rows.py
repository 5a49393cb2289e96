"""Where the rows of a space lie, in the order of their commits or of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from ..backends import steps
from ..backends.base import Backend, Row, SortKey
from ..backends.steps import run

_PAGE: Final = 200


class Place(NamedTuple):
    """Where a row lies, and the revision of its commit."""

    rev: int
    pk: str
    sk: SortKey
    at: int
    """Its place among all rows of the space."""


def row_at(backend: Backend, space: str, pk: str, sk: SortKey) -> Row | None:
    """The row at one place, None where there is none."""
    rows = backend.scan(space, pk, sk, after(sk), limit=1)
    return rows[0] if rows else None


def after(sk: SortKey) -> SortKey:
    """The least sort key above one."""
    return f"{sk}\x00" if isinstance(sk, str) else sk + 1


def chunks(places: Sequence[Place], size: int) -> Iterator[list[Place]]:
    """Whole commits, in order, some together."""
    chunk: list[Place] = []
    for _, together in groupby(places, key=lambda place: place.rev):
        chunk += together
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def all_rows(backend: Backend, space: str, pk: str) -> Iterator[Row]:
    """The versions of a partition, then its collection rows."""
    number = 1
    while page := backend.scan(space, pk, number, limit=_PAGE):
        yield from page
        number = int(page[-1].sk) + 1
    text = ""
    while page := backend.scan(space, pk, text, limit=_PAGE):
        yield from page
        text = f"{page[-1].sk}\x00"


def places_of(backend: Backend, space: str) -> Iterator[Place]:
    """The places of all rows of a space, partition by partition."""
    rows = (row for pk in run(backend, steps.all_pks(space)) for row in all_rows(backend, space, pk))
    for at, row in enumerate(rows):
        yield Place(row.rev, row.pk, row.sk, at)
