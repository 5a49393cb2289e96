"""Consistent reads of the table: the state of a space, ends of partitions, rows, names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

from ...errors import BackendUnavailable
from ...forking import renew_after_fork
from ..base import SortKey
from . import layout
from .calls import Calls
from .layout import Held, Item, Keys

A = TypeVar("A")
B = TypeVar("B")

_RANGE: Final = "h = :h AND r BETWEEN :lo AND :hi"
_LIVE: Final = "attribute_not_exists(g)"
_PAGE: Final = 200
_THREADS: Final = 8


class Meta(NamedTuple):
    """A space's state: ``changes`` counts all that ever changed it (0: nothing did), ``rev`` is its last revision, its
    feed was cut up to ``mark``, it has ``rows`` rows of ``size`` bytes."""

    changes: int = 0
    rev: int = 0
    mark: int = 0
    rows: int = 0
    size: int = 0

    def item(self, h: str, store: str) -> Item:
        """The item that says so, and of which store it is."""
        names = ("u", self.changes), ("n", self.rev), ("k", self.mark), ("c", self.rows), ("b", self.size)
        numbers = {name: layout.number(value) for name, value in names}
        return layout.key(h, layout.META) | numbers | {"i": {"S": store}}

    @staticmethod
    def of(item: Item | None) -> Meta:
        """Read the item, None for a space that was never written to."""
        return Meta(*(int(item[name]["N"]) for name in "unkcb")) if item else Meta()


class Ends(NamedTuple):
    """The last number given in a partition, the newest version that is there (0: none), and the revision of that where
    it is known."""

    last: int
    head: int
    rev: int | None = None


class Reading:
    """Reads through the calls of one backend."""

    def __init__(self, calls: Calls, keys: Keys) -> None:
        self.calls = calls
        self.keys = keys
        self.store = ""
        """The id of the store that is read."""
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start threads of our own when they are needed."""
        self._lock = threading.Lock()
        self._threads = None

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    def together(self, ask: Callable[[A], B], wishes: Sequence[A]) -> list[B]:
        """Ask for all, several at a time, and return the answers in order."""
        if len(wishes) < 2:
            return [ask(wish) for wish in wishes]
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sharedctx-dynamodb")
        return list(self._threads.map(ask, wishes))

    def item(self, h: str, r: str) -> Item | None:
        """One item, None where there is none."""
        found: Item | None = self.calls.ask("get_item", Key=layout.key(h, r), ConsistentRead=True).get("Item")
        return found

    def meta(self, space: str) -> Meta:
        """The state of a space; raises ``BackendUnavailable`` for one of another store."""
        item = self.item(self.keys.space(space), layout.META)
        self._require(item, "i")
        return Meta.of(item)

    def require_store(self) -> None:
        """Raise ``BackendUnavailable`` unless the table still holds the store that was opened."""
        self._require(self.item(self.keys.store, "store") or {}, "id")

    def _require(self, item: Item | None, name: str) -> None:
        if item is not None and item.get(name) != {"S": self.store}:
            raise BackendUnavailable(
                f"{self.calls.address} holds another store than the one that was opened: its table was made anew or "
                "emptied since; open it again"
            )

    def metas(self, spaces: Sequence[str]) -> dict[str, Meta]:
        """The states of several spaces; those that were never written to are left out."""
        hashes = {self.keys.space(space): space for space in spaces}
        items = self.calls.get([layout.key(h, layout.META) for h in hashes], "h, u, n, k, c, b")
        return {hashes[item["h"]["S"]]: Meta.of(item) for item in items}

    def between(self, h: str, lo: str, hi: str, **arguments: Any) -> Iterator[list[Item]]:
        """Pages of the items whose sort keys lie from ``lo`` to ``hi``, both included."""
        values = {":h": {"S": h}, ":lo": {"S": lo}, ":hi": {"S": hi}}
        if lo > hi:
            return
        for page in self.calls.query(_RANGE, values, **arguments):
            yield page["Items"]

    def rows(self, space: str, lo: str, hi: str, limit: int, newest_first: bool) -> Iterator[Item]:
        """The rows in a range, asking for about ``limit`` at a time."""
        arguments = {"Limit": limit, "ScanIndexForward": not newest_first, "FilterExpression": _LIVE}
        for page in self.between(self.keys.space(space), lo, hi, **arguments):
            yield from page

    def facts(
        self, space: str, lo: str, hi: str, limit: int, newest_first: bool = False
    ) -> tuple[list[Item], str | None]:
        """What is known of the first rows in a range, those that are gone too, without their values; and the sort key
        of the last that was looked at, None where there are no more: large values make a page end before ``limit``."""
        arguments = {"ProjectionExpression": layout.FACTS, "Limit": limit, "ScanIndexForward": not newest_first}
        if lo > hi:
            return [], None
        values = {":h": {"S": self.keys.space(space)}, ":lo": {"S": lo}, ":hi": {"S": hi}}
        page = next(self.calls.query(_RANGE, values, **arguments))
        return page["Items"], page["LastEvaluatedKey"]["r"]["S"] if "LastEvaluatedKey" in page else None

    def ends(self, space: str, pk: str) -> Ends:
        """Where a partition's versions end."""
        last = 0
        for number, row in self._versions_down(space, pk, None):
            last = last or number
            if row is not None:
                return Ends(last, number, row.rev)
        return Ends(last, 0)

    def below(self, space: str, pk: str, number: int) -> Iterator[int]:
        """The versions below a number, newest first."""
        return (found for found, row in self._versions_down(space, pk, number) if row is not None)

    def _versions_down(self, space: str, pk: str, hi: int | None) -> Iterator[tuple[int, Held | None]]:
        lo, top = layout.bounds(pk, 1, hi)
        size = 1
        while True:
            items, last = self.facts(space, lo, top, size, newest_first=True)
            for item in items:
                yield int(layout.row_of(item["r"]["S"])[1]), layout.held(item)
            if last is None:
                return
            top, size = layout.row_key(pk, int(layout.row_of(last)[1]) - 1), 16

    def held(self, space: str, rows: Iterable[tuple[str, SortKey]]) -> dict[tuple[str, SortKey], Held]:
        """What is known of those of the rows that are there."""
        h = self.keys.space(space)
        items = self.calls.get([layout.key(h, layout.row_key(pk, sk)) for pk, sk in rows], layout.FACTS)
        facts = ((layout.row_of(item["r"]["S"]), layout.held(item)) for item in items)
        return {where: found for where, found in facts if found is not None}

    def pks(self, space: str, prefix: str, after: str, limit: int) -> list[str]:
        """Partition keys that hold rows, as ``Backend.pks``; a page of rows at a time, past the rest of a partition."""
        h, start = self.keys.space(space), layout.base(prefix)[:-2]
        lo = layout.clipped(max(start, layout.base(after) + ">" if after else ""))
        hi = layout.clipped(layout.following(start))
        found: list[str] = []
        arguments = {"ProjectionExpression": "r", "FilterExpression": _LIVE, "Limit": _PAGE}
        while True:
            values = {":h": {"S": h}, ":lo": {"S": lo}, ":hi": {"S": hi}}
            page = next(self.calls.query(_RANGE, values, **arguments)) if lo <= hi else {"Items": []}
            for item in page["Items"]:
                pk = layout.row_of(item["r"]["S"])[0]
                if not found or found[-1] != pk:
                    found.append(pk)
                    if len(found) == limit:
                        return found
            if "LastEvaluatedKey" not in page:
                return found
            lo = page["LastEvaluatedKey"]["r"]["S"] + "\0"
            if page["Items"]:
                lo = max(lo, layout.base(found[-1]) + ">")
