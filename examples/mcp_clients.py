"""Two clients of the Model Context Protocol share one store: one writes, the other is told, reads and expands.

Needs ``pip install 'sharedctx[mcp]'``, of either version of the SDK; no model and no network.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from typing import Any

from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

COMMAND = ["-c", "from sharedctx_cli.main import main; main()", "mcp"]  # `sharedctx mcp`, wherever it is installed


async def connect(stack: AsyncExitStack, path: str, participant: str, told: asyncio.Queue[str]) -> ClientSession:
    """Start a server for one participant, as a client's configuration does, and greet it."""

    async def hear(message: Any) -> None:
        note = getattr(message, "root", message)
        if getattr(note, "method", "") == "notifications/resources/updated":
            told.put_nowait(str(note.params.uri))

    args = [*COMMAND, "--path", path, "--session", "team", "--as", participant]
    streams = await stack.enter_async_context(stdio_client(StdioServerParameters(command=sys.executable, args=args)))
    session = await stack.enter_async_context(ClientSession(*streams, message_handler=hear))
    await session.initialize()
    return session


async def call(session: ClientSession, tool: str, **arguments: Any) -> str:
    """Call a tool and return the text that a model would be given."""
    answer = await session.call_tool(f"context_{tool}", arguments)
    return str(answer.content[0].text)


async def main() -> None:
    log = (
        "\n".join(f"12:{n // 60:02}:{n % 60:02} INFO job {n} done" for n in range(3000)) + "\n13:00:00 ERROR disk full"
    )
    told: asyncio.Queue[str] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        path = stack.enter_context(tempfile.TemporaryDirectory())
        operator = await connect(stack, path, "operator", asyncio.Queue())
        analyst = await connect(stack, path, "analyst", told)
        await analyst.subscribe_resource("context://team/logs/today")

        print(await call(operator, "write", key="logs/today", value=log))
        print("told:", await told.get())
        print(await call(analyst, "read", key="logs/today"))
        print(await call(analyst, "expand", key="logs/today", ref="lines:2999-3001"))

        await call(operator, "write", key="logs/today", value=log + "\n13:00:09 INFO disk freed", expected_version=1)
        print(await call(analyst, "write", key="logs/today", value="mine", expected_version=1))
        print(await call(analyst, "search", query="disk freed"))


if __name__ == "__main__":
    asyncio.run(main())
