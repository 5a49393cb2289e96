"""What the routes of one server share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.types import Scope

from sharedctx import Store
from sharedctx.backends import steps
from sharedctx.backends.steps import Steps
from sharedctx.callers.bearers import Bearers
from sharedctx.errors import SharedContextError
from sharedctx.projects import Projects, State, Written
from sharedctx.projects.accesses import Access
from sharedctx.projects.sweeping import sweep

from .hub import Hub
from .lanes import Subscriber
from .latest import Latest
from .meter import Meter
from .replies import LARGE
from .settings import ServerSettings

T = TypeVar("T")

log = logging.getLogger(__name__)

_NOTE_EVERY = 60.0
_SOONER = 12
"""How many times sooner a newer version is noted."""


class Service:
    """One server's store, projects, subscribers and numbers. The store stays with its opener."""

    def __init__(self, store: Store, settings: ServerSettings) -> None:
        self.store = store
        self.settings = settings
        self.meter = Meter()
        self.context = store.session(settings.session)
        self.projects = Projects(self.context, settings.projects)
        self.hub = Hub(store, self.projects, self.meter)
        self.latest = Latest(store, self.projects)
        self.tokens = Bearers(store, settings.token)
        self.stopped = asyncio.Event()
        self.receiving = 0
        """Bytes of the bodies that are being received, of those that come in several pieces."""
        self._note_every = min(_NOTE_EVERY, (settings.projects.ttl or _NOTE_EVERY * 20) / 20)
        self._noted: dict[tuple[str, str], tuple[float, int]] = {}
        self._unnoted: dict[tuple[str, str], int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def stopping(self) -> bool:
        """Whether no further streams are taken."""
        return self.stopped.is_set()

    async def run(self, work: Steps[T], size: int = 0) -> T:
        """Drive steps; those that work on many bytes leave the event loop."""
        if size > LARGE:
            return await self.store.driver.leave_loop(self.context.run, work)
        return await self.store.driver.run(work)

    async def write(
        self, participant: str | None, project: str, work: Steps[Written], size: int, request: str = ""
    ) -> tuple[Written, int]:
        """Drive a write, tell, count and note it, and let go what a new project leaves no room for; returns it with the
        number of subscribers.

        Small writes of a project build on each other while they wait to be committed together; a large one, which
        takes long, keeps further ones waiting. One that is sent again under the name of a request waits for the first.
        """
        large = size > LARGE or self.projects.heads.size(project) > LARGE
        if large or request or self.hub.lane(project) is not None:
            written, subscribers = await self._write_in_lane(project, work, large, request)
        else:
            written, subscribers = await self.store.driver.run(work), 0
            if self.hub.lane(project) is not None:
                with self.hub.using(project) as lane:
                    await self.hub.tell(lane, written)
                    subscribers = len(lane.subscribers)
        self.meter.writes += 1
        self.accessed(project, participant, written.version.number)
        if written.is_new:
            await self.sweep(spare=project)
        return written, subscribers

    async def _write_in_lane(
        self, project: str, work: Steps[Written], large: bool, request: str
    ) -> tuple[Written, int]:
        with self.hub.using(project) as lane:
            while request in lane.requests:
                await lane.requests[request].wait()
            if request:
                lane.requests[request] = asyncio.Event()
            try:
                if large:
                    async with lane.lock:
                        written = await self.run(work, LARGE + 1)
                else:
                    if lane.lock.locked():
                        async with lane.lock:
                            pass
                    written = await self.run(work)
            finally:
                if request:
                    lane.requests.pop(request).set()
            await self.hub.tell(lane, written)
            return written, len(lane.subscribers)

    async def refused(self, scope: Scope) -> None:
        """Return once a stream's caller would not be let in any more: by its token, or without one."""
        await self.tokens.refused(scope.get("sharedctx.token"))

    async def end_refused(self, scope: Scope, subscriber: Subscriber, *also: Callable[[], object]) -> None:
        """End a subscriber's stream, and do what else is to be done, once its caller would not be let in any more."""
        await self.refused(scope)
        if not self.stopping:
            subscriber.end("refused")
            for each in also:
                each()

    def now(self) -> float:
        """The store's clock where asking takes no time, else this machine's."""
        return self.store.backend.now() if self.store.backend.local else time.time()

    def accessed(self, project: str, participant: str | None, version: int) -> None:
        """Write an access down now and then, and that of a newer version soon, so that all servers know what is in
        use, and who reads it."""
        who = (project, participant or "")
        at, known = self._noted.get(who, (float("-inf"), 0))
        if time.monotonic() - at >= self._note_every:
            self._note_now(who, max(version, known))
        elif version > known:
            if not self._unnoted:
                asyncio.get_running_loop().call_later(self._note_every / _SOONER, self._note_all)
            self._unnoted[who] = version

    def _note_now(self, who: tuple[str, str], version: int) -> None:
        if len(self._noted) > 10_000:
            self._noted.clear()
        self._noted[who] = (time.monotonic(), version)
        self.spawn(self._note(*who, version))

    def _note_all(self) -> None:
        unnoted, self._unnoted = self._unnoted, {}
        for who, version in unnoted.items():
            self._note_now(who, version)

    async def _note(self, project: str, participant: str, version: int) -> None:
        with contextlib.suppress(SharedContextError):  # a full disk still reads
            now = await self.run(steps.now())
            await self.run(self.projects.accesses.note(Access(project, participant, now, version)))

    def tokens_of(self, state: State) -> int:
        """The tokens of a whole context, as the session counts them."""
        return self.context.settings.count_tokens(state.encoded.decode())

    def served(self, participant: str | None, kind: str, tokens: int, replay: int) -> None:
        """Tell the savings what was served in place of a whole context."""
        self.store.savings.record(self.settings.session, participant, "server", kind, tokens, replay)

    def spawn(self, work: object) -> None:
        """Do something beside the requests."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def sweep(self, spare: str | None = None) -> dict[str, str]:
        """Let go what the limits let go, off the event loop; returns what went and why."""
        gone = await self.store.driver.leave_loop(self.context.run, sweep(self.projects, spare))
        self.meter.swept += len(gone)
        for why in gone.values():
            log.info("a project went: %s", why)
        return gone

    async def _sweep_always(self) -> None:
        while True:
            await asyncio.sleep(self.settings.sweep_every)
            try:
                await self.sweep()
            except SharedContextError as error:
                log.warning("the sweep failed: %s", error.code)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the store and sweep it meanwhile."""
        self.meter.started = time.monotonic()
        tasks = [asyncio.create_task(self.hub.follow()), asyncio.create_task(self._sweep_always())]
        try:
            yield
        finally:
            self.stop()
            self._note_all()
            tasks += self._tasks
            for task in tasks[:2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """End the streams; further ones are refused."""
        self.stopped.set()
        self.hub.end_all("stopping")
