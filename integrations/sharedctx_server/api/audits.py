"""The route of the audit log: who did what to which version, and whether its chain holds."""

from __future__ import annotations

from typing import Any

from sharedctx.backends.steps import Steps

from ..calls import Call
from ..replies import Reply, json_reply
from ..service import Service
from .reading import Reading, Readings, limit_of


class Audits:
    """The route /api/audit."""

    def __init__(self, service: Service, readings: Readings) -> None:
        self._service = service
        self._readings = readings

    async def audit(self, call: Call) -> Reply:
        """Return rows of the log about keys that the caller administers, newest first, from before row ``before=`` on;
        ``faults`` is a sentence for each row that was edited, deleted, cut or reordered, null where no log was begun.
        """
        reading = await self._readings.of(call)
        before, limit = call.number("before"), limit_of(call, 100)
        leave = self._service.store.driver.leave_loop
        return json_reply(await leave(reading.context.run, _read(reading, before, limit)))


def _read(reading: Reading, before: int | None, limit: int) -> Steps[dict[str, Any]]:
    verbs, who = reading.context.verbs, reading.participant
    told: dict[str, Any] = {"session": reading.context.session, "head": None, "faults": None, "before": None}
    told["enabled"] = bool((yield from verbs.configuration()).audit)
    head = yield from verbs.audit_head(None)
    if head is None:
        return {**told, "total": 0, "records": []}
    told["faults"] = yield from verbs.verify_audit(who, None)
    told["head"] = str(head)
    end = head.number + 1 if before is None else min(before, head.number + 1)
    since = max(end - 1 - limit, 0)
    records = yield from verbs.audit(who, since, limit)
    shown = [record.to_dict() for record in reversed(records) if record.number < end]
    return {**told, "total": head.number, "before": since + 1 if since else None, "records": shown}
