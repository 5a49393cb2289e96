"""Streams of a project's versions: WebSockets for clients, server-sent events for browsers and curl."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from sharedctx.entries.arguments import check_number
from sharedctx.entries.names import check_participant
from sharedctx.errors import SharedContextError
from sharedctx.projects import Difference, check_project, check_request
from sharedctx.projects.state import parse_json

from .calls import status_of
from .gate import SUBPROTOCOL
from .lanes import Subscriber
from .messages import ack_message
from .replies import encode
from .service import Service
from .sockets import FRAMES

_GOODBYE = 5.0
"""Seconds that a subscriber has to take the close frame, and for what it said before it went."""
_POLICY, _NORMAL, _GOING, _LATER = 1008, 1000, 1001, 1013


class Closed(Exception):
    """The stream is to be closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ContextSocket:
    """The WebSocket of one project: ``/context/{project}/stream?agentId=`` or ``/context/stream?projectId=&agentId=``.

    ``fromVersion=`` in the query resumes without a snapshot.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        protocol = SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
        await send({"type": "websocket.accept", "subprotocol": protocol})
        try:
            await self._serve(scope, receive, send)
        except Closed as closed:
            with contextlib.suppress(Exception):  # whoever does not take it has gone
                close = {"type": "websocket.close", "code": closed.code, "reason": closed.reason[:120]}
                await asyncio.wait_for(send(close), _GOODBYE)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        project, agent, since = self._who(scope)
        if service.stopping:
            raise Closed(_GOING, "the server is stopping")
        if service.meter.connections >= service.settings.max_streams:
            raise Closed(_LATER, "too many streams")
        frames = scope.get("extensions", {}).get(FRAMES, {})
        subscriber = Subscriber(agent, service.settings.queue, service.settings.queue_bytes, frames.get("write"))
        talk = Conversation(service, project, subscriber, scope["sharedctx.participant"])
        service.meter.connections += 1
        service.meter.found()
        sending = asyncio.create_task(_send_all(subscriber, send))
        hearing = asyncio.create_task(talk.hear(receive))
        ending = asyncio.create_task(service.end_refused(scope, subscriber, hearing.cancel))
        try:
            await talk.join(since)
            await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
            if subscriber.ended == "refused":
                anonymous = "sharedctx.token" not in scope
                raise Closed(_POLICY, "a token is asked for by now" if anonymous else "the token counts no more")
            if sending.done() and subscriber.ended is None:  # the client went: what it said before that is done
                await asyncio.wait((hearing,), timeout=_GOODBYE)
            if subscriber.ended == "slow":
                raise Closed(_LATER, f"too slow: last version {subscriber.at}")
            if hearing.done():
                hearing.result()
                return
            sending.result()
            if subscriber.ended == "deleted":
                raise Closed(_NORMAL, "the project was deleted")
            if subscriber.ended == "stopping":
                raise Closed(_GOING, "the server is stopping")
        finally:
            service.meter.connections -= 1
            service.hub.leave(project, subscriber)
            if subscriber.at and subscriber.ended != "deleted":
                service.accessed(project, agent, subscriber.at)
            for task in (sending, hearing, ending):
                task.cancel()
            await asyncio.gather(sending, hearing, ending, return_exceptions=True)

    def _who(self, scope: Scope) -> tuple[str, str, int | None]:
        """The project, the agent and the version to go on from; closes with 1008 where they make no sense."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        project = scope["path_params"].get("project") or query.get("projectId")
        mine = scope["sharedctx.participant"]
        agent = query.get("agentId") or mine
        if not project or not agent:
            raise Closed(_POLICY, f"{'projectId' if not project else 'agentId'} is missing")
        if mine is not None and agent != mine:
            raise Closed(_POLICY, "this token speaks for another agent")
        try:
            check_participant(agent)
            return check_project(project), agent, _version(query.get("fromVersion"))
        except SharedContextError as error:
            raise Closed(_POLICY, error.message) from None


def _version(given: Any) -> int | None:
    if given is None or given == "":
        return None
    digits = isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 16
    return check_number("fromVersion", int(given) if digits else given)


class Conversation:
    """What a client says on its WebSocket, and what it is answered, in order with what it is told."""

    def __init__(self, service: Service, project: str, subscriber: Subscriber, token: str | None) -> None:
        self._service = service
        self._project = project
        self._subscriber = subscriber
        self._token = token

    async def join(self, since: int | None) -> None:
        """Begin to be told."""
        service = self._service
        try:
            await service.run(service.projects.guard(self._subscriber.agent, self._project))
            version = await service.hub.join(self._project, self._subscriber, since)
        except SharedContextError as error:
            raise Closed(_POLICY, error.message) from None
        service.accessed(self._project, self._subscriber.agent, version)

    async def hear(self, receive: Receive) -> None:
        """Answer until the client goes."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                if message.get("code") not in (_NORMAL, _GOING) and self._subscriber.ended is None:
                    self._service.meter.lose()
                return
            text = message.get("text")
            if text is None:
                self._say({"type": "error", "error": "messages are text, not bytes", "statusCode": 400})
                continue
            given = None
            try:
                given = parse_json(text, "the message")
                await self._answer(given)
            except SharedContextError as error:
                self._refuse(error, given.get("id") if isinstance(given, dict) else None)

    async def _answer(self, message: Any) -> None:
        match message:
            case {"type": "ping"}:
                self._say({"type": "pong", "timestamp": self._service.now()})
            case {"type": "context_update", "diff": diff}:
                await self._update(Difference.parse(diff), message.get("expectedVersion"), message.get("id"))
            case {"type": "subscribe_to_changes"}:
                since = _version(message.get("fromVersion"))
                await self._service.hub.replay(self._project, self._subscriber, since)
            case _:
                words = "a message is ping, context_update with a diff, or subscribe_to_changes"
                self._say({"type": "error", "error": words, "statusCode": 400})

    async def _update(self, diff: Difference, expected: Any, request: Any) -> None:
        service, project, agent = self._service, self._project, self._subscriber.agent
        if expected is not None:
            check_number("expectedVersion", expected)
        request = "" if request is None else check_request(request)
        steps = service.projects.change(agent, project, diff, agent, expected, request)
        written, _ = await service.write(agent, project, steps, 0, request)
        if written.again:
            self._subscriber.offer(0, ack_message(project, written.version, written.state))

    def _say(self, message: dict[str, Any]) -> None:
        self._subscriber.offer(0, encode(message))

    def _refuse(self, error: SharedContextError, request: Any) -> None:
        body: dict[str, Any] = {
            "type": "error",
            "error": error.message,
            "code": error.code,
            "statusCode": status_of(error),
            **({} if request is None else {"id": request}),
        }
        current = getattr(error, "actual", None)
        self._say(body if current is None else {**body, "currentVersion": current})


async def _send_all(subscriber: Subscriber, send: Send) -> None:
    """Send what waits until the stream ends."""
    while True:
        while subscriber.waiting:
            await send({"type": "websocket.send", "text": subscriber.take().decode()})
        if subscriber.ended is not None:
            return
        subscriber.news.clear()
        subscriber.clear = True
        await subscriber.news.wait()
