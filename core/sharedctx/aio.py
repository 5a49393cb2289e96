"""AsyncSharedContext: the same verbs for event loops, over the same steps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from .access import RIGHTS, Grants, Right
from .backends.steps import Steps
from .context import SharedContext
from .entries.arguments import check_seconds
from .entry import ContextEntry, Event, Evicted, Hit, Stats
from .snapshot import AsyncSnapshot

if TYPE_CHECKING:
    from .archives import Exported
    from .audit import AuditHead, AuditRecord
    from .entries.configuration import Configuration
    from .handover import Packet, Window
    from .handover.staleness import Stale
    from .served.savings import Minute, Saving

T = TypeVar("T")

_LARGE = 1 << 16


class AsyncSharedContext:
    """A session's entries for coroutines; verbs, arguments and errors are those of ``SharedContext``.

    Puts of many tasks share transactions; what takes long leaves the event loop. Also an async context manager.
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

    def bind(self, participant: str, *, face: str | None = None) -> AsyncSharedContext:
        """Return this context as ``participant``."""
        return AsyncSharedContext.over(self._sync.bind(participant, face=face))

    async def run(self, steps: Steps[T]) -> T:
        """Drive steps over this session's store and return their result."""
        self._sync.store.check_open()
        return await self._sync.store.driver.run(steps)

    async def put(
        self, key: str, value: Any, *, agent: str | None = None, expect: int | None = None, ttl: float | None = None
    ) -> ContextEntry:
        """Write ``value`` as the key's next version; large values are encoded, and budgets of sessions judged, off the
        event loop."""
        context = self._sync
        views = context.settings.max_store_tokens is not None  # of all that others wrote
        if views or not isinstance(value, str | bytes) or len(value) > _LARGE:
            leave = context.store.driver.leave_loop
            return await leave(context.put, key, value, agent=agent, expect=expect, ttl=ttl)
        context.store.check_open()
        steps = context.verbs.put(context.participant, key, value, context.agent(agent), expect, ttl)
        return await context.store.driver.run(steps)

    @overload
    async def get(
        self,
        key: str,
        *,
        full: Literal[False] = False,
        version: int | None = None,
        max_tokens: int | None = None,
        query: str | None = None,
    ) -> str | None: ...
    @overload
    async def get(self, key: str, *, full: bool, version: int | None = None) -> Any: ...
    async def get(
        self,
        key: str,
        *,
        full: bool = False,
        version: int | None = None,
        max_tokens: int | None = None,
        query: str | None = None,
    ) -> Any:
        """Return the view, or with ``full=True`` the exact value; None when there is none."""
        context = self._sync
        entry = await self.get_entry(key, version)
        if entry is None:
            return None
        if full:
            return await self._off(entry.size, context.verbs.value(context.participant, key, entry.version))
        steps = context.verbs.show(context.participant, key, entry.version, max_tokens, query)
        shown = await self._off(entry.size, steps)
        if shown is None:
            return None
        context.served("read", shown.tokens, shown.original_tokens)
        return shown.text

    async def _off(self, size: int, steps: Steps[T]) -> T:
        """Drive steps that decode ``size`` bytes, off the event loop where that takes long."""
        if size <= _LARGE:
            return await self.run(steps)
        return await self._sync.store.driver.leave_loop(self._sync.run, steps)

    async def expand(self, key: str, ref: str = "all", *, max_tokens: int | None = None) -> str:
        """Return what a view left out."""
        return await self._sync.store.driver.leave_loop(self._sync.expand, key, ref, max_tokens=max_tokens)

    async def search(self, query: str, *, prefix: str = "", limit: int = 10) -> list[Hit]:
        """Return the places in live entries that best fit the words of ``query``."""
        return await self._sync.store.driver.leave_loop(self._sync.search, query, prefix=prefix, limit=limit)

    async def window(
        self,
        max_tokens: int,
        *,
        priorities: Mapping[str, float] | None = None,
        query: str | None = None,
        prefix: str = "",
    ) -> Window:
        """Return as much of the session as ``max_tokens`` allow."""
        leave = self._sync.store.driver.leave_loop
        return await leave(self._sync.window, max_tokens, priorities=priorities, query=query, prefix=prefix)

    async def packet(
        self,
        *,
        for_agent: str,
        task: str,
        max_tokens: int,
        priorities: Mapping[str, float] | None = None,
        prefix: str = "",
    ) -> Packet:
        """Return the bundle that hands this session over to ``for_agent``."""
        return await self._sync.store.driver.leave_loop(
            self._sync.packet,
            for_agent=for_agent,
            task=task,
            max_tokens=max_tokens,
            priorities=priorities,
            prefix=prefix,
        )

    async def stale(self, *, diffs: bool = False, ask: bool = True) -> list[Stale]:
        """Return the keys that changed since this participant read or wrote them here, each change once."""
        context, who = self._sync, self._sync.participant
        if who is None:
            return context.stale()  # which says what is wrong
        from .handover.staleness import stale, with_diffs

        found = await self.run(stale(context.verbs, who, ask=ask))
        if not (diffs and found):
            return found
        return await context.store.driver.leave_loop(context.run, with_diffs(context.verbs, who, found))

    async def savings(self) -> list[Saving]:
        """Return the tokens that models were served against full replay, by participant and face."""
        return await self.run(self._sync.store.savings.report(self._sync.session))

    async def savings_by_minute(self, since: float = 0.0) -> list[Minute]:
        """Return the same by minute and participant, from ``since`` (seconds since the epoch) on, for the last week."""
        return await self.run(self._sync.store.savings.timeline(self._sync.session, check_seconds("since", since)))

    async def get_entry(self, key: str, version: int | None = None) -> ContextEntry | None:
        """Return the entry of the live (or that) version, or None."""
        return await self.run(self._sync.verbs.get_entry(self._sync.participant, key, version))

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the live keys that start with ``prefix``."""
        return await self.run(self._sync.verbs.keys(self._sync.participant, prefix))

    async def nearest(self, key: str, limit: int = 3) -> list[str]:
        """Return the live keys whose spelling is nearest to a wrong one, best first."""
        return await self._sync.store.driver.leave_loop(self._sync.nearest, key, limit)

    async def history(self, key: str, limit: int = 100, before: int | None = None) -> list[ContextEntry]:
        """Return the key's versions, newest first."""
        return await self.run(self._sync.verbs.history(self._sync.participant, key, limit, before))

    async def diff(self, key: str, a: int, b: int) -> Any:
        """Return how version ``b`` differs from ``a``."""
        return await self._sync.store.driver.leave_loop(self._sync.diff, key, a, b)

    async def rollback(
        self, key: str, version: int, *, agent: str | None = None, expect: int | None = None
    ) -> ContextEntry:
        """Write the value of an old version as the newest one."""
        context = self._sync
        leave = context.store.driver.leave_loop
        return await leave(context.rollback, key, version, agent=agent, expect=expect)

    def as_of(self, rev: int) -> AsyncSnapshot:
        """Return the session as it was at revision ``rev``, for reading."""
        return AsyncSnapshot(self._sync.as_of(rev), self)

    async def trim(self, key: str, keep: int) -> int:
        """Forget old versions, keeping at least ``keep``."""
        return await self.run(self._sync.verbs.trim(self._sync.participant, key, keep))

    async def delete(self, key: str, *, agent: str | None = None, expect: int | None = None) -> int:
        """Remove the live value; its history stays."""
        context = self._sync
        return await self.run(context.verbs.delete(context.participant, key, context.agent(agent), expect))

    async def erase(self, key: str, *, agent: str | None = None) -> int:
        """Remove the key with its whole history."""
        return await self.run(self._sync.verbs.erase(self._sync.participant, key, self._sync.agent(agent)))

    async def clear(self, *, agent: str | None = None) -> int:
        """Delete every live key that may be read."""
        return await self.run(self._sync.verbs.clear(self._sync.participant, self._sync.agent(agent)))

    async def evicted(self) -> list[Evicted]:
        """Return what the limits and TTL removed."""
        return await self.run(self._sync.verbs.evicted(self._sync.participant))

    async def sweep(self) -> int:
        """Record expired entries as evicted."""
        return await self.run(self._sync.verbs.sweep())

    async def changes(self, since: int = 0, limit: int = 1000) -> list[Event]:
        """Return what happened after revision ``since``."""
        return await self.run(self._sync.verbs.changes(self._sync.participant, since, limit))

    async def watch(self, since: int | None = None, timeout: float | None = None) -> AsyncIterator[Event]:
        """Yield events as they are committed, from ``since`` or from now on; ends after ``timeout`` quiet seconds."""
        if timeout is not None:
            check_seconds("timeout", timeout)
        context = self._sync
        clock = asyncio.get_running_loop().time
        at = await self.rev() if since is None else since
        heard = clock()
        while True:
            seen, at = await self.run(context.verbs.follow(context.participant, at))
            for event in seen:
                yield event
            if seen:
                heard = clock()
                continue
            left = None if timeout is None else heard + timeout - clock()
            if left is not None and left <= 0:
                return
            await context.store.driver.watching.wait(context.verbs.space, at, left)

    async def rev(self) -> int:
        """Return the session's present revision."""
        return await self.run(self._sync.verbs.rev())

    async def stats(self) -> Stats:
        """Return the measured savings of the live entries, and of what models were served."""
        return await self._sync.store.driver.leave_loop(self._sync.stats)

    async def grant(
        self,
        participant: str,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        delete: Sequence[str] = (),
        rollback: Sequence[str] = (),
        admin: Sequence[str] = (),
    ) -> Grants:
        """Allow participants that fit a pattern just these key patterns."""
        given: dict[Right, Sequence[str]] = dict(zip(RIGHTS, (read, write, delete, rollback, admin), strict=True))
        return await self.run(self._sync.verbs.grant(self._sync.participant, participant, given))

    async def revoke(self, participant: str) -> Grants:
        """Drop the rule for this participant pattern."""
        return await self.run(self._sync.verbs.revoke(self._sync.participant, participant))

    async def configure(self, **settings: Any) -> Configuration:
        """Store settings of the session: ``ttl`` and ``audit``."""
        context = self._sync
        return await self.run(context.verbs.configure(context.participant, settings, context.participant or ""))

    async def configuration(self) -> Configuration:
        """Return the stored settings that are in force."""
        return await self.run(self._sync.verbs.configuration())

    async def audit(self, since: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Return who did what to which version, when, after row ``since``, oldest first."""
        return await self.run(self._sync.verbs.audit(self._sync.participant, since, limit))

    async def audit_head(self) -> AuditHead | None:
        """Return the newest row of the audit log, to be kept elsewhere."""
        return await self.run(self._sync.verbs.audit_head(self._sync.participant))

    async def verify_audit(self, head: AuditHead | str | None = None) -> list[str]:
        """Check the audit log; return a sentence for each fault."""
        return await self._sync.store.driver.leave_loop(self._sync.verify_audit, head)

    async def grants(self) -> Grants:
        """Return the grants as they stand."""
        return await self.run(self._sync.verbs.grants())

    async def export(self, path: str | os.PathLike[str]) -> Exported:
        """Write the session with all versions, times and writers to the new file ``path``."""
        return await self._sync.store.driver.leave_loop(self._sync.export, path)

    async def close(self) -> None:
        """Close the store if this object opened it."""
        self._sync.close()

    async def __aenter__(self) -> AsyncSharedContext:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
