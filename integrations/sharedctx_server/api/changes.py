"""Server-sent events of a session: one message for each commit, resumed by revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from typing import Any

from starlette.types import Receive, Scope, Send

from sharedctx.entry import Event
from sharedctx.errors import Compacted

from ..calls import Call, Methods
from ..events import HEADERS, HEARTBEAT, NO_EVENTS, require_room
from ..replies import Reply, encode, send_reply
from ..service import Service
from .entries import live_entries
from .reading import Reading, Readings


class SessionEvents(Methods):
    """``id`` is the revision; ``change`` has what one commit changed.

    ``from_rev=`` or Last-Event-ID resumes; without them ``ready`` says where the stream starts. Where the history was
    trimmed ``compacted`` comes first, then a ``snapshot`` of what is live.
    """

    def __init__(self, service: Service, readings: Readings) -> None:
        super().__init__(service, GET=self._head)
        self._readings = readings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await super().__call__(scope, receive, send)
            return
        found: list[tuple[Reading, int | None]] = []

        async def begin(call: Call) -> Reply:
            require_room(self._service)
            found.append((await self._readings.of(call), call.after("from_rev")))
            return Reply(200, b"")

        reply = await self.answer(begin, Call(self._service, scope, receive))
        if reply.status != 200:
            await send_reply(send, reply)
            return
        await self._stream(*found[0], scope, receive, send)

    async def _head(self, call: Call) -> Reply:
        await self._readings.of(call)
        return NO_EVENTS

    async def _stream(self, reading: Reading, since: int | None, scope: Scope, receive: Receive, send: Send) -> None:
        meter = self._service.meter
        meter.connections += 1
        sending = asyncio.create_task(self._send_all(reading, since, send))
        gone = asyncio.create_task(_until_gone(receive))
        stopped = asyncio.create_task(self._service.stopped.wait())
        refused = asyncio.create_task(self._service.refused(scope))
        try:
            await asyncio.wait((sending, gone, stopped, refused), return_when=asyncio.FIRST_COMPLETED)
        finally:
            meter.connections -= 1
            for task in (sending, gone, stopped, refused):
                task.cancel()
            await asyncio.gather(sending, gone, stopped, refused, return_exceptions=True)
        if not gone.done() or gone.cancelled():
            await send({"type": "http.response.body", "body": b""})

    async def _send_all(self, reading: Reading, since: int | None, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async for data in self._told(reading, since):
            await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _told(self, reading: Reading, since: int | None) -> AsyncIterator[bytes]:
        """Yield what is to be sent, for ever."""
        run, verbs = self._service.run, reading.context.verbs
        now = await run(verbs.rev())
        at = now if since is None else since
        if since is None:
            yield _event("ready", at, {"type": "ready", "rev": at, "session": reading.context.session})
        elif since > now:
            async for data in self._anew(reading, now):
                yield data
            at = now
        while True:
            try:
                seen, at = await run(verbs.follow(reading.participant, at))
            except Compacted as error:
                at = await run(verbs.rev())
                async for data in self._anew(reading, error.oldest):
                    yield data
                continue
            if seen:
                yield b"".join(_messages(seen))
            elif not await self._service.store.driver.watching.wait(verbs.space, at, self._service.settings.heartbeat):
                yield HEARTBEAT

    async def _anew(self, reading: Reading, oldest: int | None) -> AsyncIterator[bytes]:
        yield _event("compacted", None, {"type": "compacted", "statusCode": 410, "oldest_rev": oldest})
        leave = self._service.store.driver.leave_loop
        snapshot = await leave(reading.context.run, live_entries(reading))
        yield _event("snapshot", snapshot["rev"], snapshot)


def _messages(seen: Iterable[Event]) -> list[bytes]:
    told = []
    for rev, events in groupby(seen, key=lambda event: event.rev):
        changes = [
            {"key": event.key, "version": event.version, "op": event.op, "agent": event.agent} for event in events
        ]
        told.append(_event("change", rev, {"type": "change", "rev": rev, "changes": changes}))
    return told


def _event(kind: str, number: int | None, message: dict[str, Any]) -> bytes:
    head = b"" if number is None else b"id: %d\n" % number
    return b"%bevent: %b\ndata: %b\n\n" % (head, kind.encode(), encode(message))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
