"""What a delivery costs a server, beside the least it can: a bare loop of writes of one frame to as many sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import uvloop

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_UPDATE = b'"context_update"'
JOINED = b'"context_snapshot"'


class _Told(asyncio.Protocol):
    """A connection of the bare server: what comes on one of them is written to all."""

    def __init__(self, everyone: set[asyncio.WriteTransport]) -> None:
        self._everyone = everyone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._everyone.add(self._transport)

    def data_received(self, data: bytes) -> None:
        for transport in self._everyone:
            transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._everyone.discard(self._transport)


class _Hearing(asyncio.Protocol):
    """A client that does no more than to count the updates that come, so that the servers are what is measured."""

    def __init__(self, hello: bytes, updates: int) -> None:
        loop = asyncio.get_running_loop()
        self.joined: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self._hello = hello
        self._left = updates
        self._tail = b""
        if not hello:
            self.joined.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)
        self.transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        seen = self._tail + data
        self._tail = seen[-len(JOINED) :] if _UPDATE not in seen[-len(JOINED) :] else b""
        if JOINED in seen and not self.joined.done():
            self.joined.set_result(None)
        self._left -= seen.count(_UPDATE)
        if self._left <= 0 and not self.done.done():
            self.done.set_result(None)


def serve(port: int) -> None:
    """Run the bare server in this process."""

    async def forever() -> None:
        everyone: set[asyncio.WriteTransport] = set()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Told(everyone), "127.0.0.1", port, backlog=4096)
        await server.serve_forever()

    uvloop.run(forever())


async def deliveries(port: int, cpu: Callable[[], float], path: str, clients: int, updates: list[bytes]) -> float:
    """Deliveries a CPU second of a server to ``clients`` that join at ``path``, none for the bare server; each of the
    updates is sent when the server has answered the one before, and what that takes counts too."""
    loop = asyncio.get_running_loop()
    hearing = []
    for number in range(clients):
        hello = _UPGRADE.format(path=f"{path}{number}").encode() if path else b""
        made = await loop.create_connection(lambda hello=hello: _Hearing(hello, len(updates)), "127.0.0.1", port)
        hearing.append(made[1])
    await asyncio.gather(*(client.joined for client in hearing))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    used = cpu()
    for update in updates:
        writer.write(update)
        if path:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.partition(b"\r\n")[0], head
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        else:
            await reader.readexactly(len(update))
    await asyncio.gather(*(client.done for client in hearing))
    busy = cpu() - used
    for client in hearing:
        client.transport.close()
    writer.close()
    return clients * len(updates) / max(busy, 0.01)
