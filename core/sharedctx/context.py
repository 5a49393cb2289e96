"""SharedContext: the face of one session, for one participant or for its owner."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from .access import RIGHTS, Grants, Right
from .backends.steps import Steps, run
from .entries.arguments import check_limit, check_seconds
from .entries.names import check_participant, check_session
from .entries.verbs import Verbs
from .entry import ContextEntry, Event, Evicted, Hit, Stats
from .errors import ConfigError, Forbidden
from .settings import Policy, SessionSettings
from .snapshot import Snapshot
from .tokens import TokenCounter, counter

if TYPE_CHECKING:
    from .archives import Exported
    from .audit import AuditHead, AuditRecord
    from .entries.configuration import Configuration
    from .handover import Packet, Window
    from .handover.staleness import Stale
    from .served.savings import Minute, Saving
    from .store import Store

T = TypeVar("T")


class SharedContext:
    """A session's entries: versioned, compressed for reading, shared by threads, processes and frameworks.

    ``path`` or ``url`` names the store (default ``SHAREDCTX_URL``, else ``./.sharedctx``); ``model`` picks the token
    counter; the other keywords are those of ``SessionSettings``. Also a context manager. Every method may be called
    from any thread; each raises subclasses of ``SharedContextError`` only.
    """

    def __init__(
        self,
        session: str = "default",
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        store: Store | None = None,
        settings: SessionSettings | None = None,
        model: str | None = None,
        ttl: float | None = None,
        max_entries: int | None = None,
        max_value_tokens: int | None = None,
        max_store_tokens: int | None = None,
        policy: Policy = "reject",
        count_tokens: TokenCounter | None = None,
        compressors: Mapping[str, Callable[[str], str]] | None = None,
    ) -> None:
        if sum(given is not None for given in (path, url, store)) > 1:
            raise ConfigError("name the store once: path=, url= or store=")
        keywords = (model, ttl, max_entries, max_value_tokens, max_store_tokens, count_tokens, compressors)
        if settings is not None and (policy != "reject" or any(given is not None for given in keywords)):
            raise ConfigError("settings= come alone: put what the other keywords say into them")
        self.session = check_session(session)
        self.participant: str | None = None
        self.face = "sharedctx"
        self.settings = settings or SessionSettings(
            ttl=ttl,
            max_entries=max_entries,
            max_value_tokens=max_value_tokens,
            max_store_tokens=max_store_tokens,
            policy=policy,
            count_tokens=count_tokens or counter(model),
            compressors=compressors or {},
        )
        self._own: Store | None = None
        if store is None:
            from .store import open as open_store

            store = self._own = open_store(path if path is not None else url)
        self.store = store
        self.verbs = Verbs(store.backend, self.session, store.contents, self.settings, store.audit_key)
        self.verbs.session.reads.tell = partial(store.savings.read, self.session)

    def bind(self, participant: str, *, face: str | None = None) -> SharedContext:
        """Return this context as ``participant``: its writes carry that name, its grants apply.

        ``face`` names the framework that it serves, for the savings.
        """
        check_participant(participant)
        if self.participant is not None and participant != self.participant:
            raise Forbidden(f"this context speaks for {self.participant!r} and cannot be bound to {participant!r}")
        bound = SharedContext.__new__(SharedContext)
        bound.__dict__.update(self.__dict__, participant=participant, face=face or self.face, _own=None)
        return bound

    def agent(self, agent: str | None) -> str:
        """Return the name that a write carries; raises ``Forbidden`` for another than the bound one."""
        if self.participant is not None:
            if agent is not None and agent != self.participant:
                raise Forbidden(f"this context speaks for {self.participant!r}; it cannot write as {agent!r}")
            return self.participant
        return "" if agent is None else check_participant(agent)

    def run(self, steps: Steps[T]) -> T:
        """Drive steps over this session's store, those of ``verbs`` or an adapter's own, and return their result."""
        self.store.check_open()
        return run(self.store.backend, steps)

    def put(
        self, key: str, value: Any, *, agent: str | None = None, expect: int | None = None, ttl: float | None = None
    ) -> ContextEntry:
        """Write ``value`` (text, bytes, JSON or a pydantic model) as the key's next version and return its entry.

        With ``expect=n`` only while version n is the live one (0: while there is none), else ``VersionConflict``.
        ``ttl`` is seconds to live. Raises ``InvalidKey``, ``InvalidValue``, ``ValueTooLarge``, ``BudgetExceeded``,
        ``Forbidden``.
        """
        return self.run(self.verbs.put(self.participant, key, value, self.agent(agent), expect, ttl))

    @overload
    def get(
        self,
        key: str,
        *,
        full: Literal[False] = False,
        version: int | None = None,
        max_tokens: int | None = None,
        query: str | None = None,
    ) -> str | None: ...
    @overload
    def get(self, key: str, *, full: bool, version: int | None = None) -> Any: ...
    def get(
        self,
        key: str,
        *,
        full: bool = False,
        version: int | None = None,
        max_tokens: int | None = None,
        query: str | None = None,
    ) -> Any:
        """Return the compressed view as text, or with ``full=True`` the exact value in its stored type.

        ``max_tokens`` (from 50 up) bounds the view and ``query`` keeps what has its words. None when the key is
        missing, expired, removed or not readable, or that version is. Raises ``DecodeError``, ``InvalidValue``.
        """
        if full:
            return self.run(self.verbs.value(self.participant, key, version))
        shown = self.run(self.verbs.show(self.participant, key, version, max_tokens, query))
        if shown is None:
            return None
        self.served("read", shown.tokens, shown.original_tokens)
        return shown.text

    def served(self, kind: str, tokens: int, replay_tokens: int, to: str | None = None) -> None:
        """Tell the savings of a hand-over to a model, this participant's or that of ``to``, which an adapter made."""
        own = self.participant
        giver = None if to is None or to == own else own
        self.store.savings.record(self.session, to or own, self.face, kind, tokens, replay_tokens, giver)

    def expand(self, key: str, ref: str = "all", *, max_tokens: int | None = None) -> str:
        """Return what a view left out: ``lines:12-40``, ``rows:0-9``, ``path:$.a[0]``, ``regex:...``, ``query:...``.

        A reference may start with the version it belongs to (``v3:lines:12-40``), as the markers in views do.
        Raises ``KeyNotFound`` when that version is gone, ``InvalidValue`` for a reference that fits nothing.
        """
        text = self.run(self.verbs.expand(self.participant, key, ref, max_tokens))
        self.served("expand", self.settings.count_tokens(text), 0)
        return text

    def search(self, query: str, *, prefix: str = "", limit: int = 10) -> list[Hit]:
        """Return the places in live entries that best fit the words of ``query``, best first.

        Each hit's reference can be given to ``expand``. Raises ``InvalidValue`` for a query without words.
        """
        return self.run(self.verbs.search(self.participant, query, prefix, limit))

    def window(
        self,
        max_tokens: int,
        *,
        priorities: Mapping[str, float] | None = None,
        query: str | None = None,
        prefix: str = "",
    ) -> Window:
        """Return as much of the session as ``max_tokens`` (from 50 up) allow: the highest priority whole, the rest
        compressed or as references that ``expand`` redeems, each with its reason. ``priorities`` maps patterns of keys
        to numbers, 0 where none fits. Raises ``InvalidValue``.
        """
        from .handover import window

        made = self.run(
            window(self.verbs, self.participant, max_tokens, priorities=priorities, query=query, prefix=prefix)
        )
        self.served("window", made.tokens, made.replay_tokens)
        return made

    def packet(
        self,
        *,
        for_agent: str,
        task: str,
        max_tokens: int,
        priorities: Mapping[str, float] | None = None,
        prefix: str = "",
    ) -> Packet:
        """Return the bundle that hands this session over to ``for_agent``: what both of you may read and its task asks
        for, within ``max_tokens``; the same state gives the same bytes. Raises ``InvalidValue``."""
        from .handover import packet

        made = self.run(
            packet(self.verbs, self.participant, for_agent, task, max_tokens, priorities=priorities, prefix=prefix)
        )
        self.served("packet", made.tokens, made.replay_tokens, for_agent)
        return made

    def get_entry(self, key: str, version: int | None = None) -> ContextEntry | None:
        """Return the entry of the live (or that) version, or None."""
        return self.run(self.verbs.get_entry(self.participant, key, version))

    def keys(self, prefix: str = "") -> list[str]:
        """Return the live keys that start with ``prefix``, in order."""
        return self.run(self.verbs.keys(self.participant, prefix))

    def nearest(self, key: str, limit: int = 3) -> list[str]:
        """Return the live keys whose spelling is nearest to a wrong one, best first."""
        import difflib  # 4 ms, for mistakes only

        return difflib.get_close_matches(str(key), self.keys(), n=check_limit(limit), cutoff=0.4)

    def history(self, key: str, limit: int = 100, before: int | None = None) -> list[ContextEntry]:
        """Return the key's versions, newest first; removals have kind "gone", damaged ones kind "damaged"."""
        return self.run(self.verbs.history(self.participant, key, limit, before))

    def diff(self, key: str, a: int, b: int) -> Any:
        """Return how version ``b`` differs from ``a``: an RFC 6902 patch for JSON, else a unified diff as text."""
        return self.run(self.verbs.diff(self.participant, key, a, b))

    def rollback(self, key: str, version: int, *, agent: str | None = None, expect: int | None = None) -> ContextEntry:
        """Write the value of an old version as the newest one and return its entry.

        With ``expect=n`` only while version n is the live one: ``VersionConflict`` where somebody wrote a newer.
        """
        return self.run(self.verbs.rollback(self.participant, key, version, self.agent(agent), expect))

    def as_of(self, rev: int) -> Snapshot:
        """Return the session as it was at revision ``rev`` (an entry's or event's), for reading."""
        return Snapshot(self, rev)

    def trim(self, key: str, keep: int) -> int:
        """Forget old versions of a key, keeping at least the newest ``keep``; returns how many went."""
        return self.run(self.verbs.trim(self.participant, key, keep))

    def delete(self, key: str, *, agent: str | None = None, expect: int | None = None) -> int:
        """Remove the live value; its history stays. Returns the removed version; ``KeyNotFound`` if there is none."""
        return self.run(self.verbs.delete(self.participant, key, self.agent(agent), expect))

    def erase(self, key: str, *, agent: str | None = None) -> int:
        """Remove the key with its whole history for good; returns the number of versions that went."""
        return self.run(self.verbs.erase(self.participant, key, self.agent(agent)))

    def clear(self, *, agent: str | None = None) -> int:
        """Delete every live key that may be read; history stays. Returns how many were deleted."""
        return self.run(self.verbs.clear(self.participant, self.agent(agent)))

    def evicted(self) -> list[Evicted]:
        """Return what the limits and TTL removed, oldest first: key, version, when and why."""
        return self.run(self.verbs.evicted(self.participant))

    def sweep(self) -> int:
        """Record expired entries as evicted; reads never see them either way. Returns how many."""
        return self.run(self.verbs.sweep())

    def changes(self, since: int = 0, limit: int = 1000) -> list[Event]:
        """Return what happened after revision ``since``, oldest first; raises ``Compacted``."""
        return self.run(self.verbs.changes(self.participant, since, limit))

    def watch(self, since: int | None = None, timeout: float | None = None) -> Iterator[Event]:
        """Yield events as they are committed, from ``since`` or from now on; ends after ``timeout`` quiet seconds."""
        quiet = None if timeout is None else check_seconds("timeout", timeout)
        at, heard = self.rev() if since is None else since, time.monotonic()
        while True:
            seen, at = self.run(self.verbs.follow(self.participant, at))
            yield from seen
            if seen:
                heard = time.monotonic()
                continue
            left = 1.0 if quiet is None else heard + quiet - time.monotonic()
            if left <= 0:
                return
            self.store.backend.wait(self.verbs.space, at, left)

    def rev(self) -> int:
        """Return the session's present revision."""
        return self.run(self.verbs.rev())

    def stats(self) -> Stats:
        """Return the measured savings of the live entries, and of what models were served."""
        return replace(self.run(self.verbs.stats(self.participant)), served=tuple(self.savings()))

    def savings(self) -> list[Saving]:
        """Return the tokens that models were served from this session against full replay, by participant and face."""
        return self.run(self.store.savings.report(self.session))

    def savings_by_minute(self, since: float = 0.0) -> list[Minute]:
        """Return the same by minute and participant, from ``since`` (seconds since the epoch) on, for the last week."""
        return self.run(self.store.savings.timeline(self.session, check_seconds("since", since)))

    def stale(self, *, diffs: bool = False, ask: bool = True) -> list[Stale]:
        """Return the keys that changed since this participant read or wrote them here, each change once; ``diffs`` says
        what changed. Raises ``Forbidden`` on an unbound context, which remembers nothing.

        ``ask=False`` tells what had changed when this participant read a newest version or wrote last, for next to
        nothing; the store is asked only where it did neither since the call before, or read what it may not.
        """
        if self.participant is None:
            raise Forbidden("only a bound context remembers what it read: bind a participant")
        seen = self.verbs.session.reads.of(self.participant)
        quiet = not seen.expiring or (not ask and -math.inf < self.verbs.session.clock() < seen.soonest)
        rev = self.store.backend.rev(self.verbs.space) if ask or seen.reached is None else seen.reached
        if quiet and rev == seen.rev:
            seen.reached = None  # the way of most calls
            return []
        from .handover.staleness import stale, with_diffs

        found = self.run(stale(self.verbs, self.participant, ask=ask))
        return self.run(with_diffs(self.verbs, self.participant, found)) if diffs and found else found

    def grant(
        self,
        participant: str,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        delete: Sequence[str] = (),
        rollback: Sequence[str] = (),
        admin: Sequence[str] = (),
    ) -> Grants:
        """Allow participants that fit a pattern (``subagent:*``) just these key patterns. For the owner, and for those
        with ``admin`` on all these keys and on those of the rule that stood; raises ``Forbidden``, ``InvalidValue``."""
        given: dict[Right, Sequence[str]] = dict(zip(RIGHTS, (read, write, delete, rollback, admin), strict=True))
        return self.run(self.verbs.grant(self.participant, participant, given))

    def revoke(self, participant: str) -> Grants:
        """Drop the rule for this participant pattern; for the owner, and for who has ``admin`` on ``*``."""
        return self.run(self.verbs.revoke(self.participant, participant))

    def grants(self) -> Grants:
        """Return the grants as they stand."""
        return self.run(self.verbs.grants())

    def configure(self, **settings: Any) -> Configuration:
        """Store settings of the session, which bind all who open it: ``ttl`` in seconds for entries put without one of
        their own; ``audit``: whether who does what is written down with it. None goes back to the store's setting.

        Processes that have it open learn of it within a second. For the owner, and for who has ``admin`` on ``*``.
        Raises ``ConfigError``, ``Forbidden``.
        """
        return self.run(self.verbs.configure(self.participant, settings, self.participant or ""))

    def configuration(self) -> Configuration:
        """Return the stored settings that are in force: the session's over the store's."""
        return self.run(self.verbs.configuration())

    def audit(self, since: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Return who did what to which version, when, after row ``since``, oldest first: whole rows up to ``limit``.

        The owner sees all, others what was done to keys that they have ``admin`` on. Raises ``Forbidden``.
        """
        return self.run(self.verbs.audit(self.participant, since, limit))

    def audit_head(self) -> AuditHead | None:
        """Return the newest row of the audit log, to be kept elsewhere; None where no log was begun."""
        return self.run(self.verbs.audit_head(self.participant))

    def verify_audit(self, head: AuditHead | str | None = None) -> list[str]:
        """Check the audit log, against a ``head`` that was kept too; return a sentence for each row that was edited,
        removed, moved or forged, and for each version that it does not tell of."""
        return self.run(self.verbs.verify_audit(self.participant, head))

    def export(self, path: str | os.PathLike[str]) -> Exported:
        """Write the session with all versions, times and writers to the new file ``path``; a bound context what it may
        read. Raises ``ConfigError``, ``DecodeError`` for a damaged version, ``DiskFull``."""
        from .archives import export_session

        self.store.check_open()
        return export_session(self.verbs.session, self.participant, path)

    def close(self) -> None:
        """Close the store if this object opened it."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> SharedContext:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
