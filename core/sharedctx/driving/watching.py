"""Waiting for commits from event loops: one thread for each watched space, however many coroutines wait."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from ..backends.base import Backend
from ..errors import SharedContextError
from ..forking import renew_after_fork

_SLICE = 0.25

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


@dataclass(slots=True)
class _Space:
    rev: int
    waiters: set[_Waiter] = field(default_factory=set)


class Watching:
    """Wakes coroutines when something is committed to their space. A thread ends when nobody has waited for a while."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._spaces: dict[str, _Space] = {}
        self._lock = threading.Lock()
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Watch nothing: the threads are the parent's."""
        self._lock = threading.Lock()
        self._spaces = {}

    async def wait(self, space: str, since: int, timeout: float | None) -> bool:
        """Wait for a commit after revision ``since``, at most ``timeout`` seconds; False when none came.

        May wake too often, since revisions of a store can be shared by its spaces.
        """
        loop = asyncio.get_running_loop()
        news: asyncio.Future[None] = loop.create_future()
        with self._lock:
            watched = self._spaces.get(space)
            if watched is None:
                watched = self._spaces[space] = _Space(since)
                name = f"sharedctx-watch-{space}"
                threading.Thread(target=self._watch, args=(space, watched), name=name, daemon=True).start()
            if watched.rev > since or self._closed:
                return True
            watched.waiters.add((loop, news))
        try:
            async with asyncio.timeout(timeout):  # wait_for may lose a cancellation that comes with the news
                await news
            return True
        except TimeoutError:
            return False
        finally:
            with self._lock:
                watched.waiters.discard((loop, news))

    def _watch(self, space: str, watched: _Space) -> None:
        idle = 0
        while True:
            try:
                came = self._backend.wait(space, watched.rev, _SLICE)
                rev = self._backend.rev(space) if came else watched.rev
                failed = False
            except SharedContextError:  # the waiters find out by themselves when they read
                came, failed, rev = True, True, watched.rev
            with self._lock:
                watched.rev = rev
                idle = 0 if watched.waiters else idle + 1
                if came:
                    for loop, news in watched.waiters:
                        if not loop.is_closed():
                            loop.call_soon_threadsafe(_wake, news)
                if failed or self._closed or idle > 3:
                    del self._spaces[space]
                    return

    def close(self) -> None:
        """Wake everybody; the threads end."""
        with self._lock:
            self._closed = True
            for watched in self._spaces.values():
                for loop, news in watched.waiters:
                    if not loop.is_closed():
                        loop.call_soon_threadsafe(_wake, news)


def _wake(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)
