"""One session of four processes that add and pop at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sharedctx
from sharedctx_openai_agents import ContextSession

WORKER = """
import asyncio, sys
from sharedctx_openai_agents import ContextSession

async def main(path, name):
    with ContextSession.from_path(path, "shared") as session:
        for n in range(15):
            items = [{"role": "user", "content": f"{name}-{n}-{part}"} for part in range(3)]
            await session.add_items(items)
            if n % 3 == 0:
                print((await session.pop_item())["content"])

asyncio.run(main(*sys.argv[1:]))
"""


def test_four_processes_share_one_session(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    path = tmp_path / "store"
    sharedctx.open(path).close()
    server = fork_server("import agents, sharedctx_openai_agents")
    running = [server.start(WORKER, path, f"p{n}") for n in range(4)]
    popped = [line for process in running for line in process.finish().split()]

    async def left() -> list[Any]:
        with ContextSession.from_path(path, "shared") as session:
            return [item["content"] for item in await session.get_items()]

    kept = asyncio.run(left())
    assert len(popped) == 20
    assert sorted(kept + popped) == sorted(f"p{p}-{n}-{part}" for p in range(4) for n in range(15) for part in range(3))
    for n in range(4):
        mine = [(int(item.split("-")[1]), int(item.split("-")[2])) for item in kept if item.startswith(f"p{n}-")]
        assert mine == sorted(mine)
