"""Server-sent events: a project's versions, with Last-Event-ID and heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from starlette.types import Receive, Scope, Send

from sharedctx.projects import check_project

from .calls import Call, Methods, Refusal
from .lanes import Subscriber
from .replies import Reply, send_reply
from .service import Service

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
HEARTBEAT = b": heartbeat\n\n"
NO_EVENTS = Reply(200, b"", tuple(HEADERS))
"""What HEAD is told of a stream."""
_BATCH = 1 << 16


class ContextEvents(Methods):
    """The events of one project: ``id`` is the version, ``event`` the type of the message, ``data`` the message.

    ``Last-Event-ID`` or ``fromVersion=`` resumes; without them the first event is a snapshot.
    """

    def __init__(self, service: Service) -> None:
        super().__init__(service, GET=self._head)

    async def _head(self, call: Call) -> Reply:
        check_project(_project(call))
        return NO_EVENTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await super().__call__(scope, receive, send)
            return
        call = Call(self._service, scope, receive)
        found: list[Any] = []

        async def begin(call: Call) -> Reply:
            found.extend(await self._begin(call))
            return Reply(200, b"")

        reply = await self.answer(begin, call)
        if reply.status != 200:
            await send_reply(send, reply)
            return
        project, subscriber = found
        try:
            await stream(self._service, scope, subscriber, receive, send)
        finally:
            self._service.hub.leave(project, subscriber)
            if subscriber.at and subscriber.ended != "deleted":
                self._service.accessed(project, subscriber.agent, subscriber.at)

    async def _begin(self, call: Call) -> tuple[str, Subscriber]:
        service = self._service
        project = check_project(_project(call))
        participant = call.agent()
        since = call.after("fromVersion")
        require_room(service)
        await service.run(service.projects.guard(participant, project))
        subscriber = Subscriber(participant or "", service.settings.queue, service.settings.queue_bytes)
        service.accessed(project, participant, await service.hub.join(project, subscriber, since))
        return project, subscriber


def _project(call: Call) -> str:
    named: str = call.scope["path_params"].get("project", "stream")
    return call.query.get("projectId", "") if named == "stream" else named


def require_room(service: Service) -> None:
    """Refuse a stream when there are too many, or the server is stopping."""
    if service.stopping:
        raise Refusal(503, "the server is stopping", ((b"retry-after", b"1"),))
    if service.meter.connections >= service.settings.max_streams:
        raise Refusal(503, "too many streams", ((b"retry-after", b"10"),))


async def stream(service: Service, scope: Scope, subscriber: Subscriber, receive: Receive, send: Send) -> None:
    """Send a subscriber's messages as events until it goes, which it cannot say before, or the stream ends."""
    ending = asyncio.create_task(service.end_refused(scope, subscriber))
    service.meter.connections += 1
    gone = asyncio.create_task(_until_gone(receive))
    sending = asyncio.create_task(_send_all(service, subscriber, send))
    try:
        await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        service.meter.connections -= 1
        for task in (gone, sending, ending):
            task.cancel()
        await asyncio.gather(gone, sending, ending, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(service: Service, subscriber: Subscriber, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b": sharedctx\n\n", "more_body": True})
    while True:
        while subscriber.waiting:
            parts: list[bytes] = []
            size = 0
            while subscriber.waiting and size < _BATCH:
                number = subscriber.waiting[0][0]
                message = subscriber.take()
                parts.append(event(number, message))
                size += len(message)
            await send({"type": "http.response.body", "body": b"".join(parts), "more_body": True})
        if subscriber.ended is not None:
            if subscriber.ended == "slow":
                last = b'event: slow\ndata: {"type":"slow","lastVersion":%d}\n\n' % subscriber.at
                await send({"type": "http.response.body", "body": last, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        subscriber.news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(service.settings.heartbeat):
                await subscriber.news.wait()
            continue
        await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})


def event(number: int, message: bytes) -> bytes:
    """A message as an event; its type is the first thing that the message says."""
    kind = message[9 : message.index(b'"', 9)]
    return (
        b"id: %d\nevent: %b\ndata: %b\n\n" % (number, kind, message)
        if number
        else b"event: %b\ndata: %b\n\n"
        % (
            kind,
            message,
        )
    )
