"""Conversation: items in the order in which they were added, in a space of their own.

Each change is a version of one partition: items that were added together, the removal of the last item, or a clearing.
What the conversation holds is read from the newest version backwards, so that the latest items cost no more when there
are many. A removal names the version that it takes from; a clearing is followed by the reclaiming of all before it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..backends import steps
from ..backends.steps import Steps
from ..entries.arguments import check_limit, check_number, check_seconds
from ..entries.names import check_key
from ..errors import ConditionFailed, DecodeError, InvalidValue, KeyNotFound, SessionExists, VersionConflict
from ..versions.codec import Kind
from ..versions.log import ContentCache, Draft, Version, VersionLog

PK = "items"
_FIRST_PAGE = 16
"""Rows of the first read, few enough for an event loop to read them itself."""
_PAGE = 500
_COSTS = 8192


class Moment(NamedTuple):
    """One change: its version, seconds since the epoch, "add", "pop" or "clear", and the number of items it added."""

    version: int
    timestamp: float
    change: str
    items: int


class _Found(NamedTuple):
    """What was read: items with the version that each came with, oldest first, and when the first of them expires."""

    items: list[tuple[int, Any]]
    expires: float | None
    cut: int | None
    """Versions up to this one have expired."""


class Conversation:
    """One conversation as steps. ``name`` is text such as keys are.

    ``starts`` tells the items that begin a group (a user's message): what answers what is never divided by expiry or a
    budget. ``ttl`` is seconds to live of what is added; a group goes as soon as one of its items has expired, with all
    before it.
    """

    def __init__(
        self, store: str, name: str, cache: ContentCache, starts: Callable[[Any], bool], *, ttl: float | None = None
    ) -> None:
        self.name = check_key(name)
        self._ttl = None if ttl is None else check_seconds("ttl", ttl)
        self._starts = starts
        self._log = VersionLog(store, f"items:{name}", cache)
        self._costs: dict[bytes, int] = {}

    @property
    def space(self) -> str:
        """The space that holds the conversation."""
        return self._log.space

    def add(self, items: Sequence[Any]) -> Steps[int]:
        """Append JSON items together and return the new version; raises ``InvalidValue``, ``ValueTooLarge``."""
        version = yield from self._write("add", list(items))
        yield from self._purge(version)
        return version.number

    def pop(self) -> Steps[Any]:
        """Remove the last item and return it; None when there is none."""
        while True:
            rev = yield from steps.rev(self.space)
            found = yield from self._read(1, None)
            if not found.items:
                return None
            number, item = found.items[-1]
            try:
                yield from self._write("pop", number, if_rev=rev)
            except ConditionFailed:
                continue
            return item

    def clear(self) -> Steps[None]:
        """Remove all items for good."""
        version = yield from self._write("clear", None)
        yield from steps.reclaim(self.space, PK, version.number)

    def items(
        self,
        limit: int | None = None,
        *,
        version: int | None = None,
        budget: int | None = None,
        count: Callable[[str], int] | None = None,
    ) -> Steps[list[Any]]:
        """Return the items, oldest first: the latest ``limit``, or as they were at ``version``.

        With ``budget`` the latest groups whose JSON is within so many tokens by ``count``, and always the last one.
        Raises ``DecodeError``, and ``KeyNotFound`` for a version that there is not (any more).
        """
        items = [item for _, item in (yield from self._read(limit, version)).items]
        if limit is not None:
            items = items[max(len(items) - limit, 0) :]
        return items if budget is None or count is None else self._within(items, budget, count)

    def history(self, limit: int = 100, before: int | None = None) -> Steps[list[Moment]]:
        """Return the changes that can still be gone back to, newest first; raises ``InvalidValue`` for odd numbers."""
        limit = check_limit(limit)
        if before is not None:
            check_number("before", before, 1)
        moments = []
        for row in (yield from steps.scan(self.space, PK, 1, before, limit=limit, newest_first=True)):
            version = self._log.read_row(row)
            added = len((yield from self._contents([version]))[0]) if version.blob.note == "add" else 0
            moments.append(Moment(version.number, version.blob.timestamp, version.blob.note, added))
        return moments

    def branch(self, target: Conversation, version: int | None = None) -> Steps[int]:
        """Copy what is there (or was at ``version``) into an empty conversation; returns the number of items.

        Raises ``SessionExists`` when the target holds something.
        """
        found = yield from self._read(None, version)
        if found.items:
            try:
                yield from target._write("add", [item for _, item in found.items], 0, expires=found.expires)
            except VersionConflict:
                raise SessionExists(f"the conversation {target.name!r} exists: branch into a new one") from None
        return len(found.items)

    def _write(
        self,
        change: str,
        content: Any,
        expect: int | None = None,
        *,
        if_rev: int | None = None,
        expires: float | None = None,
    ) -> Steps[Version]:
        now = yield from steps.now()
        if change == "add" and self._ttl is not None:
            expires = now + self._ttl if expires is None else min(expires, now + self._ttl)
        draft = Draft(Kind.JSON, _encode(self.name, content), note=change, expires=expires, whole=True)
        return (yield from self._log.append(PK, draft, now, expect=expect, if_rev=if_rev))

    def _read(self, limit: int | None, version: int | None) -> Steps[_Found]:
        """At least the latest ``limit`` visible items, and whether something before them has expired."""
        before = None
        if version is not None:
            before = check_number("version", version, 1) + 1
            if not (yield from steps.scan(self.space, PK, version, before, limit=1)):
                raise KeyNotFound(f"the conversation {self.name!r} has no version {version}: `history` lists them")
        newest_first: list[tuple[int, Any]] = []
        popped: Counter[int] = Counter()
        expires: float | None = None
        page = _FIRST_PAGE
        while rows := (yield from steps.scan(self.space, PK, 1, before, limit=page, newest_first=True)):
            read: list[Version] = []
            cut: int | None = None
            for row in rows:
                if (yield from steps.expired(row.expires)):
                    cut = int(row.sk)
                    break
                read.append(self._log.read_row(row))
                if read[-1].blob.note == "clear":
                    break
            for held, content in zip(read, (yield from self._contents(read)), strict=True):
                if held.blob.note == "clear":
                    return _Found(newest_first[::-1], expires, None)
                if held.blob.note == "pop":
                    popped[content] += 1
                    continue
                kept = content[: len(content) - popped[held.number]]
                newest_first += [(held.number, item) for item in reversed(kept)]
                if held.expires is not None and kept:
                    expires = held.expires if expires is None else min(expires, held.expires)
                if limit is not None and self._enough(newest_first, limit, expires):
                    return _Found(newest_first[::-1], expires, None)
            if cut is not None:
                return _Found(self._whole(newest_first[::-1]), expires, cut)
            if len(rows) < page:
                break
            before, page = int(rows[-1].sk), _PAGE
        return _Found(newest_first[::-1], expires, None)

    def _enough(self, newest_first: list[tuple[int, Any]], limit: int, expires: float | None) -> bool:
        """Whether the latest ``limit`` are there and, where things expire, the beginning of the first one's group."""
        if len(newest_first) < limit:
            return False
        return expires is None or any(self._starts(item) for _, item in newest_first[max(limit - 1, 0) :])

    def _whole(self, items: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
        """Without the rest of a group at the beginning."""
        for at, (_, item) in enumerate(items):
            if self._starts(item):
                return items[at:]
        return []

    def _within(self, items: list[Any], budget: int, count: Callable[[str], int]) -> list[Any]:
        begin = len(items)
        used = 0
        for at in range(len(items) - 1, -1, -1):
            used += self._cost(items[at], count)
            if used > budget and begin < len(items):
                return items[begin:]
            if self._starts(items[at]):
                begin = at
        return items

    def _cost(self, item: Any, count: Callable[[str], int]) -> int:
        """The tokens of an item; counted once."""
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        at = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if at not in self._costs:
            if len(self._costs) >= _COSTS:
                self._costs.clear()
            self._costs[at] = count(text)
        return self._costs[at]

    def _contents(self, versions: Sequence[Version]) -> Steps[list[Any]]:
        """What versions hold; they are parsed together, which takes half the time."""
        data = []
        for version in versions:
            data.append((yield from self._log.content(version)))
        try:
            found: list[Any] = json.loads(b"[%s]" % b",".join(data))
            return found
        except ValueError as error:
            numbers = f"{versions[-1].number} to {versions[0].number}"
            raise DecodeError(f"{self.name!r} versions {numbers}: one does not decode: {error}") from error

    def _purge(self, written: Version) -> Steps[None]:
        """Now and then, after a write with a time to live: remove what has expired."""
        if self._ttl is None or written.number % 16:
            return
        found = yield from self._read(None, None)
        if found.cut is not None:
            yield from steps.reclaim(self.space, PK, found.cut + 1)


def _encode(name: str, content: Any) -> bytes:
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell
        return json.dumps(content, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"an item for {name!r} is not JSON ({error}): pass plain dicts") from None


__all__ = ["Conversation", "Moment"]
