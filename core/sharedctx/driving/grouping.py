"""Driving steps from an event loop: commits of many tasks share one transaction, reads stay short or leave the loop."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from ..backends.base import NEXT, Backend, Committed, Head, Op, Put, Row
from ..backends.steps import ASK_NOW, TAIL, Call, Steps
from ..errors import BackendUnavailable, ConditionFailed
from ..forking import renew_after_fork
from .watching import Watching

P = ParamSpec("P")
T = TypeVar("T")

_GROUP = 256
_GROUP_BYTES = 8 * 2**20
_INLINE_ROWS = 16
_INLINE = frozenset({"rev", "expired", "newest"})
_ELSEWHERE = object()


@dataclass(slots=True)
class _Waiting:
    space: str
    ops: Sequence[Op]
    if_rev: int | None
    size: int
    loop: asyncio.AbstractEventLoop | None
    future: asyncio.Future[Committed] | Future[Committed]
    tails: dict[tuple[str, str], Row]
    grounds: Sequence[_Waiting] = ()
    result: Committed | Exception | None = None


class GroupDriver:
    """Runs steps for the event loops of one store.

    What is queued while a transaction runs goes into the next one together. An append that finds a queued version of
    its key builds on that one; if it fails, so does the append, which then reads again: the version that stands in its
    place may be another writer's of the same number.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._queue: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._tails: dict[tuple[str, str], tuple[Row, _Waiting]] = {}
        self._numbers = itertools.count(1)
        self._closed = False
        self._clock: tuple[asyncio.AbstractEventLoop, float] | None = None
        self.watching = Watching(backend)
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start over without the parent's threads and what waits for them."""
        self._queue = deque()
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._thread = self._pool = None
        self._tails = {}
        self._clock = None

    async def run(self, steps: Steps[T]) -> T:
        """Drive ``steps`` to the end and return its result."""
        grounds: list[_Waiting] = []
        try:
            call = next(steps)
            while True:
                try:
                    if call.method == "commit":
                        own, grounds = tuple(grounds), []
                        space, ops, if_rev = call.args
                        result = await self._queued(space, ops, if_rev, own)
                    elif (result := self._at_once(call, grounds)) is _ELSEWHERE:
                        ask = getattr(self._backend, call.method)
                        result = await self.leave_loop(ask, *call.args, **call.options)
                except Exception as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def _at_once(self, call: Call, grounds: list[_Waiting]) -> Any:
        """Answer what takes no time, or return that it is to be answered elsewhere.

        ``grounds`` are the queued commits whose versions these steps were given since their last commit.
        """
        if call is ASK_NOW and self._backend.local:
            held = self._clock
            return held[1] if held is not None and held[0] is asyncio.get_running_loop() else self._now()
        if call.options is TAIL and (queued := self._tails.get(call.args[:2])) is not None:
            grounds.append(queued[1])
            return [queued[0]]
        if call.known:
            return call.known
        short = call.method in _INLINE or call.options.get("limit", _INLINE_ROWS + 1) <= _INLINE_ROWS
        if short and self._backend.local:
            return getattr(self._backend, call.method)(*call.args, **call.options)
        return _ELSEWHERE

    def _now(self) -> float:
        """The store's clock, read once for all that one turn of the loop asks."""
        loop = asyncio.get_running_loop()
        now = self._backend.now()
        self._clock = loop, now
        loop.call_soon(self._turn)
        return now

    def _turn(self) -> None:
        self._clock = None

    async def leave_loop(self, ask: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Call a blocking function on this driver's own threads, in the context of the caller."""
        context = contextvars.copy_context()
        pool = self._readers()
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: context.run(ask, *args, **options))

    def _readers(self) -> ThreadPoolExecutor:
        with self._news:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(8, thread_name_prefix="sharedctx-read")
            return self._pool

    def _queued(
        self, space: str, ops: Sequence[Op], if_rev: int | None, grounds: Sequence[_Waiting]
    ) -> asyncio.Future[Committed]:
        """Queue a commit of a task of the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Committed] = loop.create_future()
        tails: dict[tuple[str, str], Row] = {}
        size = 0
        for op in ops:
            if op.__class__ is Put:
                pk, value, sk, expires, when = op
                size += len(value)
                if sk is NEXT and if_rev is None and when.__class__ is Head:
                    tails[space, pk] = Row(pk, when.next, value, -next(self._numbers), expires)
        waiting = _Waiting(space, ops, if_rev, size, loop, future, tails, grounds)
        with self._lock:
            if self._closed:
                raise BackendUnavailable("this store was closed by its opener: open it again")
            # Told and queued at once: what another thread's loop builds on it is queued behind it.
            for at, row in tails.items():
                self._tails[at] = row, waiting
            self._queue.append(waiting)
            first = self._queue[0]
        if first is waiting:
            loop.call_soon(self._hand_over)
        elif first.loop is not loop:  # which may be busy, or gone
            self._hand_over()
        return future

    def submit(self, space: str, ops: Sequence[Op]) -> Future[Committed]:
        """Queue a commit from any thread: it is applied after all that were queued before it."""
        future: Future[Committed] = Future()
        with self._news:
            if self._closed:
                raise BackendUnavailable("this store was closed by its opener: open it again")
            self._queue.append(_Waiting(space, ops, None, _size(ops), None, future, {}))
        self._hand_over()
        return future

    def _hand_over(self) -> None:
        """Wake the writer when the loop has had its turn: what its tasks put together is written together, and the
        two threads do not take the interpreter from each other meanwhile."""
        with self._news:
            if self._thread is None and self._queue:
                self._thread = threading.Thread(target=self._write, name="sharedctx-write", daemon=True)
                self._thread.start()
            self._news.notify()

    def _write(self) -> None:
        while True:
            with self._news:
                while not self._queue and not self._closed:
                    self._news.wait()
                if not self._queue:
                    return
                group, size = [self._queue.popleft()], 0
                while self._queue and len(group) < _GROUP and size < _GROUP_BYTES:
                    group.append(self._queue.popleft())
                    size += group[-1].size
            self._apply(group)
            loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
            for one in group:
                if one.loop is None:
                    _settle(one)
                else:
                    loops.setdefault(one.loop, []).append(one)
            for loop, done in loops.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._deliver, done)

    def _apply(self, group: list[_Waiting]) -> None:
        """Commit a group and note the results; what builds on a commit that failed fails as it did."""
        sent: list[_Waiting] = []
        places: dict[int, int] = {}
        for one in group:
            one.result = _lost(one) if one.grounds else None
            if one.result is None:
                places[id(one)] = len(sent)
                sent.append(one)
        grounds = [[places[id(ground)] for ground in one.grounds if id(ground) in places] for one in sent]
        try:
            commits = [(one.space, one.ops, one.if_rev) for one in sent]
            results = self._backend.commit_many(commits, grounds if any(grounds) else ())
        except Exception as error:
            results = [error for _ in sent]
        for one, result in zip(sent, results, strict=True):
            one.result = (_lost(one) if one.grounds else None) or result
        for one in group:
            one.grounds = ()  # else each would keep all before it

    def _deliver(self, done: list[_Waiting]) -> None:
        for one in done:
            if isinstance(one.result, Exception):
                self._drop_tails((one,))
                if not one.future.done():
                    one.future.set_exception(one.result)
            elif not one.future.done() and one.result is not None:
                one.future.set_result(one.result)
        # What the tasks that are woken now write next builds on what was committed, without reading it again.
        asyncio.get_running_loop().call_soon(self._drop_tails, done)

    def _drop_tails(self, done: Sequence[_Waiting]) -> None:
        with self._lock:
            for one in done:
                for at, row in one.tails.items():
                    if (held := self._tails.get(at)) is not None and held[0] is row:
                        del self._tails[at]

    def close(self) -> None:
        """Commit what is queued and end the threads."""
        self.watching.close()
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True)


def _size(ops: Sequence[Op]) -> int:
    size = 0
    for op in ops:
        if isinstance(op, Put):
            size += len(op.value)
    return size


def _lost(one: _Waiting) -> ConditionFailed | None:
    """The error of a commit that builds on one that failed, naming the key that both write."""
    for ground in one.grounds:
        if isinstance(ground.result, Exception):
            pk = next((pk for _, pk in ground.tails if any(op.pk == pk for op in one.ops)), None)
            return ConditionFailed(
                f"the version of {pk!r} that this write builds on was refused: read it again", pk=pk, actual=None
            )
    return None


def _settle(one: _Waiting) -> None:
    if isinstance(one.result, Exception):
        one.future.set_exception(one.result)
    elif one.result is not None:
        one.future.set_result(one.result)
