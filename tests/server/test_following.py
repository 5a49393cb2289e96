"""What a client is told of its own writes, in whatever order answers and the stream's messages come."""

from __future__ import annotations

import asyncio
from typing import Any

from sharedctx.projects import Difference, State
from sharedctx_server.client.following import Following
from sharedctx_server.client.listening import Listening
from sharedctx_server.client.replica import Change


class Told:
    """A client's copy at version 1, and what its handlers were told since."""

    def __init__(self) -> None:
        self.foreign: list[int] = []
        self.applied: list[int] = []
        listening = Listening()
        listening.on("context_updated_realtime", lambda data: self.foreign.append(data["version"]))
        listening.on("diff_applied", lambda data: self.applied.append(data["version"]))
        self.following = Following("atlas", "me", listening, self.ask, lambda: None)
        self.following.replica.snapshot(1, State.of({}), "")

    async def ask(self, message: dict[str, Any]) -> bool:
        """Nobody answers."""
        return True

    async def hear(self, version: int, agent: str) -> None:
        """Hear of a version by the stream."""
        changes = {"added": {f"n{version}": 1}}
        message = {"type": "context_update", "projectId": "atlas", "version": version, "hash": "", "agentId": agent}
        await self.following.hear({**message, "timestamp": "", "changes": changes})


def own(version: int) -> Change:
    """What an answer tells of a version."""
    return Change(version, Difference.parse({"added": {f"n{version}": 1}}).apply, "", "", None)


def test_a_stream_that_tells_of_an_own_version_again_does_not_make_it_foreign() -> None:
    async def work() -> None:
        told = Told()
        told.following.write()
        await told.following.written(own(3))
        await told.hear(3, "me")
        await told.hear(2, "other")
        assert (told.applied, told.foreign) == ([2, 3], [2])

    asyncio.run(work())


def test_a_stream_that_is_faster_than_the_answer_does_not_make_an_own_version_foreign() -> None:
    async def work() -> None:
        told = Told()
        told.following.write()
        await told.hear(2, "me")
        await told.hear(3, "other")
        assert told.applied == []
        await told.following.written(own(2))
        assert (told.applied, told.foreign) == ([2, 3], [3])

    asyncio.run(work())


def test_what_another_process_wrote_by_the_same_name_is_told_once_the_own_answer_is_there() -> None:
    async def work() -> None:
        told = Told()
        told.following.write()
        await told.hear(2, "me")
        await told.following.written(own(3))
        assert (told.applied, told.foreign) == ([2, 3], [2])
        told.following.write()
        await told.hear(4, "me")
        await told.following.written(None)
        assert (told.applied, told.foreign) == ([2, 3, 4], [2, 4])

    asyncio.run(work())
