"""What clients of tests tell, and clients to tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sharedctx_server import ContextClient
from sharedctx_server.testing import Running

from .processes import ServerProcess

Found = dict[str, Any]


class Heard:
    """What a client told, by event, and a way to wait for it."""

    def __init__(self, client: ContextClient, *events: str) -> None:
        self.all: list[tuple[str, Found]] = []
        self._news = asyncio.Event()
        for event in events:
            client.on(event, lambda data, event=event: self._note(event, data))

    def _note(self, event: str, data: Found) -> None:
        self.all.append((event, data))
        self._news.set()

    @property
    def versions(self) -> list[int]:
        return [data["version"] for _, data in self.all]

    async def until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()


def client(server: Running | ServerProcess, agent: str = "planner", **options: Any) -> ContextClient:
    return ContextClient("atlas", agent, server.url, retry_wait=0.02, **options)
