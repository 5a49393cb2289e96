"""The life of a client: what it is made of, connecting, hearing, disconnecting."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sharedctx.entries.names import check_participant
from sharedctx.errors import Forbidden, SharedContextError
from sharedctx.projects import check_project
from sharedctx.settings import check_duration, check_positive

from .answers import Found
from .fallback import Fallback
from .following import Following
from .link import Link, address_to_start
from .listening import Handler, Listening
from .requests import Away, Requests
from .stream import Stream


class Connection:
    """A client's stream and requests; an async context manager."""

    def __init__(
        self,
        project_id: str,
        agent_id: str,
        server_url: str = "http://localhost:3003",
        enable_streaming: bool = True,
        cache_timeout: float = 300.0,
        max_retries: int = 3,
        *,
        token: str | None = None,
        autostart: bool = False,
        fallback: str | os.PathLike[str] | None = None,
        session: str = "default",
        ping: float = 30.0,
        retry_wait: float = 1.0,
    ) -> None:
        self.project_id = check_project(project_id)
        self.agent_id = check_participant(agent_id)
        check_duration("cache_timeout", cache_timeout)
        check_positive("ping", ping, "seconds")
        token = (os.environ.get("SHAREDCTX_TOKEN") if token is None else token) or None
        requests = Requests(server_url, agent_id, token, max_retries, retry_wait)
        start = address_to_start(autostart, fallback, requests)
        standing = None if fallback is None else Fallback(fallback, project_id, agent_id, session)
        self._link = Link(requests, project_id, standing, retry_wait, start)
        self._listening = Listening()
        self._stream = Stream(requests, project_id, agent_id, ping, retry_wait) if enable_streaming else None
        self._following = Following(project_id, agent_id, self._listening, self._say, self._changed)
        self._link.conflicts_to(self._following.tell)
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._cache_timeout = cache_timeout
        self._fresh_at = float("-inf")
        self._shown: tuple[int, bool] | None = None
        self._counts = {"cacheHits": 0, "received": 0, "written": 0}

    def on(self, event: str, handler: Handler) -> Callable[[], None]:
        """Call ``handler`` (a coroutine function or not) with a dict at each event; returns what ends that.

        Events: cache_hit, context_received, context_updated, context_set, context_snapshot, context_updated_realtime,
        context_deleted, diff_applied, connected, disconnected, conflict, error.
        """
        return self._listening.on(event, handler)

    async def connect(self) -> bool:
        """Begin to follow the project; returns whether the server answers. Other methods do this by themselves."""
        try:
            await self._link.ask("GET", "/health")
        except Away:
            if self._link.fallback is None:
                raise
        self._start()
        if self._stream is not None and not self._link.away:
            await self._settled.wait()
        return not self._link.away

    def _start(self) -> None:
        if self._stream is not None and self._task is None:
            self._task = asyncio.create_task(self._follow(self._stream))

    async def _follow(self, stream: Stream) -> None:
        try:
            known = self._following.replica
            await stream.run(lambda: known.version, self._opened, self._closed, self._settled.set, self._hear)
        except Forbidden as error:
            await self._following.tell("error", error=error, message=error.message)
        finally:
            self._settled.set()

    async def _hear(self, message: Found) -> None:
        try:
            await self._following.hear(message)
        except SharedContextError as error:
            await self._following.tell("error", error=error, message=error.message)

    async def _opened(self) -> None:
        self._following.reopened()
        try:
            await self._link.came_back()
        except SharedContextError as error:
            await self._following.tell("error", error=error, message=error.message)
        self._settled.set()
        await self._following.tell("connected", projectId=self.project_id, url=self._link.requests.url)

    async def _closed(self, code: int | None, reason: str) -> None:
        await self._following.tell("disconnected", code=code, reason=reason)

    async def _say(self, message: Found) -> bool:
        return self._stream is not None and await self._stream.say(message)

    def _changed(self) -> None:
        replica = self._following.replica
        self._fresh_at = time.monotonic()
        if replica.version is not None and not replica.gone:
            self._link.mirror(replica.version, replica.state)

    def is_connected(self) -> bool:
        """Whether the stream is open."""
        return self._stream is not None and self._stream.open

    async def disconnect(self) -> None:
        """End the stream and close the connections; a later call begins anew."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._following.tell("disconnected", code=None, reason="by this client")
        await self._link.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()
