"""The items of one session as steps: read, found and written together with what the index is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sharedctx import SharedContext
from sharedctx.backends import steps
from sharedctx.backends.base import Op
from sharedctx.backends.steps import Steps
from sharedctx.entries.together import MOST, Change
from sharedctx.entries.values import encode
from sharedctx.errors import DecodeError, KeyNotFound
from sharedctx.search import Entry, Vectors
from sharedctx.versions.codec import Kind
from sharedctx.versions.log import Version

from .address import Namespace, address
from .creation import Creation
from .embedding import Vector
from .mirror import Held
from .values import plain, shown

INDEX = "langgraph"
_BYTES = 2 * 2**20
_VALUES = 20_000


class Draft(NamedTuple):
    """What is to be written: a JSON value with its vectors and seconds to live, or (None) the removal of an item."""

    namespace: Namespace
    key: str
    value: Mapping[str, Any] | None
    vectors: Sequence[Vector] = ()
    ttl: float | None = None


class Found(NamedTuple):
    """An item as it was read: its value as a mapping, and when it was made."""

    namespace: Namespace
    key: str
    version: Version
    value: dict[str, Any]
    created: float


class _Write(NamedTuple):
    change: Change
    vectors: Sequence[Vector]
    weight: int


class Shelf:
    """Reads and writes items of a context. ``index`` tells the index of vectors what is written; None leaves it."""

    def __init__(self, context: SharedContext, index: Vectors | None) -> None:
        self._context = context
        self._verbs = context.verbs
        self._session = context.verbs.session
        self._index = index
        self._creation = Creation(self._session.log)
        self._values: dict[str, tuple[int, dict[str, Any] | None]] = {}

    def get(self, namespace: Namespace, key: str) -> Steps[Found | None]:
        """Return a live item that may be read, or None; raises ``DecodeError``."""
        return (yield from self._find(address(namespace, key), namespace, key))

    def load(self, held: Held) -> Steps[Found | None]:
        """Return an item that a search chose, as it is now; None when it is gone meanwhile."""
        return (yield from self._find(held.address, held.namespace, held.key))

    def _find(self, where: str, namespace: Namespace, key: str) -> Steps[Found | None]:
        try:
            version = yield from self._session.find(self._context.participant, where, None)
        except KeyNotFound:
            return None
        return None if version is None else (yield from self._found(namespace, key, version))

    def content(self, held: Held) -> Steps[dict[str, Any] | None]:
        """Return an item's value for a filter; None when it is gone or damaged."""
        version: Version | None = held.version
        try:
            if not held.whole:
                version = yield from self._session.log.at(held.address, held.version.number)
            value = None if version is None else shown((yield from self._session.value(version)))
        except DecodeError:
            return None
        if value is not None and held.whole:
            if len(self._values) >= _VALUES:
                self._values.clear()
            self._values[held.address] = held.version.rev, value
        return value

    def known(self, held: Held) -> dict[str, Any] | None:
        """Return the value of a small item that a filter has seen already, which nobody changes; else None."""
        rev, value = self._values.get(held.address, (0, None))
        return value if rev == held.version.rev else None

    def _found(self, namespace: Namespace, key: str, version: Version) -> Steps[Found]:
        value = shown((yield from self._session.value(version)))
        return Found(namespace, key, version, value, (yield from self._creation.of(version)))

    def renew(self, versions: Iterable[Version]) -> Steps[None]:
        """Let versions live from now as long as they were written for."""
        ending = {version.pk: version for version in versions if version.expires is not None}
        if not ending:
            return
        now = yield from steps.now()
        ops = [op for version in ending.values() if (op := self._session.log.leases.renew(version, now)) is not None]
        for start in range(0, len(ops), MOST):
            yield from steps.commit(self._session.space, ops[start : start + MOST])

    def write(self, drafts: Sequence[Draft]) -> Steps[None]:
        """Write drafts of different items in as few commits as there may be; the removal of what is not there is
        nothing. Raises what ``SharedContext.put`` raises."""
        yield from self._fit(drafts)
        limited = self._session.settings.limited
        groups: list[list[_Write]] = []
        size = 0
        for draft in drafts:
            write = yield from self._prepare(draft)
            if write is None:
                continue
            if not groups or limited or len(groups[-1]) == MOST or size + write.weight > _BYTES:
                groups.append([])
                size = 0
            groups[-1].append(write)
            size += write.weight
        if len(groups) > 1:
            for group in groups:
                for write in group:
                    encode(write.change.key, write.change.value)  # whatever is wrong is told before the first commit
        for group in groups:
            yield from self._commit(group)

    def _fit(self, drafts: Sequence[Draft]) -> Steps[None]:
        """Begin anew with an embedder of other dimensions where nothing is left of what the one before made."""
        index = self._index
        size = next((len(vector) for draft in drafts for vector in draft.vectors), None)
        if index is None or size is None:
            return
        yield from index.sync()
        if index.dimensions not in (None, size):
            yield from index.forget()

    def _prepare(self, draft: Draft) -> Steps[_Write | None]:
        """Return what is written of a draft: over what another framework stored as it stores it; with the moment when
        the item was made."""
        where = address(draft.namespace, draft.key)
        try:
            head = yield from self._session.log.head(where)
        except DecodeError:
            head = None
        if draft.value is None:
            return None if head is None else _Write(Change(where, gone=True), (), 0)
        value: Any = draft.value
        note = ""
        if head is not None:
            note = self._creation.note((yield from self._creation.of(head)))
            if (bare := plain(value)) is not value and not (yield from self._mapping(head)):
                value = bare
        weight = _weigh(value) + sum(map(len, draft.vectors)) * 4
        return _Write(Change(where, value, draft.ttl, note=note), draft.vectors, weight)

    def _mapping(self, version: Version) -> Steps[bool]:
        if version.blob.kind is not Kind.JSON:
            return False
        try:
            return isinstance((yield from self._session.value(version)), dict)
        except DecodeError:
            return True

    def _commit(self, batch: Sequence[_Write]) -> Steps[None]:
        index = self._index

        def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            if index is None:
                return ()
            entries = [
                Entry(write.change.key, number, write.vectors)
                for write, number in zip(batch, numbers, strict=True)
                if not write.change.gone
            ]
            gone = [
                (write.change.key, number) for write, number in zip(batch, numbers, strict=True) if write.change.gone
            ]
            return (yield from index.write(entries, gone))

        context = self._context
        changes = [write.change for write in batch]
        yield from self._verbs.write_together(context.participant, changes, context.agent(None), tell)
        if index is not None:
            yield from index.merge()


def _weigh(value: Any) -> int:
    """Roughly the bytes of a value."""
    if isinstance(value, str | bytes):
        return len(value) * 2 + 8
    if isinstance(value, Mapping):
        return sum(_weigh(key) + _weigh(each) for key, each in value.items()) + 8
    if isinstance(value, list):
        return sum(map(_weigh, value)) + 8
    return 16
