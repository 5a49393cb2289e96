"""Every verb of a session as steps; ``SharedContext`` and ``AsyncSharedContext`` only drive them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..access import Grants
from ..backends import steps
from ..backends.base import Backend
from ..backends.steps import Steps
from ..entry import ContextEntry, Evicted, Hit, Stats
from ..errors import DecodeError, InvalidValue, KeyNotFound
from ..settings import SessionSettings
from ..tracing import spanned
from ..versions.codec import Kind
from ..versions.log import ContentCache, Version
from ..views.plain import as_text
from .arguments import check_limit, check_number, check_words
from .configuration import Configuration
from .events import Events
from .eviction import Eviction
from .names import NOTES, RESERVED, check_key
from .oversight import Oversight
from .session import Session
from .together import Together
from .viewing import Shown
from .writing import Admit, Writing

if TYPE_CHECKING:
    from .index import Index


class Verbs:
    """One session's verbs. ``participant`` is None for the owner, who needs no grants."""

    def __init__(
        self,
        backend: Backend,
        session: str,
        cache: ContentCache,
        settings: SessionSettings,
        audit_key: bytes | None = None,
    ) -> None:
        self.session = Session(backend, session, cache, settings, audit_key)
        eviction = Eviction(self.session, backend.id)
        self._writing = Writing(self.session, eviction)
        self._index: Index | None = None
        events = Events(self.session)
        self.changes = events.changes
        self.follow = events.follow
        self.space = self.session.space
        self.place = f"{backend.id}/{session}"
        self.grants: Callable[[], Steps[Grants]] = self.session.rights.grants
        self.keys = self.session.keys
        self.allows = self.session.rights.allows
        self.grant = self.session.rights.grant
        self.revoke = self.session.rights.revoke
        oversight = Oversight(self.session)
        self.audit = oversight.audit
        self.audit_head = oversight.audit_head
        self.verify_audit = oversight.verify_audit
        self.configure = oversight.configure
        self.configuration: Callable[[], Steps[Configuration]] = self.session.configuration
        self.archived: Callable[[], Steps[bool]] = self.session.archived
        self.write_together = Together(self.session, self._writing).write
        self.sweep: Callable[[], Steps[int]] = eviction.sweep
        self.evict = eviction.evict
        self._eviction = eviction

    @spanned("update_memory", writes=True)
    def put(
        self,
        participant: str | None,
        key: str,
        value: Any,
        agent: str,
        expect: int | None,
        ttl: float | None,
        admit: Admit | None = None,
    ) -> Steps[ContextEntry]:
        version = yield from self._writing.put(participant, key, value, agent, expect, ttl, admit)
        if participant is not None:
            self.session.reads.wrote(participant, key, version.number, version.expires, version.rev)
        return self.session.entry(version)

    def usage(self, participant: str | None) -> Steps[list[tuple[ContextEntry, int]]]:
        """Return the readable live entries in the limits' scope with the tokens that count for the budget."""
        allows = yield from self.session.rights.judge(participant)
        lines = yield from self._writing.lines()
        return [
            (self.session.entry(line.version), line.tokens)
            for key, line in sorted(lines.items())
            if allows("read", key)
        ]

    @spanned("search_memory", asks=True)
    def search(self, participant: str | None, query: str, prefix: str, limit: int) -> Steps[list[Hit]]:
        check_words("the query", query)
        check_words("the prefix", prefix)
        allows = yield from self.session.rights.judge(participant)
        if self._index is None:
            from .index import Index

            self._index = Index(self.session)
        return (yield from self._index.search(query, prefix, limit, lambda key: allows("read", key)))

    @spanned("update_memory")
    def rollback(
        self, participant: str | None, key: str, version: int, agent: str, expect: int | None = None
    ) -> Steps[ContextEntry]:
        written = yield from self._writing.rollback(participant, key, version, agent, expect)
        if participant is not None:
            self.session.reads.wrote(participant, key, written.number, written.expires, written.rev)
        return self.session.entry(written)

    @spanned("delete_memory")
    def delete(
        self, participant: str | None, key: str, agent: str, expect: int | None, admit: Admit | None = None
    ) -> Steps[int]:
        version = yield from self._writing.delete(participant, key, agent, expect, admit)
        self.session.reads.forget(participant, key)
        return version

    @spanned("delete_memory")
    def erase(self, participant: str | None, key: str, agent: str) -> Steps[int]:
        return self._writing.erase(participant, key, agent)

    @spanned("search_memory", reads=True)
    def value(self, participant: str | None, key: str, number: int | None) -> Steps[Any]:
        version = yield from self._shown(participant, key, number)
        try:
            return None if version is None else (yield from self.session.value(version))
        except KeyNotFound:  # removed meanwhile: there may be another by now
            return (yield from self.value(participant, key, None)) if number is None else None

    @spanned("search_memory", reads=True)
    def show(
        self, participant: str | None, key: str, number: int | None, max_tokens: int | None, query: str | None
    ) -> Steps[Shown | None]:
        if max_tokens is not None:
            check_number("max_tokens", max_tokens)
        if query is not None:
            check_words("the query", query)
        version = yield from self._shown(participant, key, number)
        if version is None:
            return None
        views = self.session.views
        try:
            return views.whole(version, max_tokens, query) or (yield from views.show(version, max_tokens, query))
        except KeyNotFound:
            return (yield from self.show(participant, key, None, max_tokens, query)) if number is None else None

    def _shown(self, participant: str | None, key: str, number: int | None) -> Steps[Version | None]:
        if number is not None:
            return self._find(participant, key, number)
        check_key(key)  # the way of most reads, which go some steps fewer
        return self.session.log.head(key) if participant is None else self.session.seen(participant, key)

    def _find(
        self, participant: str | None, key: str, number: int | None, *, seen: bool = True
    ) -> Steps[Version | None]:
        check_key(key)
        if number is not None:
            check_number("version", number)
        try:
            return (yield from self.session.find(participant, key, number, seen=seen))
        except KeyNotFound:
            return None

    def peek(self, participant: str, key: str) -> Steps[ContextEntry | None]:
        """The live entry, without noting that the participant has seen it."""
        allowed = yield from self.session.rights.allows(participant, "read", key)
        head = (yield from self.session.log.head(key)) if allowed else None
        return None if head is None else self.session.entry(head)

    def get_entry(self, participant: str | None, key: str, number: int | None) -> Steps[ContextEntry | None]:
        version = yield from self._find(participant, key, number, seen=False)
        return None if version is None else self.session.entry(version)

    def _must(self, participant: str | None, key: str, number: int | None) -> Steps[Version]:
        check_key(key)
        if number is not None:
            check_number("version", number)
        version = yield from self.session.find(participant, key, number, seen=number is None)
        if version is None:
            if number is not None:
                raise KeyNotFound(
                    f"{key!r} has no version {number} any more, or never had: it was erased, trimmed or evicted, or it "
                    "has expired; `history` lists what there is, `evicted` what the limits removed"
                )
            raise KeyNotFound(f"there is no live value under {key!r}: `keys` lists what there is")
        return version

    def expand(self, participant: str | None, key: str, ref: str, max_tokens: int | None) -> Steps[str]:
        from ..views import expand, split_version

        if max_tokens is not None:
            check_number("max_tokens", max_tokens)
        number, rest = split_version(check_words("the reference", ref))
        version = yield from self._must(participant, key, number)
        value = yield from self.session.value(version)
        count = self.session.settings.count_tokens
        return expand(value, rest, key=key, version=version.number, max_tokens=max_tokens, count=count)

    def history(self, participant: str | None, key: str, limit: int, before: int | None) -> Steps[list[ContextEntry]]:
        check_key(key)
        limit = check_limit(limit)
        if before is not None:
            check_number("before", before)
        try:
            yield from self.session.rights.guard(participant, "read", key)
        except KeyNotFound:
            return []
        rows = yield from steps.scan(self.space, key, 1, before, limit=limit, newest_first=True)
        found = []
        for row in rows:
            try:
                found.append(self.session.entry(self.session.log.read_row(row)))
            except DecodeError as error:
                found.append(
                    ContextEntry(key, int(row.sk), None, "damaged", 0, "", 0.0, row.expires, row.rev, error.message)
                )
        return found

    def diff(self, participant: str | None, key: str, a: int, b: int) -> Steps[Any]:
        from ..versions.diff import diff_json, diff_text

        old, new = (yield from self._must(participant, key, a)), (yield from self._must(participant, key, b))
        before, after = (yield from self.session.value(old)), (yield from self.session.value(new))
        if old.blob.kind is new.blob.kind is Kind.JSON:
            return diff_json(before, after)
        texts = []
        for value in (before, after):
            if isinstance(value, bytes):
                try:
                    value = value.decode()
                except UnicodeDecodeError:
                    raise InvalidValue(f"{key!r} holds bytes that are not text: read both with full=True") from None
            texts.append(as_text(value))
        return diff_text(*texts, from_label=f"{key}@{a}", to_label=f"{key}@{b}")

    def entry_as_of(self, participant: str | None, key: str, rev: int) -> Steps[ContextEntry | None]:
        check_key(key)
        check_number("rev", rev)
        try:
            yield from self.session.rights.guard(participant, "read", key)
        except KeyNotFound:
            return None
        version = yield from self.session.log.as_of(key, rev)
        if version is None:
            if (yield from steps.newest(self.space, key)) is not None:
                yield from steps.changes(self.space, rev, 1)
            return None
        if not version.blob.live or (yield from self.session.log.leases.expired(version)):
            return None
        return self.session.entry(version)

    def keys_as_of(self, participant: str | None, prefix: str, rev: int) -> Steps[list[str]]:
        found = []
        for key in (yield from steps.all_pks(self.space, prefix, RESERVED + "\U0010ffff")):
            entry = yield from self.entry_as_of(participant, key, rev)
            if entry is not None:
                found.append(key)
        return found

    def trim(self, participant: str | None, key: str, keep: int) -> Steps[int]:
        check_key(key)
        check_number("keep", keep)
        if keep < 1:
            raise InvalidValue(f"keep {keep} is not from 1 up: `erase` removes a key with all its versions")
        yield from self.session.rights.guard(participant, "delete", key)
        yield from self.session.require_open(key)
        return (yield from self.session.log.trim(key, keep, (yield from steps.now()), participant or ""))

    def clear(self, participant: str | None, agent: str) -> Steps[int]:
        cleared = 0
        archived = yield from self.session.archived()
        for key in (yield from self.session.keys(participant, "")):
            if archived and key.startswith(NOTES):
                continue
            with suppress(KeyNotFound):
                yield from self._writing.delete(participant, key, agent, None)
                cleared += 1
        return cleared

    def rev(self) -> Steps[int]:
        return (yield from steps.rev(self.space))

    def stats(self, participant: str | None) -> Steps[Stats]:
        entries = before = after = 0
        for key in (yield from self.session.keys(participant, "")):
            try:
                version = yield from self.session.log.head(key)
                if version is None:
                    continue
                view = yield from self.session.views.view(version)
            except DecodeError:
                continue
            entries += 1
            before += view.original_tokens
            after += view.tokens
        return Stats(entries, before, after, self.session.settings.count_tokens.name)

    def evicted(self, participant: str | None) -> Steps[list[Evicted]]:
        allows = yield from self.session.rights.judge(participant)
        return [gone for gone in (yield from self._eviction.evicted()) if allows("read", gone.key)]
