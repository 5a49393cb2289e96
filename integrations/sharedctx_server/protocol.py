"""HTTP connections whose replies leave in one piece: uvicorn writes the head of a reply and its body separately, and
each write is a call of the system, a packet, and often a reading on the other side."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_JOINED = 1 << 16
"""Bytes up to which copying is cheaper than a call of the system."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a ``Joining`` transport, until it becomes that of a WebSocket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, Joining(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        self.transport = cast(Joining, self.transport).joined
        super().handle_websocket_upgrade()


class Joining:
    """A transport that holds the head of a reply until what follows is written, at the latest until the loop turns."""

    def __init__(self, joined: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.joined = joined
        self._write = joined.write
        self._later = loop.call_soon
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.joined, name)

    def write(self, data: bytes) -> None:
        """Write, after what is held; hold the head of a reply."""
        if self._held:
            if len(data) > _JOINED:
                self._flush()
            else:
                data, self._held = self._held + data, b""
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n"):
            self._held = data
            self._later(self._flush)
            return
        self._write(data)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self.joined.close()

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.joined.is_closing()
