"""``ContextStore``: LangGraph's long-term memory over a session of a shared context."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from sharedctx import SharedContext, Store
from sharedctx.backends.steps import Steps
from sharedctx.driving.relay import Relay
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.opening import Openable, Opening
from sharedctx.settings import check_duration

from ..ready import Ready
from .asking import check, check_minutes, check_ttl
from .embedding import Embedding, Texts
from .filters import namespaces
from .finding import Asked, Finding
from .mirror import Mirror
from .shelf import INDEX, Draft, Found, Shelf
from .sweeper import Sweeper
from .values import jsonable

with extra("langgraph", "ContextStore"):
    from langgraph.store.base import (
        BaseStore,
        GetOp,
        Item,
        ListNamespacesOp,
        PutOp,
        Result,
        SearchItem,
        SearchOp,
        validate_op_namespace,
    )
    from langgraph.store.base import Op as StoreOp

T = TypeVar("T")

FACE = "langgraph"
_SWEEP_MINUTES = 5


class _Batch(NamedTuple):
    """Operations in order, the last put of each item with the texts to embed, and all texts of the batch."""

    ops: Sequence[StoreOp]
    puts: dict[tuple[tuple[str, ...], str], tuple[PutOp, list[str]]]
    texts: Texts


class ContextStore(Openable, BaseStore):
    """Keeps LangGraph's items as entries of a session, where tools, CrewAI and servers read them too; sync and async
    methods in one object.

    ``given`` is an opened store or a context, else ``path`` or ``url`` name one that this object opens and closes
    (``durable``: safe from power cuts too); ``session`` (default "default") is for all but a context, ``participant``
    the name that writes carry and grants apply to. ``index`` is LangGraph's ``IndexConfig`` (``dims``, ``embed``,
    ``fields``): with it ``query`` finds by meaning, without it by words. ``ttl`` is its ``TTLConfig``; times to live
    are minutes. A context manager for ``with`` and ``async with``.

    Raises ``ConfigError``; methods raise ``SharedContextError`` and LangGraph's ``InvalidNamespaceError``.
    """

    supports_ttl = True

    def __init__(
        self,
        given: Store | SharedContext | None = None,
        session: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        durable: bool = False,
        participant: str | None = None,
        index: Any = None,
        ttl: Any = None,
    ) -> None:
        minutes = check_ttl(ttl)
        embedding = None if index is None else Embedding(index)
        self._opening = Opening(given, path=path, url=url, durable=durable)
        context = self._opening.context(session)
        who = participant or context.participant
        self._context = context if who is None else context.bind(who, face=FACE)
        self.ttl_config: Any = minutes
        self.index_config = None if index is None else dict(index)
        self._embedding = embedding
        vectors = None if embedding is None else context.verbs.session.vectors(INDEX)
        self._shelf = Shelf(self._context, vectors)
        self._finding = Finding(self._context, self._shelf, Mirror(context.verbs.session), vectors)
        self._relay = Relay(context.store.backend, lambda: context.store.driver)
        self._sweeper = Sweeper(self.sweep_ttl, lambda: context.store.closed)

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Any) -> ContextStore:
        """Open by path or URL, ``":memory:"`` for a store of this object's own."""
        return cls(url="memory://" if conn_string == ":memory:" else conn_string, **options)

    @property
    def context(self) -> SharedContext:
        """The session that holds the items."""
        return self._context

    @property
    def embeddings(self) -> Any:
        """LangChain's embeddings that are in use, or None."""
        return None if self._embedding is None else self._embedding.embeddings

    def setup(self) -> Ready:
        """Do nothing: stores are ready when they are open. May be awaited."""
        return Ready()

    def close(self) -> None:
        """Stop the sweeper, and close the store if this object opened it; a second close does nothing."""
        self._sweeper.stop()
        self._opening.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._context.store.driver.leave_loop(self._sweeper.stop)
        self._opening.close()

    def batch(self, ops: Iterable[StoreOp]) -> list[Result]:
        """Carry out operations: reads first, which see what was there before, then the last put of each item, in one
        commit as far as it goes. Returns a result for each, in order."""
        batch = self._prepare(ops)
        if self._embedding is not None:
            self._embedding.embed(batch.texts)
        results, found = self._context.run(self._read(batch))
        if found or batch.puts:
            self._context.store.check_open()
            self._relay.run(self._write(batch, found))
        return results

    async def abatch(self, ops: Iterable[StoreOp]) -> list[Result]:
        """``batch`` for coroutines; searches leave the event loop."""
        batch = self._prepare(ops)
        if self._embedding is not None:
            await self._embedding.aembed(batch.texts)
        driver = self._context.store.driver
        self._context.store.check_open()
        if any(isinstance(op, SearchOp | ListNamespacesOp) for op in batch.ops):
            results, found = await driver.leave_loop(self._context.run, self._read(batch))
        else:
            results, found = await driver.run(self._read(batch))
        if found or batch.puts:
            await driver.run(self._write(batch, found))
        return results

    def _prepare(self, ops: Iterable[StoreOp]) -> _Batch:
        if not isinstance(ops, Iterable):
            raise InvalidValue(f"{type(ops).__name__} is no list of operations: pass [GetOp(...), PutOp(...)]")
        batch = _Batch(list(ops), {}, Texts())
        for op in batch.ops:
            check(op)
            validate_op_namespace(op)
            if isinstance(op, PutOp):
                batch.puts[tuple(op.namespace), op.key] = self._plain(op)
            elif isinstance(op, SearchOp):
                batch.texts.want(query=op.query)
            elif not isinstance(op, GetOp | ListNamespacesOp):
                raise InvalidValue(f"{type(op).__name__} is no operation of a store")
        for _, texts in batch.puts.values():
            batch.texts.want(texts)
        return batch

    def _plain(self, op: PutOp) -> tuple[PutOp, list[str]]:
        """Return a put of a JSON value, and the texts of it that are embedded."""
        if op.value is None:
            return op, []
        try:
            op = op._replace(value=jsonable(op.value))
            return op, [] if self._embedding is None else self._embedding.texts(op.value, op.index)
        except (TypeError, ValueError, RecursionError) as error:  # pydantic's own, and what JSON has no word for
            raise InvalidValue(f"the value of {op.key!r} is not JSON ({error}): pass plain values or models") from error

    def _read(self, batch: _Batch) -> Steps[tuple[list[Result], list[Found]]]:
        """Answer the operations; also returns the items whose time to live begins anew."""
        results: list[Result] = []
        used: list[Found] = []
        for op in batch.ops:
            found: list[Found] = []
            if isinstance(op, GetOp):
                one = yield from self._shelf.get(tuple(op.namespace), op.key)
                found = [] if one is None else [one]
                results.append(None if one is None else _item(one))
            elif isinstance(op, SearchOp):
                vector = batch.texts.queries.get(op.query) if op.query and self._embedding is not None else None
                asked = Asked(tuple(op.namespace_prefix), op.filter, op.limit, op.offset, op.query, vector)
                scored = yield from self._finding.search(asked)
                found = [each for each, _ in scored]
                results.append([_search_item(each, score) for each, score in scored])
            elif isinstance(op, ListNamespacesOp):
                there = yield from self._finding.namespaces()
                fitting = namespaces(there, op.match_conditions, op.max_depth)
                results.append(fitting[op.offset : op.offset + op.limit])
            else:
                results.append(None)
            if isinstance(op, GetOp | SearchOp) and op.refresh_ttl:
                used += (each for each in found if each.version.expires is not None)
        return results, used

    def _write(self, batch: _Batch, used: Sequence[Found]) -> Steps[None]:
        yield from self._shelf.renew(each.version for each in used)
        vectors = batch.texts.documents
        yield from self._shelf.write(
            [
                Draft(
                    namespace,
                    key,
                    op.value,
                    [vectors[text] for text in texts],
                    None if op.ttl is None else op.ttl * 60,
                )
                for (namespace, key), (op, texts) in batch.puts.items()
            ]
        )

    def sweep_ttl(self) -> int:
        """Remove expired entries of the session for good, also those of other frameworks; returns how many.

        Reads never return them either way. ``SharedContext.evicted`` tells what went.
        """
        return self._context.sweep()

    async def asweep_ttl(self) -> int:
        """``sweep_ttl`` for coroutines."""
        return await self._context.store.driver.leave_loop(self.sweep_ttl)

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep in a thread of its own, every so many minutes (default: the ``TTLConfig``'s, else 5), until it is
        stopped or the store is closed, here or by its opener. The future is done then; cancelling it stops the sweeper
        too. One that runs goes on as it was started. Raises ``ConfigError``."""
        minutes = sweep_interval_minutes
        if minutes is None:
            minutes = (self.ttl_config or {}).get("sweep_interval_minutes") or _SWEEP_MINUTES
        check_minutes("sweep_interval_minutes", minutes)
        self._context.store.check_open()
        return self._sweeper.start(minutes * 60)

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop the sweeper and wait up to ``timeout`` seconds (None: for its end); False when it still runs.

        Raises ``ConfigError``.
        """
        if timeout is not None:
            check_duration("timeout", timeout)
        return self._sweeper.stop(timeout)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _facts(found: Found) -> dict[str, Any]:
    return {
        "namespace": found.namespace,
        "key": found.key,
        "value": found.value,
        "created_at": _time(found.created),
        "updated_at": _time(found.version.blob.timestamp),
    }


def _item(found: Found) -> Item:
    return Item(**_facts(found))


def _search_item(found: Found, score: float | None) -> SearchItem:
    return SearchItem(**_facts(found), score=score)
