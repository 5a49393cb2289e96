"""What happened in a session, out of the change feed."""

from __future__ import annotations

from ..backends import steps
from ..backends.base import Change
from ..backends.steps import Steps
from ..entry import Event
from ..errors import DecodeError
from .arguments import check_limit, check_number
from .names import RESERVED
from .session import Session

_PAGE = 500


class Events:
    """The session's changes as its participants may see them, as steps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def changes(self, participant: str | None, since: int, limit: int) -> Steps[list[Event]]:
        limit = check_limit(limit)
        check_number("since", since)
        found: list[Event] = []
        while len(found) < limit:
            page = yield from steps.changes(self._session.space, since, limit)
            if not page:
                break
            found += yield from self._events(participant, page)
            since = page[-1].rev
        return found

    def follow(self, participant: str | None, since: int) -> Steps[tuple[list[Event], int]]:
        """Return the next events and the revision to go on from."""
        check_number("since", since)
        rev = yield from steps.rev(self._session.space)
        page = yield from steps.changes(self._session.space, since, _PAGE)
        if not page:
            return [], max(rev, since)
        return (yield from self._events(participant, page)), page[-1].rev

    def _events(self, participant: str | None, page: list[Change]) -> Steps[list[Event]]:
        allows = yield from self._session.rights.judge(participant)
        found = []
        for change in page:
            if change.pk.startswith(RESERVED) or not isinstance(change.sk, int):
                continue
            if not allows("read", change.pk):
                continue
            agent, op = None, change.op == "put"
            rows = yield from steps.scan(self._session.space, change.pk, change.sk, change.sk + 1, limit=1)
            if rows:
                try:
                    blob = self._session.log.read_row(rows[0]).blob
                    agent, op = blob.agent or None, blob.live
                except DecodeError:
                    pass
            found.append(Event(change.rev, change.pk, change.sk, "put" if op else "delete", agent))
        return found
