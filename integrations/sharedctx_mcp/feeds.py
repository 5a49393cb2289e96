"""Following the session: who asked is told which resources have changed, whoever changed them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from sharedctx.aio import AsyncSharedContext
from sharedctx.errors import Compacted, InvalidValue

from .addresses import Address

_RETRY = 1.0
MOST = 10_000
"""Resources that one client subscribes to, at most."""
_log = logging.getLogger("sharedctx.mcp")


class Changes(NamedTuple):
    """The keys that changed, and whether there are others than before."""

    keys: frozenset[str]
    listing: bool


Listener = Callable[[Changes], None]
Tell = Callable[[str | None], Awaitable[None]]
"""Sends a client word of one resource, or with None of the list of them."""


class Feed:
    """The session's changes, as far as one participant may read them. It follows while somebody listens."""

    def __init__(self, context: AsyncSharedContext) -> None:
        self._context = context
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._rev = 0
        self._known: set[str] = set()

    @property
    def followed(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    async def join(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` whatever changes from now on, in the feed's own task; returns what ends that."""
        async with self._starting:
            if self._task is None or self._task.done():
                self._rev = await self._context.rev()
                self._known = set(await self._context.keys())
                self._task = asyncio.create_task(self._follow())
            self._listeners.add(listener)

        def leave() -> None:
            self._listeners.discard(listener)
            if not self._listeners:
                self.stop()

        return leave

    def stop(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        context = self._context.sync
        driver, verbs = context.store.driver, context.verbs
        while True:
            try:
                await driver.watching.wait(verbs.space, self._rev, None)
                context.store.check_open()
                changes = await self._next()
            except Exception as error:  # whatever it was: who listens goes on being told
                _log.warning("changes are not told for now: %s: %s", type(error).__name__, error)
                await asyncio.sleep(_RETRY)
                continue
            if changes.keys or changes.listing:
                for listener in list(self._listeners):
                    listener(changes)

    async def _next(self) -> Changes:
        context = self._context
        try:
            events, self._rev = await context.run(context.sync.verbs.follow(context.sync.participant, self._rev))
        except Compacted:
            self._rev = await context.rev()
            before, self._known = self._known, set(await context.keys())
            return Changes(frozenset(before | self._known), before != self._known)
        before = set(self._known)
        for event in events:
            if event.op == "put":
                self._known.add(event.key)
            else:
                self._known.discard(event.key)
        return Changes(frozenset(event.key for event in events), before != self._known)


class Subscriber:
    """One connected client: told of what it subscribed to, each thing once for all the changes since the last telling.

    ``tell`` sends; when it fails the client is gone. At most one telling every ``pace`` seconds.
    """

    def __init__(self, tell: Tell, pace: float) -> None:
        self._tell = tell
        self._pace = pace
        self._uris: dict[str | None, str] = {}
        self._waiting: dict[str | None, None] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = asyncio.create_task(self._send())

    def subscribe(self, uri: str) -> None:
        """Tell of this resource from now on; raises ``InvalidKey``, ``InvalidValue`` where it is one too many."""
        if len(self._uris) >= MOST:
            raise InvalidValue(f"a client subscribes to at most {MOST} resources: take the list of them in their place")
        self._uris[Address.read(uri).key] = uri

    def unsubscribe(self, uri: str) -> None:
        """Tell of it no more."""
        self._uris.pop(Address.read(uri).key, None)

    def hear(self, changes: Changes) -> None:
        """Take note of changes; what was asked for is sent soon."""
        found: list[str | None] = [self._uris[key] for key in changes.keys & self._uris.keys()]
        if None in self._uris:
            found.append(self._uris[None])
        if changes.listing:
            found.append(None)
        self._waiting |= dict.fromkeys(found)
        if self._waiting:
            self._news.set()

    async def _send(self) -> None:
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                waiting, self._waiting = self._waiting, {}
                for uri in waiting:
                    await self._tell(uri)
                await asyncio.sleep(self._pace)
        except Exception as error:
            _log.info("a client is told nothing more: %s", type(error).__name__)

    async def close(self) -> None:
        """Tell nothing more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
