"""Writing entries under a session's limits: put, delete, erase, roll back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends import steps
from ..backends.base import Op
from ..backends.steps import Steps
from ..errors import ConditionFailed, KeyNotFound, SessionArchived, VersionConflict
from ..versions.codec import Kind
from ..versions.log import Draft, Version
from . import values
from .arguments import check_number
from .eviction import Eviction
from .ledger import Ledger, Line
from .limits import Limits
from .names import check_key
from .session import ARCHIVE, Session

Admit = Callable[[], Steps[tuple[Op, ...]]]
"""Asked after the session's revision was read: raises, or returns what else the commit writes."""

_VICTIMS = 40


class Writing:
    """The verbs that change a session, as steps."""

    def __init__(self, session: Session, eviction: Eviction) -> None:
        self._session = session
        self._eviction = eviction
        self._ledger = Ledger(session)
        self._limits = Limits(session.settings)

    def lines(self) -> Steps[dict[str, Line]]:
        """Return the live entries in the limits' scope with their tokens."""
        return (yield from self._ledger.sync())[1]

    def limited(self, key: str) -> bool:
        """Whether limits must be judged at every write of this key."""
        return self._limits.bind(key)

    def put(
        self,
        participant: str | None,
        key: str,
        value: Any,
        agent: str,
        expect: int | None,
        ttl: float | None,
        admit: Admit | None = None,
    ) -> Steps[Version]:
        """Write a value as the key's next version, within the limits."""
        check_key(key)
        kind, data, digest = values.encode(key, value)
        if participant is not None:
            yield from self._session.rights.guard(participant, "write", key)
        now = yield from steps.now()
        if expect is not None:
            check_number("expect", expect)
        ttl = yield from self._session.time_to_live(ttl)
        expires = None if ttl is None else now + ttl
        draft = Draft(kind, data, agent, "", digest, expires)
        if not self._limits.bind(key):
            return (yield from self._append(key, draft, now, expect, admit))
        if not self._session.settings.bounded:
            weight = self._limits.weigh(key, value, self._session.settings.max_value_tokens)
            return (yield from self._append(key, _limited(draft, weight.view), now, expect, admit))
        return (yield from self._put_bounded(key, value, draft, now, expect, admit))

    def _put_bounded(
        self, key: str, value: Any, draft: Draft, now: float, expect: int | None, admit: Admit | None
    ) -> Steps[Version]:
        while True:
            rev, lines = yield from self._ledger.sync()
            extra = self._session.conditions(key) if admit is None else (yield from admit())
            if expect is not None:
                yield from self._session.log.expect(key, expect)
            victims, weight = self._limits.make_room(key, value, lines)
            last = victims[max(len(victims) - 1, 0) // _VICTIMS * _VICTIMS :]
            try:
                for at in range(0, len(victims) - len(last), _VICTIMS):
                    ops = self._eviction.ops(victims[at : at + _VICTIMS], now)
                    rev, _ = yield from self._session.log.commit(ops, now, rev)
                extra += self._eviction.ops(last, now)
                draft = _limited(draft, weight.view)
                version = yield from self._session.log.append(key, draft, now, expect=expect, extra=extra, if_rev=rev)
            except ConditionFailed as error:
                _explain(error, key)
                continue
            yield from self._eviction.reclaim(victims)
            return version

    def _append(
        self, key: str, draft: Draft, now: float, expect: int | None = None, admit: Admit | None = None
    ) -> Steps[Version]:
        while True:
            rev: int | None = None
            extra = self._session.conditions(key)
            if admit is not None:
                rev = yield from steps.rev(self._session.space)
                extra = yield from admit()
            try:
                return (yield from self._session.log.append(key, draft, now, expect=expect, extra=extra, if_rev=rev))
            except ConditionFailed as error:
                _explain(error, key)

    def delete(
        self, participant: str | None, key: str, agent: str, expect: int | None, admit: Admit | None = None
    ) -> Steps[int]:
        """Put a tombstone on a live key and return the version it removed; raises ``KeyNotFound``."""
        check_key(key)
        if expect is not None:
            check_number("expect", expect)
        yield from self._session.rights.guard(participant, "delete", key)
        now = yield from steps.now()
        while True:
            head = yield from self._session.log.head(key)
            if head is None:
                raise KeyNotFound(f"there is no live value under {key!r} to delete")
            wanted = head.number if expect is None else expect
            try:
                yield from self._append(key, Draft(Kind.GONE, b"", agent, "deleted"), now, wanted, admit)
            except VersionConflict:
                if expect is not None:
                    raise
                continue
            return head.number

    def erase(self, participant: str | None, key: str, agent: str) -> Steps[int]:
        """Remove a key with all its history and return how many versions went; raises ``KeyNotFound``.

        An empty mark stays, so that no version number is ever given twice.
        """
        check_key(key)
        yield from self._session.rights.guard(participant, "delete", key)
        newest = yield from steps.newest(self._session.space, key)
        if newest is None:
            raise KeyNotFound(f"there is nothing under {key!r} to erase")
        now = yield from steps.now()
        mark = yield from self._append(key, Draft(Kind.GONE, b"", agent, "erased"), now)
        gone = yield from steps.reclaim(self._session.space, key, mark.number)
        yield from self._session.kept_views.forget(key)
        return gone

    def rollback(
        self, participant: str | None, key: str, version: int, agent: str, expect: int | None = None
    ) -> Steps[Version]:
        """Write an old version's value as the newest; raises ``KeyNotFound``."""
        check_key(key)
        check_number("version", version, 1)
        if expect is not None:
            check_number("expect", expect)
        yield from self._session.rights.guard(participant, "rollback", key)
        old = yield from self._session.log.at(key, version)
        if old is None:
            raise KeyNotFound(f"{key!r} has no version {version} to roll back to: `history` lists what there is")
        data = yield from self._session.log.content(old)
        now = yield from steps.now()
        ttl = yield from self._session.time_to_live(None)
        expires = None if ttl is None else now + ttl
        draft = Draft(old.blob.kind, data, agent, f"rollback:{version}", old.blob.sha256, expires)
        if not self._limits.bind(key):
            return (yield from self._append(key, draft, now, expect))
        value = values.decode(old.blob.kind, data)
        return (yield from self._put_bounded(key, value, draft, now, expect, None))


def _explain(error: ConditionFailed, key: str) -> None:
    if error.pk == ARCHIVE.pk:
        raise SessionArchived(f"{key!r} cannot be written: the notes of this session are archived") from None


def _limited(draft: Draft, limit: int | None) -> Draft:
    if limit is None:
        return draft
    return Draft(draft.kind, draft.content, draft.agent, f"view:{limit}", draft.sha256, draft.expires)
