"""The hub: follows the store's feed and tells each project's subscribers its versions, whoever wrote them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sharedctx import Store
from sharedctx.backends import steps
from sharedctx.backends.base import SortKey
from sharedctx.backends.capabilities import Counting
from sharedctx.errors import Compacted, SharedContextError
from sharedctx.projects import Difference, Projects, State, Written, project_of
from sharedctx.versions.log import Version

from .lanes import Lane, Subscriber
from .messages import ack_message, deleted_message, snapshot_message, update_message
from .meter import Meter
from .replies import encode

log = logging.getLogger(__name__)

_RETRY = 1.0
_NEAR, _FEW = 1000, 16
"""Where no more revisions than that are new, so many changes are read at a time, on the event loop."""


class Hub:
    """Subscribers by project. What it knows of versions it reads from the store; nothing outlives the subscribers."""

    def __init__(self, store: Store, projects: Projects, meter: Meter) -> None:
        self._store = store
        self._projects = projects
        self._meter = meter
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listened = asyncio.Event()
        backend = store.backend
        self._counts = isinstance(backend, Counting) and backend.counts_puts
        self._rev = -1
        """The revision up to which the feed was followed; below 0 where it is not."""

    @property
    def lanes(self) -> list[Lane]:
        """The projects that are followed or written at the moment."""
        return list(self._lanes.values())

    def subscribers(self, project: str) -> int:
        """How many follow the project here."""
        lane = self._lanes.get(project)
        return 0 if lane is None else len(lane.subscribers)

    def lane(self, project: str) -> Lane | None:
        """The project's lane, None where nobody here writes or follows it in a way that others must know of."""
        return self._lanes.get(project)

    @contextmanager
    def using(self, project: str) -> Iterator[Lane]:
        """Use the project's lane: what others write meanwhile is told by who tells next, at the latest in the end."""
        lane = self._lanes.get(project)
        if lane is None:
            lane = self._lanes[project] = Lane(project)
        lane.users += 1
        try:
            yield lane
        finally:
            lane.users -= 1
            if lane.stale and not lane.users:
                self._note(project, None)
            self._drop_idle(lane)

    @asynccontextmanager
    async def holding(self, project: str) -> AsyncIterator[Lane]:
        """Hold the project's lane: nobody else here begins to write it or tells its versions."""
        with self.using(project) as lane:
            async with lane.lock:
                yield lane
                while lane.stale:
                    await self._catch_up(lane)

    def _drop_idle(self, lane: Lane) -> None:
        if not lane.subscribers and not lane.users:
            self._lanes.pop(lane.project, None)
            if self._listened.is_set() and not any(each.subscribers for each in self._lanes.values()):
                self._listened.clear()

    async def tell(self, lane: Lane, written: Written) -> None:
        """Tell what was just written, by who uses the lane."""
        if lane.subscribers or lane.lock.locked():
            async with lane.lock:
                await self._tell_written(lane, written)
                while lane.stale:
                    await self._catch_up(lane)

    async def _tell_written(self, lane: Lane, written: Written) -> None:
        if not lane.subscribers or written.version.number <= lane.at:
            return
        if written.version.number > lane.at + 1:
            await self._catch_up(lane)
            return
        self._tell(lane, written.version, written.state, Difference.between(written.old, written.state))
        if self._counts and written.version.rev == self._rev + 1:  # nothing came between: the feed has no news of it
            self._rev = written.version.rev

    def _tell(self, lane: Lane, version: Version, state: State, changes: Difference) -> None:
        message = update_message(lane.project, version, state, changes)
        own = ack_message(lane.project, version, state)
        self._meter.dropped += lane.tell(version.number, message, version.blob.agent, own)
        self._meter.told(len(lane.subscribers), version.blob.timestamp)

    async def tell_deleted(self, lane: Lane) -> None:
        """Tell a removal that was just written, by who holds the lane."""
        await self._catch_up(lane)

    async def join(self, project: str, subscriber: Subscriber, since: int | None, *, snapshot: bool = True) -> int:
        """Add a subscriber: it gets what it missed since a version, or a snapshot, and what comes; returns the version
        that it has then."""
        async with self.holding(project) as lane:
            if not lane.subscribers:
                newest = await self._store.driver.run(self._projects.newest(project))
                lane.at = 0 if newest is None else newest.number
            else:
                await self._catch_up(lane)
            if since is not None:
                await self._replay(lane, subscriber, since)
            elif snapshot:
                await self._snapshot(lane, subscriber)
            lane.subscribers.add(subscriber)
            self._listened.set()
            return lane.at

    async def replay(self, project: str, subscriber: Subscriber, since: int | None) -> None:
        """Send a subscriber again what came after a version, or a snapshot."""
        async with self.holding(project) as lane:
            await self._catch_up(lane)
            if since is None:
                await self._snapshot(lane, subscriber)
            else:
                await self._replay(lane, subscriber, since)

    def leave(self, project: str, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        lane = self._lanes.get(project)
        if lane is not None:
            lane.subscribers.discard(subscriber)
            self._drop_idle(lane)

    async def _snapshot(self, lane: Lane, subscriber: Subscriber) -> None:
        run = self._store.driver.run
        try:
            version = await run(self._projects.at(lane.project, lane.at))
            state = await run(self._projects.state(version))
        except SharedContextError:  # there never was one, or it was removed
            subscriber.offer(lane.at, encode({"type": "subscribed", "projectId": lane.project, "version": lane.at}))
            return
        subscriber.offer(version.number, snapshot_message(lane.project, version, state))

    async def _replay(self, lane: Lane, subscriber: Subscriber, since: int) -> None:
        run = self._store.driver.run
        missed = await run(self._projects.follow(lane.project, since)) if 0 <= since <= lane.at else None
        if missed is None:
            newest = await run(self._projects.newest(lane.project))
            if newest is not None and not newest.blob.live and newest.number > since:  # evicted, with its history
                subscriber.offer(newest.number, deleted_message(lane.project, newest))
                subscriber.end("deleted")
                return
            oldest = await run(self._projects.oldest(lane.project))
            message = {"type": "compacted", "projectId": lane.project, "statusCode": 410, "oldest": oldest}
            subscriber.offer(0, encode(message))
            await self._snapshot(lane, subscriber)
            return
        old, versions = missed
        for version in versions:
            if version.number > lane.at:
                break
            state = await run(self._projects.state(version))
            if not version.blob.live and version is versions[-1]:
                subscriber.offer(version.number, deleted_message(lane.project, version))
                subscriber.end("deleted")
                return
            changes = Difference.between(await run(self._projects.state(old)), state)
            subscriber.offer(version.number, update_message(lane.project, version, state, changes))
            old = version

    async def _catch_up(self, lane: Lane) -> None:
        """Tell the versions that the lane's subscribers have not been told of, by who holds the lane."""
        lane.stale = False
        if not lane.subscribers:
            return
        run = self._store.driver.run
        while True:
            missed = await run(self._projects.follow(lane.project, lane.at, beyond=True))
            if missed is None:
                newest = await run(self._projects.newest(lane.project))
                if newest is not None and not newest.blob.live:  # evicted, with its history
                    await self._tell_version(lane, None, newest)
                    return
                lane.at = 0 if newest is None else newest.number
                for subscriber in lane.subscribers:
                    await self._snapshot(lane, subscriber)
                return
            old, versions = missed
            if not versions:
                return
            for version in versions:
                await self._tell_version(lane, old, version)
                old = version

    async def _tell_version(self, lane: Lane, old: Version | None, version: Version) -> None:
        run = self._store.driver.run
        if not version.blob.live:
            self._meter.dropped += lane.tell(version.number, deleted_message(lane.project, version), "")
            for subscriber in list(lane.subscribers):
                subscriber.end("deleted")
            lane.subscribers.clear()
            return
        state = await run(self._projects.state(version))
        changes = Difference.between(await run(self._projects.state(old)), state)
        self._tell(lane, version, state, changes)

    async def follow(self) -> None:
        """Follow the store's feed until cancelled, while anybody listens: what other processes write is told too."""
        driver, space = self._store.driver, self._projects.space
        self._rev = -1
        while True:
            try:
                if not self._listened.is_set():
                    await self._listened.wait()
                    self._rev = -1
                if self._rev < 0:  # who joined read the newest version after this
                    self._rev = await driver.run(steps.rev(space))
                    for followed in tuple(self._lanes):
                        self._note(followed, None)
                await driver.watching.wait(space, self._rev, None)
                for project, number in (await self._news(space)).items():
                    self._note(project, number)
            except SharedContextError as error:
                log.warning("the store's feed cannot be followed: %s", error.code)
                await asyncio.sleep(_RETRY)

    async def _news(self, space: str) -> dict[str, SortKey | None]:
        """What the feed tells next: projects, and up to which version, None where that is not known."""
        driver, backend, since = self._store.driver, self._store.backend, self._rev
        newest = backend.rev(space) if backend.local else None
        if newest == since:
            return {}
        try:
            if newest is not None and newest - since <= _NEAR:
                page = backend.changes(space, since, _FEW)
            else:
                page = await driver.run(steps.changes(space, since))
        except Compacted:
            self._rev = await driver.run(steps.rev(space))
            return dict.fromkeys(self._lanes)
        if page:
            self._rev = max(self._rev, page[-1].rev)
        elif newest is not None:
            self._rev = max(self._rev, newest)
        else:  # which may be later than what was read
            self._rev = max(self._rev, await driver.run(steps.rev(space)))
            return dict.fromkeys(self._lanes)
        found = ((project_of(change.pk), change) for change in page)
        return {project: change.sk for project, change in found if project is not None}

    def _note(self, project: str, number: SortKey | None) -> None:
        """See that a project's versions up to a number are told: by who uses its lane, or by a task of its own."""
        lane = self._lanes.get(project)
        if lane is None or not lane.subscribers or (isinstance(number, int) and number <= lane.at):
            return
        if lane.users or lane.lock.locked():
            lane.stale = True
            return
        task = asyncio.get_running_loop().create_task(self._tell_others(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_others(self, lane: Lane) -> None:
        try:
            async with lane.lock:
                await self._catch_up(lane)
                while lane.stale:  # something came while the lock was held
                    await self._catch_up(lane)
        except SharedContextError as error:
            log.warning("versions of a project cannot be told: %s", error.code)
            lane.stale = True

    def end_all(self, why: str) -> None:
        """End every stream."""
        for lane in self._lanes.values():
            for subscriber in lane.subscribers:
                subscriber.end(why)
