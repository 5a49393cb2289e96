"""Who reads which session: what the routes under /api start from."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from sharedctx import SharedContext
from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.entries.names import check_session
from sharedctx.errors import Forbidden, SessionNotFound

from ..calls import Call, Refusal
from ..service import Service

_HELD = 32
MOST = 500


class Reading(NamedTuple):
    """A session, and for whom it is read: None for the owner."""

    context: SharedContext
    participant: str | None


class Readings:
    """Opens the sessions of the server's store. Only the owner reads others than the server's own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held: OrderedDict[str, SharedContext] = OrderedDict()

    async def of(self, call: Call) -> Reading:
        """Return what the call is about: ``session=``, the server's own by default.

        Raises ``SessionNotFound``, ``ConfigError`` for a name that is none, ``Forbidden``.
        """
        own = self._service.settings.session
        session = check_session(call.query.get("session", own))
        participant = call.agent()
        if session == own:
            return Reading(self._service.context, participant)
        if participant is not None:
            raise Forbidden(f"{participant!r} may read the session {own!r} only")
        context = self._held.pop(session, None) or self._service.store.session(session)
        if not await self._service.run(steps.pks(context.verbs.space, limit=1)):
            raise SessionNotFound(f"there is no session {session!r}: /api/sessions lists them")
        self._held[session] = context
        if len(self._held) > _HELD:
            self._held.popitem(last=False)
        return Reading(context, participant)

    async def sessions(self, call: Call) -> list[str]:
        """Return the sessions that the caller may read."""
        own = self._service.settings.session
        if call.agent() is not None:
            return [own]
        found: list[str] = await self._service.store.driver.leave_loop(self._service.store.sessions)
        return sorted({own, *found})


def require_key(call: Call) -> str:
    """Return ``key=`` of the query; refuses a query without one."""
    key = call.query.get("key")
    if key is None:
        raise Refusal(400, "say which: ?key=")
    return key


def limit_of(call: Call, default: int) -> int:
    """Return ``limit=`` of the query, at most 500."""
    limit = call.number("limit")
    if limit == 0:
        raise Refusal(400, "limit=0 asks for nothing")
    return min(default if limit is None else limit, MOST)


def guarded(reading: Reading, key: str) -> Steps[None]:
    """Raise ``KeyNotFound`` unless the caller may read the key. What is read afterwards counts as read by nobody."""
    yield from reading.context.verbs.session.rights.guard(reading.participant, "read", key)
