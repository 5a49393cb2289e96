"""The way to the server: asked, started where it is not there, stood in for while it is away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from sharedctx.backends.registry import default_address
from sharedctx.errors import ConfigError, InvalidValue, KeyNotFound, VersionConflict
from sharedctx.projects import Difference, State
from sharedctx.projects.state import EMPTY, parse_json

from .. import background
from ..settings import ServerSettings
from .fallback import Fallback, rebased
from .requests import Away, Requests, backoff

Told = Callable[..., Awaitable[None]]

_PUSHES = 10


class Link:
    """Requests to the server, which is ``away`` while it does not answer and ``fallback`` stands in.

    Before anything is asked of a server that is back, what was written to the fallback meanwhile is brought to it.
    """

    def __init__(
        self, requests: Requests, project: str, fallback: Fallback | None, first_wait: float, autostart: str | None
    ) -> None:
        self.requests = requests
        self.fallback = fallback
        self.away = fallback is not None  # until it has answered once
        self.path = f"/context/{quote(project)}"
        self._first_wait = first_wait
        self._autostart = autostart
        self._returning = asyncio.Lock()
        self._failed = 0
        self._next = float("-inf")
        self._tell: Told | None = None
        self._mirroring: asyncio.Task[None] | None = None
        self._mirrored: tuple[int, State] | None = None

    def conflicts_to(self, tell: Told) -> None:
        """Tell of names that were changed on both sides."""
        self._tell = tell

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the server's reply; raises the error it names, or ``Away``."""
        if self.fallback is None and self._autostart is None:
            return await self.requests.ask(method, path, **options)
        if self.away and time.monotonic() < self._next:
            raise Away(f"{self.requests.url} does not answer, and will be asked again soon")
        retries = 0 if self.fallback is not None else None
        try:
            if self.away:
                await self.came_back()
            return await self.requests.ask(method, path, retries=retries, **options)
        except Away:
            if self._autostart is not None:
                await self._start(self._autostart)
                if self.fallback is not None:
                    await self.came_back()
                return await self.requests.ask(method, path, **options)
            self.went()
            raise

    async def _start(self, address: str) -> None:
        """Start a server in the background, once in this object's life."""
        self._autostart = None
        parts = urlsplit(self.requests.url)
        token = self.requests.headers.get("authorization", "").removeprefix("Bearer ") or None
        settings = ServerSettings(host=parts.hostname or "127.0.0.1", port=parts.port or 80, token=token)
        await asyncio.to_thread(background.start, address, settings)

    def went(self) -> None:
        """Know that the server does not answer; it is asked again after a while, doubled each time."""
        self.away = True
        self._next = time.monotonic() + backoff(self._first_wait, self._failed)
        self._failed += 1

    async def came_back(self) -> None:
        """Bring what was written to the fallback to the server, if that is another store's; raises ``Away``."""
        async with self._returning:
            if not self.away or self.fallback is None:
                self.away = False
                return
            reply = await self.requests.ask("GET", "/health", retries=0)
            self.fallback.shared = reply.headers.get(background.STORE_HEADER) == self.fallback.mark
            if not self.fallback.shared:
                await self.stand_in()
                await self._push(self.fallback)
            self.away, self._failed, self._next = False, 0, float("-inf")

    async def _push(self, fallback: Fallback) -> None:
        found = await fallback.pending()
        if found is None:
            return
        base, before, after = found
        diff, expected, both = Difference.between(before, after), base.server, list[str]()
        for _ in range(_PUSHES):
            body = b'%b,"expectedVersion":%d}' % (diff.encoded[:-1], expected)
            try:
                await self.requests.ask("POST", f"{self.path}/diff", body=body, retries=0)
                break
            except (VersionConflict, InvalidValue):
                expected, theirs = await self.newest()
                diff, both = rebased(before, after, theirs)
                if not diff:
                    break
        else:
            raise Away(f"{self.requests.url} changes too fast to be brought into step: it is tried again soon")
        version, state = await self.newest()
        await fallback.mirror(version, state)
        if both and self._tell is not None:
            await self._tell("conflict", names=both, version=version)

    async def newest(self) -> tuple[int, State]:
        """Return what the server has; version 0 and nothing where there is no project."""
        try:
            reply = await self.requests.ask("GET", self.path, retries=0)
        except KeyNotFound:
            return 0, EMPTY
        found = parse_json(reply.content, "the reply")
        return int(found["version"]), State.of(found["context"])

    def mirror(self, version: int, state: State) -> None:
        """Keep what the server has in the fallback, a moment later; of several the last."""
        if self.fallback is None or self.fallback.shared or self.away:
            return
        self._mirrored = (version, state)
        if self._mirroring is None or self._mirroring.done():
            self._mirroring = asyncio.create_task(self._mirror(self.fallback))

    async def _mirror(self, fallback: Fallback) -> None:
        while self._mirrored is not None:
            (version, state), self._mirrored = self._mirrored, None
            await fallback.mirror(version, state)

    async def stand_in(self) -> Fallback | None:
        """Return the fallback, if there is one, once it has what the server was last known to have."""
        if self._mirroring is not None:
            await asyncio.shield(self._mirroring)
        return self.fallback

    async def close(self) -> None:
        """Finish what is under way and close what was opened."""
        if self._mirroring is not None:
            await self._mirroring
        await self.requests.close()
        if self.fallback is not None:
            self.fallback.close()


def address_to_start(autostart: bool, fallback: str | os.PathLike[str] | None, requests: Requests) -> str | None:
    """Return the address of the store that a server would be started for; raises ``ConfigError`` for other machines."""
    if not autostart:
        return None
    if not requests.loopback:
        raise ConfigError(f"{requests.url} is another machine's: a server is started on this one only")
    return default_address() if fallback is None else os.fspath(fallback)
