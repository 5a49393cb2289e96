"""Writing several entries in one commit, with what an index is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..backends import steps
from ..backends.base import Op
from ..backends.steps import Steps
from ..errors import InvalidValue
from ..versions.codec import Kind
from ..versions.log import Draft, Version
from . import values
from .names import check_key
from .session import Session
from .writing import Writing

MOST = 80
"""Entries that one commit takes."""


class Change(NamedTuple):
    """A key's next value, with the seconds it has to live and a note, or its removal.

    ``after`` is the number of its newest version as far as the caller knows (0: none); it need not be right."""

    key: str
    value: Any = None
    ttl: float | None = None
    gone: bool = False
    note: str = ""
    after: int | None = None


Tell = Callable[[Sequence[int]], Steps[tuple[Op, ...]]]
"""Asked before a commit, again if it must be repeated: the operations that belong to these versions of the keys."""


class Together:
    """Writes entries together where no limit of the session must be judged for each."""

    def __init__(self, session: Session, writing: Writing) -> None:
        self._session = session
        self._writing = writing

    def write(self, participant: str | None, changes: Sequence[Change], agent: str, tell: Tell) -> Steps[list[Version]]:
        """Write at most 80 changes of different keys and what ``tell`` returns for their versions, all or nothing.

        A session with limits takes a single change. Raises what ``put`` and ``delete`` raise, but nothing for the
        removal of what is not there.
        """
        if len(changes) > MOST or len({change.key for change in changes}) < len(changes):
            raise InvalidValue(
                f"one commit takes at most {MOST} changes of different keys, not {len(changes)}: part them"
            )
        now = yield from steps.now()
        drafts: list[tuple[str, Draft]] = []
        for change in changes:
            check_key(change.key)
            yield from self._session.rights.guard(participant, "delete" if change.gone else "write", change.key)
            if change.gone:
                drafts.append((change.key, Draft(Kind.GONE, b"", agent, "deleted")))
                continue
            kind, data, digest = values.encode(change.key, change.value)
            ttl = yield from self._session.time_to_live(change.ttl)
            expires = None if ttl is None else now + ttl
            drafts.append((change.key, Draft(kind, data, agent, change.note, digest, expires)))
        if any(not change.gone and self._writing.limited(change.key) for change in changes):
            return (yield from self._one(participant, changes, agent, tell))

        def extra(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
            for change in changes:
                yield from self._session.require_open(change.key)
            conditions = {op for change in changes for op in self._session.conditions(change.key)}
            return (*(yield from tell(numbers)), *conditions)

        after = {change.key: change.after for change in changes if change.after is not None}
        return (yield from self._session.log.append_together(drafts, now, extra, after))

    def _one(self, participant: str | None, changes: Sequence[Change], agent: str, tell: Tell) -> Steps[list[Version]]:
        if len(changes) > 1:
            raise InvalidValue("a session with limits takes one change at a time: part them")
        (change,) = changes

        def admit() -> Steps[tuple[Op, ...]]:
            newest = yield from steps.newest(self._session.space, change.key)
            number = 1 if newest is None else int(newest.sk) + 1
            return (*self._session.conditions(change.key), *(yield from tell([number])))

        return [(yield from self._writing.put(participant, change.key, change.value, agent, None, change.ttl, admit))]
