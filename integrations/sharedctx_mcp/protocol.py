"""HTTP connections of the MCP server: what a client owes of a request is not waited for without end."""

from __future__ import annotations

import asyncio
import json

from sharedctx.callers.patience import Patience
from sharedctx.extras import extra

with extra("mcp", "the MCP server"):
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class Protocol(H11Protocol):
    """uvicorn's protocol, which bounds the bytes of a head, and not how long it takes: a request whose head does not
    come within ``timeout_keep_alive`` seconds, or of whose body nothing more comes for as long, is answered by 408."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = Patience(self.loop, self.timeout_keep_alive, self._lose_patience)
        self._patience.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:  # every piece is a sign of life
            self._patience.begin()
        elif state is not h11.IDLE:
            self._patience.due = None
        elif self._patience.due is None:  # a head has begun
            self._patience.begin()

    def _lose_patience(self) -> None:
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        replying = cycle is not None and not cycle.response_complete
        if cycle is not None and replying and cycle.response_started:
            self._patience.begin()
            return
        if replying or (self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]):
            why = f"the rest of the request did not come within {self.timeout_keep_alive:g} s"
            body = json.dumps({"error": why, "statusCode": 408}).encode()
            head = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            self.transport.write(head % len(body) + b"connection: close\r\n\r\n" + body)
        self.transport.close()
