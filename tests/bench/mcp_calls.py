"""What an MCP client waits for: the server's start, calls of tools, and word of a change. Prints medians of one run.

Usage: python tests/bench/mcp_calls.py [--calls N]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

import sharedctx

COMMAND = ["-c", "from sharedctx_cli.main import main; main()", "mcp"]
URI = "context://default/plan"


async def median(calls: int, once: Callable[[int], Awaitable[Any]]) -> float:
    """Milliseconds of one call."""
    taken = []
    for number in range(calls):
        begun = time.perf_counter()
        await once(number)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


async def main(calls: int) -> None:
    log = "\n".join(f"12:{n // 60:02}:{n % 60:02} INFO job {n} done in {n % 97} ms" for n in range(2500))
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Any) -> None:
        note = getattr(message, "root", message)
        if getattr(note, "method", "") == "notifications/resources/updated":
            told.put_nowait(str(note.params.uri))

    with tempfile.TemporaryDirectory() as path, sharedctx.open(path) as store:
        ours = store.session()
        ours.put("log", log)
        ours.put("plan", "first")
        begun = time.perf_counter()
        server = StdioServerParameters(command=sys.executable, args=[*COMMAND, "--path", path])
        async with stdio_client(server) as streams, ClientSession(*streams, message_handler=hear) as client:
            await client.initialize()
            print(f"start and greeting        {(time.perf_counter() - begun) * 1000:8.1f} ms")
            ping = await median(calls, lambda _: client.send_ping())
            print(f"ping (the SDK alone)      {ping:8.2f} ms")
            for name, arguments in (
                ("read", {"key": "plan"}),
                ("read", {"key": "log"}),
                ("expand", {"key": "log", "ref": "lines:900-920"}),
                ("search", {"query": "job 1234"}),
                ("list", {}),
            ):
                took = await median(calls, lambda _, n=name, a=arguments: client.call_tool(f"context_{n}", a))
                print(f"{name + ' ' + str(arguments.get('key', '')):25} {took:8.2f} ms")
            took = await median(
                calls, lambda n: client.call_tool("context_write", {"key": "mine", "value": f"step {n}"})
            )
            print(f"write                     {took:8.2f} ms")
            await client.subscribe_resource(URI)

            async def change(number: int) -> None:
                await asyncio.sleep(0.15)  # past the pace, so that the way alone is measured
                nonlocal at
                at = time.perf_counter()
                await asyncio.to_thread(ours.put, "plan", str(number))
                while await told.get() != URI:
                    pass
                delays.append(time.perf_counter() - at)

            at = 0.0
            delays: list[float] = []
            for number in range(min(calls, 40)):
                await change(number)
            print(f"a put here until told     {statistics.median(delays) * 1000:8.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=200)
    asyncio.run(main(parser.parse_args().calls))
