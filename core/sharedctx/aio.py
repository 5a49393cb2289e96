"""AsyncSharedContext: the same verbs for event loops, over the same steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Literal, overload

from .access import RIGHTS, Grants, Right
from .backends.steps import Steps
from .context import SharedContext
from .entry import ContextEntry, Event, Evicted, Stats

_LARGE = 1 << 16


class AsyncSharedContext:
    """A session's entries for coroutines; verbs, arguments and errors are those of ``SharedContext``.

    Puts of many tasks share transactions. Also an async context manager.
    """

    def __init__(self, session: str = "default", **options: Any) -> None:
        self._sync = SharedContext(session, **options)

    @classmethod
    def over(cls, context: SharedContext) -> AsyncSharedContext:
        """Return the async face of a context; the store stays with its opener."""
        self = cls.__new__(cls)
        self._sync = context
        return self

    @property
    def sync(self) -> SharedContext:
        """The same session for threads."""
        return self._sync

    def bind(self, participant: str) -> AsyncSharedContext:
        """Return this context as ``participant``."""
        return AsyncSharedContext.over(self._sync.bind(participant))

    async def _run(self, steps: Steps[Any]) -> Any:
        self._sync.store.check_open()
        return await self._sync.store.driver.run(steps)

    async def put(
        self, key: str, value: Any, *, agent: str | None = None, expect: int | None = None, ttl: float | None = None
    ) -> ContextEntry:
        """Write ``value`` as the key's next version; large values are encoded off the event loop."""
        context = self._sync
        if not isinstance(value, str | bytes) or len(value) > _LARGE:
            entry: ContextEntry = await context.store.driver.leave_loop(
                context.put, key, value, agent=agent, expect=expect, ttl=ttl
            )
            return entry
        steps = context.verbs.put(context.participant, key, value, context.agent(agent), expect, ttl)
        entry = await self._run(steps)
        return entry

    @overload
    async def get(self, key: str, *, full: Literal[False] = False, version: int | None = None) -> str | None: ...
    @overload
    async def get(self, key: str, *, full: bool, version: int | None = None) -> Any: ...
    async def get(self, key: str, *, full: bool = False, version: int | None = None) -> Any:
        """Return the view, or with ``full=True`` the exact value; None when there is none."""
        context = self._sync
        entry: ContextEntry | None = await self._run(context.verbs.get_entry(context.participant, key, version))
        if entry is not None and entry.size > _LARGE:
            return await context.store.driver.leave_loop(context.get, key, full=full, version=entry.version)
        number = None if entry is None else entry.version
        return None if entry is None else await self._run(context.verbs.get(context.participant, key, full, number))

    async def expand(self, key: str, ref: str = "all", *, max_tokens: int | None = None) -> str:
        """Return what a view left out."""
        text: str = await self._sync.store.driver.leave_loop(self._sync.expand, key, ref, max_tokens=max_tokens)
        return text

    async def get_entry(self, key: str, version: int | None = None) -> ContextEntry | None:
        """Return the entry of the live (or that) version, or None."""
        steps = self._sync.verbs.get_entry(self._sync.participant, key, version)
        entry: ContextEntry | None = await self._run(steps)
        return entry

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the live keys that start with ``prefix``."""
        found: list[str] = await self._run(self._sync.verbs.keys(self._sync.participant, prefix))
        return found

    async def history(self, key: str, limit: int = 100, before: int | None = None) -> list[ContextEntry]:
        """Return the key's versions, newest first."""
        steps = self._sync.verbs.history(self._sync.participant, key, limit, before)
        found: list[ContextEntry] = await self._run(steps)
        return found

    async def diff(self, key: str, a: int, b: int) -> Any:
        """Return how version ``b`` differs from ``a``."""
        return await self._sync.store.driver.leave_loop(self._sync.diff, key, a, b)

    async def rollback(self, key: str, version: int, *, agent: str | None = None) -> ContextEntry:
        """Write the value of an old version as the newest one."""
        context = self._sync
        steps = context.verbs.rollback(context.participant, key, version, context.agent(agent))
        entry: ContextEntry = await self._run(steps)
        return entry

    async def trim(self, key: str, keep: int) -> int:
        """Forget old versions, keeping at least ``keep``."""
        count: int = await self._run(self._sync.verbs.trim(self._sync.participant, key, keep))
        return count

    async def delete(self, key: str, *, agent: str | None = None, expect: int | None = None) -> int:
        """Remove the live value; its history stays."""
        context = self._sync
        steps = context.verbs.delete(context.participant, key, context.agent(agent), expect)
        version: int = await self._run(steps)
        return version

    async def erase(self, key: str, *, agent: str | None = None) -> int:
        """Remove the key with its whole history."""
        count: int = await self._run(self._sync.verbs.erase(self._sync.participant, key, self._sync.agent(agent)))
        return count

    async def clear(self, *, agent: str | None = None) -> int:
        """Delete every live key that may be read."""
        count: int = await self._run(self._sync.verbs.clear(self._sync.participant, self._sync.agent(agent)))
        return count

    async def evicted(self) -> list[Evicted]:
        """Return what the limits and TTL removed."""
        found: list[Evicted] = await self._run(self._sync.verbs.evicted())
        return found

    async def sweep(self) -> int:
        """Record expired entries as evicted."""
        count: int = await self._run(self._sync.verbs.sweep())
        return count

    async def changes(self, since: int = 0, limit: int = 1000) -> list[Event]:
        """Return what happened after revision ``since``."""
        found: list[Event] = await self._run(self._sync.verbs.changes(self._sync.participant, since, limit))
        return found

    async def watch(self, since: int | None = None, timeout: float | None = None) -> AsyncIterator[Event]:
        """Yield events as they are committed; a quiet watch holds a thread of the driver's."""
        context = self._sync
        at = await self.rev() if since is None else since
        quiet = 0.0
        while True:
            seen, at = await self._run(context.verbs.follow(context.participant, at))
            for event in seen:
                yield event
            if seen:
                quiet = 0.0
                continue
            step = 0.25 if timeout is None else min(0.25, timeout - quiet)
            news = await context.store.driver.leave_loop(context.store.backend.wait, context.verbs.space, at, step)
            quiet += step
            if not news and timeout is not None and quiet >= timeout:
                return

    async def rev(self) -> int:
        """Return the session's present revision."""
        rev: int = await self._run(self._sync.verbs.rev())
        return rev

    async def stats(self) -> Stats:
        """Return the measured savings of the live entries."""
        stats: Stats = await self._sync.store.driver.leave_loop(self._sync.stats)
        return stats

    async def grant(
        self,
        participant: str,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        delete: Sequence[str] = (),
        rollback: Sequence[str] = (),
    ) -> Grants:
        """Allow participants that fit a pattern just these key patterns."""
        given: dict[Right, Sequence[str]] = dict(zip(RIGHTS, (read, write, delete, rollback), strict=True))
        self._sync.require_owner("change grants")
        grants: Grants = await self._run(self._sync.verbs.set_grants(lambda old: old.with_rule(participant, given)))
        return grants

    async def close(self) -> None:
        """Close the store if this object opened it."""
        self._sync.close()

    async def __aenter__(self) -> AsyncSharedContext:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
