"""CrewAI's memory in a shared store: crewai's ``StorageBackend``, for any number of crews and processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sharedctx import SharedContext, Store
from sharedctx.backends.steps import Steps
from sharedctx.entries.arguments import check_number, check_words
from sharedctx.errors import KeyNotFound
from sharedctx.opening import Openable, Opening

from . import scopes
from .address import path as scope_path
from .filters import Wanted, least, listed, moment, most
from .former import RecordVersion
from .records import lifetimes
from .shelf import Shelf

if TYPE_CHECKING:
    from crewai.memory.types import MemoryRecord, ScopeInfo

    from sharedctx.search import Item


class ContextMemory(Openable):
    """Records as entries ``memory/{scope}/{id}`` of one session, with versions; plug in by ``Memory(storage=...)``.

    Takes an opened store or a ``SharedContext``, or ``path=`` / ``url=`` of a store that it then closes itself;
    ``session`` is one of a store. ``ttl`` gives seconds to live by scope (the deepest that fits counts) or for all; a
    record's ``metadata["ttl"]`` comes first. Safe for threads; what other processes save is seen at once.
    """

    def __init__(
        self,
        store: Store | SharedContext | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        session: str | None = None,
        ttl: float | Mapping[str, float] | None = None,
    ) -> None:
        self._open = partial(Opening, store, path=path, url=url)
        self._session = session
        self._ttl = lifetimes(ttl)
        self._lock = threading.Lock()
        self._opened: tuple[Opening, Shelf] | None = None
        self._reopen()  # a store that cannot be opened is told here

    def _reopen(self) -> Shelf:
        with self._lock:
            if self._opened is None:
                opening = self._open()
                self._opened = opening, Shelf(opening.context(self._session), self._ttl)
            return self._opened[1]

    @property
    def _shelf(self) -> Shelf:
        opened = self._opened
        return self._reopen() if opened is None else opened[1]

    @property
    def context(self) -> SharedContext:
        """The session that holds the records."""
        return self._shelf.context

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A copied crew keeps its memory."""
        return self

    def save(self, records: list[MemoryRecord]) -> None:
        """Save records; one whose id is there already replaces it.

        Raises crewai's ``EmbeddingDimensionMismatchError``, ``InvalidValue``, ``BudgetExceeded``, ``DiskFull``.
        """
        self.context.run(self._shelf.save(records))

    def update(self, record: MemoryRecord) -> None:
        """Save a record's next state; ``private``, ``source`` and the time of creation stay where it does not say."""
        self.context.run(self._shelf.update(record))

    def touch_records(self, record_ids: list[str]) -> None:
        """Set the time at which records were last accessed to now; this makes no version."""
        ids = listed("record_ids", record_ids)
        self.context.run(self._shelf.touch(ids, datetime.now(UTC).replace(tzinfo=None).isoformat()))

    def get_record(self, record_id: str) -> MemoryRecord | None:
        """Return a record by its id, None where there is none."""
        return self.context.run(self._shelf.get(check_words("the id", record_id)))

    def search(
        self,
        query_embedding: Sequence[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        """Return the records nearest to the vector with the cosine as score (0 to 1), best first.

        Of those below the scope, with any of the categories and all of the metadata. Raises crewai's
        ``EmbeddingDimensionMismatchError``.
        """
        wanted = Wanted.of(scope_prefix, categories, metadata_filter)
        lowest = least("min_score", min_score)
        return self.context.run(self._shelf.search(query_embedding, wanted, most("limit", limit), lowest))

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        """Delete the records that fit all that is given and return how many; their history stays.

        Raises ``InvalidValue`` for a text in the place of a list.
        """
        wanted = Wanted.of(scope_prefix, categories, metadata_filter, older_than)
        chosen = None if record_ids is None else set(listed("record_ids", record_ids))

        def remove() -> Steps[int]:
            items = yield from self._shelf.matching(wanted)
            if chosen is not None:
                items = [item for item in items if item.name in chosen]
            return (yield from self._shelf.remove(items))

        return self.context.run(remove())

    def list_records(self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0) -> list[MemoryRecord]:
        """Return records below a scope, newest first."""
        if most("limit", limit) <= 0 or most("offset", offset) < 0:
            return []

        def records() -> Steps[list[MemoryRecord]]:
            items = yield from self._shelf.matching(Wanted.of(scope_prefix))
            items.sort(key=lambda item: moment(item.read_facts()[2]), reverse=True)
            found = []
            for item in items[offset : offset + limit]:
                record = yield from self._shelf.load(item)
                if record is not None:
                    found.append(record)
            return found

        return self.context.run(records())

    def get_scope_info(self, scope: str) -> ScopeInfo:
        """Return how many records a scope holds, their categories, times, and the scopes below."""
        return scopes.info(self._items(scope), scope_path(scope))

    def list_scopes(self, parent: str = "/") -> list[str]:
        """Return the scopes right below ``parent``."""
        return scopes.children(self._items(parent), scope_path(parent))

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        """Return how many records below a scope each category has."""
        return scopes.categories(self._items(scope_prefix))

    def count(self, scope_prefix: str | None = None) -> int:
        """Return how many records there are below a scope."""
        return len(self._items(scope_prefix))

    def reset(self, scope_prefix: str | None = None) -> None:
        """Remove all records below a scope for good, with their history."""

        def erase() -> Steps[None]:
            yield from self._shelf.erase((yield from self._shelf.matching(Wanted.of(scope_prefix))))

        self.context.run(erase())

    def history(self, record_id: str) -> list[RecordVersion]:
        """Return a record's states, newest first, also those of a deleted one."""
        return self.context.run(self._shelf.former.history(record_id))

    def rollback(self, record_id: str, version: int) -> MemoryRecord:
        """Make a former state the newest one, with the vector it had; raises ``KeyNotFound``, ``InvalidValue``."""
        check_number("version", version)

        def restore() -> Steps[MemoryRecord | None]:
            yield from self._shelf.index.sync()
            state = yield from self._shelf.former.state(record_id, version)
            if state is None:
                return None
            yield from self._shelf.restore(*state)
            return (yield from self._shelf.get(record_id))

        record = self.context.run(restore())
        if record is None:
            raise KeyNotFound(f"the record {record_id!r} has no state {version}: `history` lists what there is")
        return record

    async def asave(self, records: list[MemoryRecord]) -> None:
        """``save``, off the event loop."""
        await self.context.store.driver.leave_loop(self.save, records)

    async def asearch(
        self,
        query_embedding: Sequence[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        """``search``, off the event loop."""
        arguments = (query_embedding, scope_prefix, categories, metadata_filter, limit, min_score)
        return await self.context.store.driver.leave_loop(self.search, *arguments)

    async def adelete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        """``delete``, off the event loop."""
        arguments = (scope_prefix, categories, record_ids, older_than, metadata_filter)
        return await self.context.store.driver.leave_loop(self.delete, *arguments)

    def close(self) -> None:
        """Close the store if it was opened here; who goes on, as crews do that close their memory, opens it again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].close()

    def _items(self, scope: str | None) -> list[Item]:
        return self.context.run(self._shelf.matching(Wanted.of(scope)))
