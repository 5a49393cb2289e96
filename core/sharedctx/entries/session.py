"""The state of one session as steps: what every verb needs to read, guard and describe entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..audit import Trail
from ..backends import steps
from ..backends.base import ABSENT, Backend, Check, Op
from ..backends.capabilities import Dated
from ..backends.steps import Steps, run
from ..entry import ContextEntry
from ..errors import Compacted, ConditionFailed, DecodeError, KeyNotFound, SessionArchived
from ..settings import SessionSettings
from ..versions.log import ContentCache, Version, VersionLog
from ..versions.witness import Act
from . import values
from .arguments import check_seconds, check_words
from .configuration import STORE, Configuration, Configured
from .keeping import KeptViews
from .names import NOTES, RESERVED
from .reads import Reads, Seen
from .rights import Rights
from .viewing import Viewing

if TYPE_CHECKING:
    from ..search import Item, Vectors
    from ..views import View

ARCHIVE = Check(RESERVED + "notes", ABSENT, "archived")
"""The condition that this session's notes are not archived."""


class Session:
    """One session of a store, for all participants; integrations see it through ``SharedContext``."""

    def __init__(
        self,
        backend: Backend,
        session: str,
        cache: ContentCache,
        settings: SessionSettings,
        audit_key: bytes | None = None,
    ) -> None:
        self.backend = backend
        self.id = session
        self.settings = settings
        store, space = backend.id, f"session:{session}"
        self._configured = Configured(space, cache)
        self._defaults = Configured(STORE, cache)
        self.trail = Trail(store, space, audit_key, self._audited)
        self.log = VersionLog(store, space, cache, self.trail)
        self.rights = Rights(VersionLog(store, f"access:{session}", cache), self.log)
        self.kept_views = KeptViews(session, space, settings)
        self.views = Viewing(settings, self.value, self.kept_views)
        self.reads = Reads()
        self._dated = backend if backend.local and isinstance(backend, Dated) else None

    @property
    def space(self) -> str:
        """The space that holds the entries."""
        return self.log.space

    def configuration(self) -> Steps[Configuration]:
        """Return what is stored of the session's settings, over what is stored for all sessions."""
        return (yield from self._configured.in_force())

    def forget_configuration(self) -> None:
        """Read the stored settings anew at the next question."""
        self._configured.forget()

    def _audited(self) -> Steps[bool]:
        return bool((self._configured.held() or (yield from self._configured.in_force())).audit)

    def time_to_live(self, ttl: float | None) -> Steps[float | None]:
        """Return the seconds that an entry has to live: its own, the opener's, or what is stored; None: for ever."""
        if ttl is None:
            ttl = self.settings.ttl
        return (yield from self._configured.in_force()).ttl if ttl is None else check_seconds("ttl", ttl)

    def configure(self, changes: dict[str, Any], agent: str) -> Steps[Configuration]:
        """Store settings of the session, and tell the audit log where it is or was on; raises ``ConfigError``."""
        now = yield from steps.now()
        while True:
            rev = yield from steps.rev(self.space)
            old, base = (yield from self._configured.stored()), (yield from self._defaults.stored())
            new = old.changed(changes)
            was, will = bool(old.over(base).audit), bool(new.over(base).audit)
            said = ", ".join(f"{name}={value!r}" for name, value in sorted(changes.items()))
            acts = [Act("configure", "", detail=said), *([] if will else [Act("end", "")])]
            ops: tuple[Op, ...] = (self._configured.put(new),)
            if was or will:
                ops += yield from self.trail.ops(acts, agent, now)
            try:
                yield from steps.commit(self.space, ops, rev)
            except ConditionFailed as error:
                self.trail.refused(error)
                continue
            finally:
                self._configured.forget()
            return new

    def conditions(self, key: str) -> tuple[Op, ...]:
        """Return what must hold at every write of this key, whichever face it comes through."""
        return (ARCHIVE,) if key.startswith(NOTES) else ()

    def find(
        self, participant: str | None, key: str, version: int | None, *, seen: bool = True
    ) -> Steps[Version | None]:
        """Return a readable version, the live one by default; ``seen`` says that the participant gets its value."""
        if participant is not None:
            if version is None:
                self.reads.begin(participant)
            yield from self.rights.guard(participant, "read", key)
        found = yield from self.head(participant, key) if version is None else self.log.at(key, version)
        if seen and found is not None and participant is not None:
            self.reads.read(participant, key, found.number, found.expires, newest=version is None)
        return found

    def seen(self, participant: str, key: str) -> Steps[Version | None]:
        """Return the live version, whose value the participant then gets; None also where it may not."""
        if not (yield from self.rights.allows(participant, "read", key)):
            self.reads.begin(participant)
            return None
        head = yield from self.head(participant, key)
        if head is not None:
            self.reads.read(participant, key, head.number, head.expires, newest=True)
        return head

    def head(self, participant: str | None, key: str) -> Steps[Version | None]:
        """Return the live version, and remember which revision the participant found where that costs no question."""
        if participant is None:
            return self.log.head(key)
        seen = self.reads.of(participant)
        return self._head_since(seen, key) if self._dated is None else self.log.dated_head(key, seen.reach)

    def _head_since(self, seen: Seen, key: str) -> Steps[Version | None]:
        rev = seen.rev
        version = yield from self.log.head(key)
        seen.since(rev)
        return version

    def clock(self) -> float:
        """Return the store's time as far as it is known here; minus infinity where it would have to be asked for."""
        return -math.inf if self._dated is None else self._dated.clock()

    def value(self, version: Version) -> Steps[Any]:
        """Return the stored value; raises ``DecodeError``, and ``KeyNotFound`` where it was removed meanwhile."""
        try:
            data = yield from self.log.content(version)
        except DecodeError:
            if (yield from self.log.is_gone(version)):
                raise KeyNotFound(
                    f"{version.pk!r} version {version.number} was removed while it was read: read again"
                ) from None
            raise
        try:
            return values.decode(version.blob.kind, data)
        except DecodeError as error:
            raise DecodeError(f"{version.pk!r} version {version.number}: {error}") from error

    def require_open(self, key: str) -> Steps[None]:
        """Raise ``SessionArchived`` for a key that may not change any more."""
        if key.startswith(NOTES) and (yield from self.archived()):
            raise SessionArchived(f"{key!r} cannot change: the notes of this session are archived")

    def archived(self) -> Steps[bool]:
        """Return whether the session's notes are archived."""
        sk = str(ARCHIVE.sk)
        return bool((yield from steps.scan(self.space, ARCHIVE.pk, sk, f"{sk}\x00", limit=1)))

    def changed_keys(self, since: int | None, known: Iterable[str], prefix: str = "") -> Steps[set[str]]:
        """Return the keys that may differ from what was read at revision ``since`` (None: never), live or not."""
        if since is not None:
            changed: set[str] = set()
            try:
                while page := (yield from steps.changes(self.space, since)):
                    changed |= {change.pk for change in page if change.pk.startswith(prefix)}
                    since = page[-1].rev
                return {key for key in changed if not key.startswith(RESERVED)}
            except Compacted:
                pass
        return {*known, *(yield from steps.all_pks(self.space, prefix, RESERVED + "\U0010ffff"))}

    def vectors(self, name: str, labels: Callable[[Item], Iterable[str]] = lambda item: ()) -> Vectors:
        """Return the index of this name over the session's entries, the process's one; ``labels`` are those that its
        items are filtered by."""
        from ..search import index

        log = self.log

        def lives(key: str) -> Steps[bool]:
            try:
                return (yield from log.head(key)) is not None
            except DecodeError:  # which whoever reads it is told
                return True

        return index(self.backend, self.space, name, lives, labels)

    def entry(self, version: Version) -> ContextEntry:
        """Describe a version; its tokens are counted when asked for."""
        blob = version.blob

        def measure() -> tuple[View, str]:
            return run(self.backend, self.views.view(version)), self.settings.count_tokens.name

        return ContextEntry(
            key=version.pk,
            version=version.number,
            agent=blob.agent or None,
            kind=values.KINDS[blob.kind],
            size=blob.size,
            hash=blob.sha256.hex() if blob.sha256 else "",
            timestamp=blob.timestamp,
            expires_at=version.expires,
            rev=version.rev,
            note=blob.note,
            _measure=measure if blob.live else None,
        )

    def keys(self, participant: str | None, prefix: str) -> Steps[list[str]]:
        """Return the live keys that may be read, in order."""
        allows = yield from self.rights.judge(participant)
        check_words("the prefix", prefix)
        found = []
        for pk in (yield from steps.all_pks(self.space, prefix, RESERVED + "\U0010ffff")):
            if not allows("read", pk):
                continue
            try:
                head = yield from self.log.head(pk)
            except DecodeError:
                found.append(pk)
                continue
            if head is not None:
                found.append(pk)
        return found
