"""Lanes: one for each project that is written or followed here, so that its versions go out in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .sockets import text_frame


class Subscriber:
    """One stream: what waits for it, and how far it has come.

    ``ended`` is set with why the stream is over; the stream itself sends what waits and closes. ``write`` takes frames
    of a WebSocket, and returns whether it did: while the stream is ``clear``, nothing waits and nothing is being sent,
    messages go there at once.
    """

    def __init__(self, agent: str, most: int, most_bytes: int, write: Callable[[bytes], bool] | None = None) -> None:
        self.agent = agent
        self.write = write
        self.clear = False
        self.at = 0
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.news = asyncio.Event()
        self.ended: str | None = None
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    def offer(self, number: int, message: bytes) -> bool:
        """Queue a message; where too much waits already, the stream ends as too slow and False is returned."""
        if self.ended is not None:
            return False
        if len(self.waiting) >= self._most or (self.waiting and self._bytes + len(message) > self._most_bytes):
            self.waiting.clear()
            self.end("slow")
            return False
        self.waiting.append((number, message))
        self.clear = False
        self._bytes += len(message)
        self.news.set()
        return True

    def take(self) -> bytes:
        """Return the next message, which counts as sent."""
        number, message = self.waiting.popleft()
        self._bytes -= len(message)
        self.at = max(self.at, number)
        return message

    def end(self, why: str) -> None:
        """End the stream after what waits."""
        if self.ended is None:
            self.ended = why
            self.clear = False
            self.news.set()


@dataclass(eq=False)
class Lane:
    """A project here: its subscribers, and ``at``, the version up to which they were told.

    Who holds ``lock`` tells its versions, or writes much; ``stale`` says that there are others' versions to tell,
    ``users`` how many write it, or hold the lock, or wait for it; ``requests`` are the names of those being written.
    """

    project: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    subscribers: set[Subscriber] = field(default_factory=set)
    at: int = 0
    stale: bool = False
    users: int = 0
    requests: dict[str, asyncio.Event] = field(default_factory=dict)

    def tell(self, number: int, message: bytes, agent: str, own: bytes = b"") -> int:
        """Give a version's message to all, and ``own`` instead to those of the agent that wrote it; returns how many
        are too slow now."""
        self.at = number
        slow, frame = 0, text_frame(message)
        for subscriber in self.subscribers:
            if agent and subscriber.agent == agent:
                if own:
                    slow += not subscriber.offer(number, own) and subscriber.ended == "slow"
            elif subscriber.clear and subscriber.write is not None and subscriber.write(frame):
                subscriber.at = number
            else:
                slow += not subscriber.offer(number, message) and subscriber.ended == "slow"
        return slow
