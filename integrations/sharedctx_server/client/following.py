"""What a client hears, put in order and told to its handlers."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from sharedctx.projects import Difference, State

from .listening import Listening
from .replica import Change, Replica, Torn

Ask = Callable[[dict[str, Any]], Awaitable[bool]]


class Following:
    """A copy of the project that follows a stream's messages and this client's own writes.

    Every version of others is told once and in order. A version that was not told, since its answer was lost or another
    process writes by the same name, is asked for: ``ask`` sends a message.
    """

    def __init__(self, project: str, agent: str, listening: Listening, ask: Ask, changed: Callable[[], None]) -> None:
        self.replica = Replica()
        self._writing = 0
        self._perhaps_own: list[Change] = []
        self._project = project
        self._agent = agent
        self._listening = listening
        self._ask = ask
        self._changed = changed
        self._outbox: deque[tuple[str, dict[str, Any]]] = deque()
        self._telling = False
        self._asked: int | None = None

    async def tell(self, event: str, **data: Any) -> None:
        """Tell handlers of an event, after all that were to be told before."""
        self._outbox.append((event, data))
        await self._drain()

    async def _drain(self) -> None:
        if self._telling:  # whoever tells now goes on to these
            return
        self._telling = True
        try:
            while self._outbox:
                name, found = self._outbox.popleft()
                await self._listening.tell(name, **found)
        finally:
            self._telling = False

    async def hear(self, message: dict[str, Any]) -> None:
        """Take a message of the stream."""
        match message:
            case {"type": "context_snapshot", "version": int(version), "context": dict(context)}:
                await self.snapshot(version, State.of(context), str(message.get("timestamp", "")), told=True)
            case {"type": "context_update", "version": int(version), "changes": dict(changes)}:
                await self._update(message, version, Difference.parse(changes))
            case {"type": "ack", "version": int(version)}:
                self.replica.learn(version)
                await self.fill()
            case {"type": "context_deleted", "version": int(version)}:
                if self.replica.removed(version):
                    self._changed()
                    await self.tell("context_deleted", projectId=self._project, version=version)
            case {"type": "subscribed", "version": int(version)}:  # there is no project as yet
                self.replica.removed(version)
            case {"type": "compacted"}:
                self.replica.forget()
            case {"type": "error", "error": str(words)}:
                await self.tell("error", message=words, statusCode=message.get("statusCode"))

    async def _update(self, message: dict[str, Any], version: int, diff: Difference) -> None:
        known = {name: message[name] for name in ("projectId", "version", "timestamp", "hash", "changes", "agentId")}
        change = Change(version, diff.apply, str(message.get("hash", "")), str(message["timestamp"]), known)
        if self._writing and known["agentId"] == self._agent:  # the answer that is on its way tells whether it is own
            self._perhaps_own.append(change)
        else:
            await self.take(change)

    def write(self) -> None:
        """Know that this client writes, until ``written``."""
        self._writing += 1

    async def written(self, change: Change | None) -> None:
        """Take the version that this client wrote; None where it wrote none, as far as is known."""
        self._writing -= 1
        if change is not None:
            await self.take(change)
        if not self._writing:
            held, self._perhaps_own = self._perhaps_own, []
            for each in held:
                await self.take(each)
            await self.fill()

    async def snapshot(self, version: int, state: State, timestamp: str, *, told: bool = False) -> None:
        """Take a whole state."""
        if self.replica.snapshot(version, state, timestamp):
            self._changed()
            if told:
                context, digest = state.context(), state.hash
                await self.tell(
                    "context_snapshot", projectId=self._project, version=version, context=context, hash=digest
                )

    async def take(self, change: Change) -> None:
        """Take a version, of others or of this client."""
        try:
            taken = self.replica.hear(change)
        except Torn:
            await self._anew()
            return
        if taken:
            self._changed()
        for each in taken:
            self._outbox.append(("diff_applied", {"projectId": self._project, "version": each.version}))
            if each.changes is not None:
                self._outbox.append(("context_updated_realtime", each.changes))
        await self._drain()
        await self.fill()

    async def fill(self) -> None:
        """Ask for what is missing, unless an answer that is on its way may tell it."""
        version = self.replica.version
        if not self.replica.gap or self._writing or self._asked == version:
            return
        if await self._ask({"type": "subscribe_to_changes", "fromVersion": version}):
            self._asked = version

    async def _anew(self) -> None:
        self.replica.forget()
        self._asked = None
        await self._ask({"type": "subscribe_to_changes"})

    async def clear(self) -> None:
        """Forget the copy and ask for it again."""
        await self._anew()

    def reopened(self) -> None:
        """Know that a new stream tells everything after the known version."""
        self._asked = None
