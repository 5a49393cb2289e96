"""The verbs of those who administer a session: its audit log and its stored settings, as steps."""

from __future__ import annotations

from typing import Any

from ..audit import AuditHead, AuditRecord
from ..backends.steps import Steps
from ..errors import Forbidden
from .arguments import check_limit, check_number
from .configuration import Configuration
from .rights import Judge
from .session import Session


class Oversight:
    """What the owner may do, and participants with the right "admin"."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def audit(self, participant: str | None, since: int, limit: int) -> Steps[list[AuditRecord]]:
        check_number("since", since)
        allows = yield from self._administers(participant, "read the audit log")
        limit = check_limit(limit)
        return (yield from self._session.trail.records(since, limit, lambda key: allows("admin", key)))

    def audit_head(self, participant: str | None) -> Steps[AuditHead | None]:
        yield from self._administers(participant, "read the audit log")
        return (yield from self._session.trail.head())

    def verify_audit(self, participant: str | None, head: AuditHead | str | None) -> Steps[list[str]]:
        from ..audit.verifying import Verifying

        yield from self._administers(participant, "verify the audit log")
        known = None if head is None else AuditHead.parse(head)
        return (yield from Verifying(self._session.trail, self._session.backend.id).run(known))

    def _administers(self, participant: str | None, what: str) -> Steps[Judge]:
        if participant is not None and not (yield from self._session.rights.grants()).administers(participant):
            yield from self._session.rights.refused(participant, "admin", "", what)
            raise Forbidden(f"{participant!r} may not {what}: ask for the grant admin")
        return (yield from self._session.rights.judge(participant))

    def configure(self, participant: str | None, changes: dict[str, Any], agent: str) -> Steps[Configuration]:
        if not (yield from self._session.rights.allows(participant, "admin", "")):
            yield from self._session.rights.refused(participant, "admin", "", "configure")
            raise Forbidden(f"{participant!r} may not change the settings of the session: ask for admin=['*']")
        return (yield from self._session.configure(changes, agent))
