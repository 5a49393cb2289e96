"""Writing entries under a session's limits: put, delete, erase, roll back, evict, sweep."""

from __future__ import annotations

import json
from typing import Any

from ..backends import steps
from ..backends.base import Head, Put
from ..backends.steps import Steps
from ..entry import Evicted
from ..errors import (
    BudgetExceeded,
    ConditionFailed,
    ConfigError,
    DecodeError,
    KeyNotFound,
    ValueTooLarge,
    VersionConflict,
)
from ..versions import codec
from ..versions.codec import Kind
from ..versions.log import Draft, Version
from ..views import compress
from . import values
from .ledger import Ledger, Line
from .names import check_key
from .session import EVICTED, RESERVED, Session

_LEAST_VIEW = 50
_VICTIMS = 40


class Writing:
    """The verbs that change a session, as steps."""

    def __init__(self, session: Session, store: str) -> None:
        self._session = session
        self._store = store
        self._ledger = Ledger(session)

    def put(
        self,
        participant: str | None,
        key: str,
        value: Any,
        agent: str,
        expect: int | None,
        ttl: float | None,
    ) -> Steps[Version]:
        """Write a value as the key's next version, within the limits."""
        check_key(key)
        kind, data, digest = values.encode(key, value)
        if participant is not None:
            yield from self._session.guard(participant, "write", key)
        settings = self._session.settings
        now = yield from steps.now()
        ttl = settings.ttl if ttl is None else ttl
        if ttl is not None and not 0 <= ttl < float("inf"):
            raise ConfigError(f"ttl {ttl!r} for {key!r} is not a number of seconds from 0 up")
        expires = None if ttl is None else now + ttl
        draft = Draft(kind, data, agent, "", digest, expires)
        if settings.max_value_tokens is None and not settings.bounded:
            return (yield from self._session.log.append(key, draft, now, expect=expect))
        return (yield from self._put_bounded(key, value, draft, now, expect))

    def _put_bounded(self, key: str, value: Any, draft: Draft, now: float, expect: int | None) -> Steps[Version]:
        settings = self._session.settings
        tokens, limit = self._measure(key, value, settings.max_value_tokens)
        if not settings.bounded:
            draft = _limited(draft, limit)
            return (yield from self._session.log.append(key, draft, now, expect=expect))
        while True:
            rev, lines = yield from self._ledger.sync()
            others = {pk: line for pk, line in lines.items() if pk != key}
            victims: list[tuple[Line, str]] = []
            if settings.max_entries is not None and key not in lines:
                spare = len(others) + 1 - settings.max_entries
                victims = [(line, "max_entries") for line in _oldest(others)[: max(spare, 0)]]
            size, view = tokens, limit
            if settings.max_store_tokens is not None:
                gone = {line.version.pk for line, _ in victims}
                rest = {pk: line for pk, line in others.items() if pk not in gone}
                used = sum(line.tokens for line in rest.values())
                room = settings.max_store_tokens - used
                if size > room and settings.policy == "compress" and room >= _LEAST_VIEW:
                    size, view = self._measure(key, value, room)
                if size > room and settings.policy == "evict_oldest":
                    for line in _oldest(rest):
                        if size <= room:
                            break
                        victims.append((line, "budget"))
                        room += line.tokens
                if size > room:
                    raise BudgetExceeded(
                        f"{key!r} needs {size} tokens and the session has {max(room, 0)} of "
                        f"{settings.max_store_tokens} left: delete entries, raise max_store_tokens, or let the policy "
                        "compress or evict_oldest"
                    )
            try:
                for at in range(0, max(len(victims) - _VICTIMS, 0), _VICTIMS):
                    early = victims[at : at + _VICTIMS]
                    rev, _ = yield from steps.commit(self._session.space, self._evictions(early, now), rev)
                last = victims[(len(victims) - 1) // _VICTIMS * _VICTIMS :] if victims else []
                version = yield from self._session.log.append(
                    key, _limited(draft, view), now, expect=expect, checks=self._evictions(last, now), if_rev=rev
                )
            except ConditionFailed:
                continue
            for line, _ in victims:
                yield from steps.reclaim(self._session.space, line.version.pk, line.version.number + 1)
            return version

    def _measure(self, key: str, value: Any, room: int | None) -> tuple[int, int | None]:
        """Return the tokens of the view and the limit it was compressed to, if it was; raises ``ValueTooLarge``."""
        settings = self._session.settings
        view = compress(value, key=key, version=1, count=settings.count_tokens, compressors=settings.compressors)
        if room is None or view.tokens <= room:
            return view.tokens, None
        if settings.policy == "compress" and room >= _LEAST_VIEW:
            return room, room
        if settings.max_value_tokens is not None and view.tokens > settings.max_value_tokens:
            raise ValueTooLarge(
                f"the view of {key!r} has {view.tokens} tokens, at most {settings.max_value_tokens} are allowed: "
                "shorten the value, raise max_value_tokens, or use policy='compress'"
            )
        return view.tokens, None

    def _evictions(self, victims: list[tuple[Line, str]], now: float) -> tuple[Put, ...]:
        ops = []
        for line, why in victims:
            pk, number = line.version.pk, line.version.number
            ops += [self._tombstone(pk, number, now, "", why), _record(pk, number, now, why)]
        return tuple(ops)

    def _tombstone(self, pk: str, number: int, now: float, agent: str, why: str) -> Put:
        bound = codec.binding(self._store, self._session.space, pk, number + 1)
        blob = codec.seal(bound, Kind.GONE, b"", timestamp=now, agent=agent, note=why)
        return Put(pk, blob, when=Head(number))

    def delete(self, participant: str | None, key: str, agent: str, expect: int | None) -> Steps[int]:
        """Put a tombstone on a live key and return the version it removed; raises ``KeyNotFound``."""
        check_key(key)
        yield from self._session.guard(participant, "delete", key)
        now = yield from steps.now()
        while True:
            head = yield from self._session.log.head(key)
            if head is None:
                raise KeyNotFound(f"there is no live value under {key!r} to delete")
            wanted = head.number if expect is None else expect
            draft = Draft(Kind.GONE, b"", agent, "deleted")
            try:
                yield from self._session.log.append(key, draft, now, expect=wanted)
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
        yield from self._session.guard(participant, "delete", key)
        newest = yield from steps.newest(self._session.space, key)
        if newest is None:
            raise KeyNotFound(f"there is nothing under {key!r} to erase")
        now = yield from steps.now()
        mark = yield from self._session.log.append(key, Draft(Kind.GONE, b"", agent, "erased"), now)
        return (yield from steps.reclaim(self._session.space, key, mark.number))

    def rollback(self, participant: str | None, key: str, version: int, agent: str) -> Steps[Version]:
        """Write an old version's value as the newest; raises ``KeyNotFound`` and ``VersionConflict``."""
        check_key(key)
        yield from self._session.guard(participant, "rollback", key)
        old = yield from self._session.log.at(key, version)
        if old is None:
            raise KeyNotFound(f"{key!r} has no version {version} to roll back to: `history` lists what there is")
        data = yield from self._session.log.content(old)
        now = yield from steps.now()
        ttl = self._session.settings.ttl
        expires = None if ttl is None else now + ttl
        draft = Draft(old.blob.kind, data, agent, f"rollback:{version}", old.blob.sha256, expires)
        return (yield from self._session.log.append(key, draft, now))

    def sweep(self) -> Steps[int]:
        """Record expired entries as evicted and free what they held; returns how many."""
        now = yield from steps.now()
        swept = 0
        for pk in (yield from steps.all_pks(self._session.space, "", RESERVED + "\U0010ffff")):
            try:
                newest = yield from self._session.log.newest(pk)
            except DecodeError:
                continue
            if newest is None or not newest.blob.live or not (yield from steps.expired(newest.expires)):
                continue
            at = newest.expires or now
            ops = (self._tombstone(pk, newest.number, now, "", "expired"), _record(pk, newest.number, at, "expired"))
            try:
                yield from steps.commit(self._session.space, ops)
            except ConditionFailed:
                continue
            swept += 1
        return swept

    def evicted(self) -> Steps[list[Evicted]]:
        """Return what the store removed by itself, oldest first."""
        yield from self.sweep()
        found: list[Evicted] = []
        lo = ""
        while rows := (yield from steps.scan(self._session.space, EVICTED, lo)):
            found += [Evicted(**json.loads(row.value)) for row in rows]
            lo = f"{rows[-1].sk}\x00"
        return found


def _oldest(lines: dict[str, Line]) -> list[Line]:
    return sorted(lines.values(), key=lambda line: (line.version.blob.timestamp, line.version.rev))


def _limited(draft: Draft, limit: int | None) -> Draft:
    if limit is None:
        return draft
    return Draft(draft.kind, draft.content, draft.agent, f"view:{limit}", draft.sha256, draft.expires)


def _record(pk: str, number: int, at: float, why: str) -> Put:
    text = json.dumps({"key": pk, "version": number, "at": at, "why": why}, ensure_ascii=False)
    return Put(EVICTED, text.encode(), sk=f"{at:020.6f} {pk} {number}")
