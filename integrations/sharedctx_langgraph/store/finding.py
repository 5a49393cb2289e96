"""Searches: which items fit, in which order, page by page, as steps that threads drive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sharedctx import SharedContext
from sharedctx.backends.steps import Steps
from sharedctx.errors import InvalidValue
from sharedctx.search import Item, Vectors

from .address import Namespace, address
from .embedding import Vector
from .filters import Filter
from .mirror import Held, Mirror, newest_first, order
from .shelf import Found, Shelf

_HITS = 10_000


class Asked(NamedTuple):
    """A search: where, which values, which page, and what it should be like, by a vector or by words."""

    prefix: Namespace
    filter: Mapping[str, Any] | None
    limit: int
    offset: int
    query: str | None
    vector: Vector | None


Scored = tuple[Found, float | None]


class _Current:
    """The index's items that are the present versions of fitting ones."""

    labels: Sequence[Sequence[str]] = ()
    judges = True

    def __init__(self, fitting: Mapping[str, Held]) -> None:
        self._fitting = fitting

    def __call__(self, item: Item) -> bool:
        held = self._fitting.get(item.key)
        return held is not None and held.version.number == item.version and bool(item.vectors)


class Finding:
    """Finds items: those nearest to a query first, then the others, by their last write. ``index`` has the vectors."""

    def __init__(self, context: SharedContext, shelf: Shelf, mirror: Mirror, index: Vectors | None) -> None:
        self._context = context
        self._session = context.verbs.session
        self._shelf = shelf
        self._mirror = mirror
        self._index = index

    def search(self, asked: Asked) -> Steps[list[Scored]]:
        """Return one page; raises ``InvalidValue`` for a filter that makes no sense, ``DecodeError`` for a damaged
        item on the page."""
        if asked.limit < 0 or asked.offset < 0:
            raise InvalidValue(f"limit {asked.limit} and offset {asked.offset} are not both from 0 up")
        judge = Filter(asked.filter) if asked.filter else None
        shelves = yield from self._readable(asked.prefix)
        end = asked.offset + asked.limit
        ranked: list[tuple[Held, float | None]] = []
        if asked.query and end:
            fitting = {held.address: held for held in (yield from self._fitting(chain(*shelves), judge, None))}
            ranked = yield from self._ranked(asked, fitting, end)
        else:
            ranked = [(held, None) for held in (yield from self._fitting(newest_first(shelves), judge, end))]
        page: list[Scored] = []
        for held, score in ranked[asked.offset : end]:
            found = yield from self._shelf.load(held)
            if found is not None:
                page.append((found, score))
        return page

    def namespaces(self) -> Steps[set[Namespace]]:
        """Return the namespaces with items that live and may be read."""
        found: set[Namespace] = set()
        for shelf in (yield from self._readable(())):
            if (yield from self._fitting(shelf, None, 1)):
                found.add(shelf[0].namespace)
        return found

    def _readable(self, prefix: Namespace) -> Steps[list[list[Held]]]:
        shelves = yield from self._mirror.shelves(prefix)
        if self._context.participant is None:
            return shelves
        allows = yield from self._session.rights.judge(self._context.participant)
        return [[held for held in shelf if allows("read", held.address)] for shelf in shelves]

    def _fitting(self, items: Iterable[Held], judge: Filter | None, enough: int | None) -> Steps[list[Held]]:
        """Return the live items that the filter lets through, at most ``enough``."""
        found: list[Held] = []
        for held in items:
            if enough is not None and len(found) >= enough:
                break
            if held.version.expires is not None and (yield from self._session.log.leases.expired(held.version)):
                continue
            if judge is not None:
                value = self._shelf.known(held)
                if value is None:
                    value = yield from self._shelf.content(held)
                if value is None or not judge(value):
                    continue
            found.append(held)
        return found

    def _ranked(self, asked: Asked, fitting: Mapping[str, Held], end: int) -> Steps[list[tuple[Held, float | None]]]:
        scores: dict[str, float] = {}
        left: Iterator[Held] = iter(fitting.values())
        if asked.vector is not None and self._index is not None:
            current = _Current(fitting)
            for near in (yield from self._index.search(asked.vector, end, 0, current)):
                scores[near.item.key] = near.score
            known = self._index.item
            left = (held for held in left if (item := known(held.address)) is None or not current(item))
        elif asked.query and fitting:
            scores = yield from self._by_words(asked, fitting)
            left = (held for held in left if held.address not in scores)
        ranked: list[tuple[Held, float | None]] = [(fitting[key], score) for key, score in scores.items()]
        if len(ranked) >= end:
            return ranked
        return [*ranked, *((held, None) for held in sorted(left, key=order))]

    def _by_words(self, asked: Asked, fitting: Mapping[str, Held]) -> Steps[dict[str, float]]:
        """Return the scores of items with words of the query, best first."""
        prefix = address(asked.prefix, "x")[:-1] if asked.prefix else ""
        scores: dict[str, float] = {}
        try:
            hits = yield from self._context.verbs.search(self._context.participant, asked.query or "", prefix, _HITS)
        except InvalidValue:  # no words
            return scores
        for hit in hits:
            if hit.key in fitting and hit.version == fitting[hit.key].version.number:
                scores.setdefault(hit.key, hit.score)
        return scores
