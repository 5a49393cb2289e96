"""What a saver offers besides reading and writing: removing, copying, counting, importing."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any, TypeVar

from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.errors import ConfigError

from .importing import Address, Imported, Progress, Source, address, check_source, put_arguments, tasks
from .packing import Packing
from .places import names, thread_of
from .retention import Removed, Retention, newest
from .threads import Threads

T = TypeVar("T")


class Keeping(ABC):
    """Removal, retention, copies and imports of threads, for threads and event loops."""

    _threads: Threads

    @property
    @abstractmethod
    def _packing(self) -> Packing:
        """How values become bytes."""

    @abstractmethod
    def _run(self, steps: Steps[T]) -> T:
        """Carry out steps in this thread."""

    @abstractmethod
    async def _arun(self, steps: Steps[T]) -> T:
        """Carry out steps for the running event loop."""

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread with all its namespaces."""
        self._run(self._threads.delete(thread_of(thread_id)))

    async def adelete_thread(self, thread_id: str) -> None:
        """``delete_thread`` for coroutines."""
        await self._arun(self._threads.delete(thread_of(thread_id)))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history; what the target held is removed. A source that holds nothing leaves the
        target as it is."""
        self._run(self._threads.copy(thread_of(source_thread_id), thread_of(target_thread_id)))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """``copy_thread`` for coroutines."""
        await self._arun(self._threads.copy(thread_of(source_thread_id), thread_of(target_thread_id)))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints that these runs made, but for those that channels of others are rebuilt from."""
        self._run(Retention(self._threads, self._packing).delete_runs(names(run_ids, "run_ids")))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """``delete_for_runs`` for coroutines."""
        await self._arun(Retention(self._threads, self._packing).delete_runs(names(run_ids, "run_ids")))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Remove the threads (``"delete"``), or all but the newest checkpoint of each namespace (``"keep_latest"``) and
        those that its channels are rebuilt from. Raises ``ConfigError`` for another strategy."""
        self._run(self._prune(thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """``prune`` for coroutines."""
        await self._arun(self._prune(thread_ids, strategy))

    def _prune(self, thread_ids: Sequence[str], strategy: str) -> Steps[None]:
        if strategy not in ("keep_latest", "delete"):
            raise ConfigError(f"strategy {strategy!r} is neither 'keep_latest' nor 'delete'")
        for thread in names(thread_ids, "thread_ids"):
            if strategy == "delete":
                yield from self._threads.delete(thread)
            else:
                yield from Retention(self._threads, self._packing).thin(thread, newest(1, None))

    def retain(
        self,
        *,
        keep_last: int | None = None,
        max_age: float | None = None,
        thread_ids: Sequence[str] | None = None,
        dry_run: bool = False,
    ) -> Removed:
        """Remove old checkpoints of these threads (default: all) and say what went; with ``dry_run`` what would go.

        ``keep_last`` keeps that many of each namespace, ``max_age`` (seconds) the younger ones and the newest; a
        thread whose newest is older goes whole, and so do threads that expired. Kept with them are checkpoints that
        their channels are rebuilt from. Raises ``ConfigError``.
        """
        return self._run(self._retain(keep_last, max_age, thread_ids, dry_run))

    async def aretain(
        self,
        *,
        keep_last: int | None = None,
        max_age: float | None = None,
        thread_ids: Sequence[str] | None = None,
        dry_run: bool = False,
    ) -> Removed:
        """``retain`` for coroutines."""
        return await self._arun(self._retain(keep_last, max_age, thread_ids, dry_run))

    def _retain(
        self, keep_last: int | None, max_age: float | None, thread_ids: Sequence[str] | None, dry_run: bool
    ) -> Steps[Removed]:
        if keep_last is not None and (type(keep_last) is not int or keep_last < 1):
            raise ConfigError(f"keep_last {keep_last!r} is not a whole number from 1 up: delete_thread removes all")
        if max_age is not None and not (type(max_age) in (int, float) and 0 <= max_age <= sys.float_info.max):
            raise ConfigError(f"max_age {max_age!r} is not a number of seconds from 0 up")
        retention = Retention(self._threads, self._packing)
        since = None if max_age is None else (yield from steps.now()) - max_age
        removed = Removed()
        threads = (yield from self._threads.all()) if thread_ids is None else names(thread_ids, "thread_ids")
        for thread in threads:
            swept = yield from retention.sweep(thread, dry_run=dry_run)
            removed += swept
            if not swept.threads and (keep_last is not None or max_age is not None):
                removed += yield from retention.thin(thread, newest(keep_last or 0, since), dry_run=dry_run)
        return removed

    def threads(self) -> dict[str, dict[str, int]]:
        """Return what each thread holds: checkpoints, writes and the bytes of their rows."""
        return self._run(self._weigh())

    def _weigh(self) -> Steps[dict[str, dict[str, int]]]:
        retention = Retention(self._threads, self._packing)
        found: dict[str, dict[str, int]] = {}
        for thread in (yield from self._threads.all()):
            held = asdict((yield from retention.weigh(thread)))
            found[thread] = {name: held[name] for name in ("checkpoints", "writes", "bytes")}
        return found

    def stats(self) -> dict[str, int]:
        """Return how many threads, checkpoints and writes there are and the bytes of their rows."""
        return _sum(self._run(self._weigh()))

    async def astats(self) -> dict[str, int]:
        """``stats`` for coroutines."""
        return _sum(await self._arun(self._weigh()))

    def import_threads(
        self, other: Source, *, thread_ids: Sequence[str] | None = None, progress: Progress | None = None
    ) -> Imported:
        """Copy threads (default: all) from another saver, oldest checkpoint first; those that are here already are
        written again. ``progress`` is called with (copied, of how many) after each checkpoint. Raises ``ConfigError``
        for what is no saver."""
        check_source(other, "list", "get_tuple")
        wanted = None if thread_ids is None else set(names(thread_ids, "thread_ids"))
        found = [(at, one.config) for one in other.list(None) if _wanted(at := address(one), wanted)]
        versions: dict[Address, Any] = {}
        writes = 0
        for count, (_, named) in enumerate(sorted(found, key=itemgetter(0)), 1):
            one = other.get_tuple(named)
            if one is not None:
                config = self.put(*put_arguments(one, versions))  # type: ignore[attr-defined]
                for task, items, path in tasks(one):
                    self.put_writes(config, items, task, path)  # type: ignore[attr-defined]
                    writes += len(items)
            if progress is not None:
                progress(count, len(found))
        return Imported(len({at[0] for at in versions}), len(versions), writes)

    async def aimport_threads(
        self, other: Source, *, thread_ids: Sequence[str] | None = None, progress: Progress | None = None
    ) -> Imported:
        """``import_threads`` from a saver for coroutines."""
        check_source(other, "alist", "aget_tuple")
        wanted = None if thread_ids is None else set(names(thread_ids, "thread_ids"))
        found = [(at, one.config) async for one in other.alist(None) if _wanted(at := address(one), wanted)]
        versions: dict[Address, Any] = {}
        writes = 0
        for count, (_, named) in enumerate(sorted(found, key=itemgetter(0)), 1):
            one = await other.aget_tuple(named)
            if one is not None:
                config = await self.aput(*put_arguments(one, versions))  # type: ignore[attr-defined]
                for task, items, path in tasks(one):
                    await self.aput_writes(config, items, task, path)  # type: ignore[attr-defined]
                    writes += len(items)
            if progress is not None:
                progress(count, len(found))
        return Imported(len({at[0] for at in versions}), len(versions), writes)


def _wanted(at: Address, threads: set[str] | None) -> bool:
    return threads is None or at[0] in threads


def _sum(held: dict[str, dict[str, int]]) -> dict[str, int]:
    names = ("checkpoints", "writes", "bytes")
    return {"threads": len(held), **{name: sum(each[name] for each in held.values()) for name in names}}
