"""A client's WebSocket: opened again whenever it ends, from the version that is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from sharedctx.errors import Forbidden, SharedContextError
from sharedctx.projects.state import parse_json

from .requests import Requests, backoff

_LARGEST = 64 * 2**20
_OPENING = 10.0
_REFUSED = frozenset({400, 401, 403, 404, 421})
_POLICY = 1008

Hear = Callable[[dict[str, Any]], Awaitable[None]]


class Stream:
    """Hears a project's messages until it is closed. ``hear`` is given each, in order."""

    def __init__(self, requests: Requests, project: str, agent: str, ping: float, first_wait: float) -> None:
        self._requests = requests
        self._query = {"agentId": agent}
        where = requests.url.replace("http", "ws", 1)
        self._where = f"{where}/context/{quote(project)}/stream"
        self._ping = ping
        self._first_wait = first_wait
        self._socket: ClientConnection | None = None

    @property
    def open(self) -> bool:
        """Whether it hears now."""
        return self._socket is not None

    async def run(
        self,
        since: Callable[[], int | None],
        opened: Callable[[], Awaitable[None]],
        closed: Callable[[int | None, str], Awaitable[None]],
        tried: Callable[[], None],
        hear: Hear,
    ) -> None:
        """Hear for ever, and call ``tried`` after each attempt that ended; raises ``Forbidden`` where the server does
        not want it to."""
        attempt = 0
        while True:
            try:
                async with self._connect(since()) as socket:
                    self._socket, attempt = socket, 0
                    try:
                        await opened()
                        await self._listen(socket, hear)
                    finally:
                        self._socket = None
            except ConnectionClosed as error:
                code = None if error.rcvd is None else error.rcvd.code
                reason = "" if error.rcvd is None else error.rcvd.reason
                await closed(code, reason)
                if code == _POLICY:
                    raise Forbidden(f"the server ended the stream: {reason}") from None
            except InvalidStatus as error:
                if error.response.status_code in _REFUSED:
                    said = error.response.body.decode("utf-8", "replace")[:300]
                    raise Forbidden(f"the server refused the stream: {said}") from None
            except (OSError, InvalidHandshake, TimeoutError, WebSocketException):
                pass
            tried()
            await asyncio.sleep(backoff(self._first_wait, attempt))
            attempt += 1

    def _connect(self, since: int | None) -> connect:
        query = self._query if since is None else {**self._query, "fromVersion": str(since)}
        headers = {name: value for name, value in self._requests.headers.items() if name == "authorization"}
        return connect(
            f"{self._where}?{urlencode(query)}",
            additional_headers=headers,
            open_timeout=_OPENING,
            ping_interval=None,
            max_size=_LARGEST,
            max_queue=64,
            compression=None,
            proxy=None if self._requests.loopback else True,
        )

    async def _listen(self, socket: ClientConnection, hear: Hear) -> None:
        asked = False
        while True:
            try:
                async with asyncio.timeout(self._ping):
                    text = await socket.recv()
            except TimeoutError:
                if asked:
                    await socket.close(1001, "the server is silent")
                    await socket.recv()  # raises ConnectionClosed
                asked = True
                await socket.send('{"type":"ping"}')
                continue
            asked = False
            try:
                message = parse_json(text, "a message")
            except SharedContextError:
                continue
            if isinstance(message, dict):
                await hear(message)

    async def say(self, message: dict[str, Any]) -> bool:
        """Send a message; False where there is no stream at the moment."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed:
            return False
        return True
