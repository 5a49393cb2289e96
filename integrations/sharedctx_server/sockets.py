"""WebSockets that take frames made once for all of them."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

FRAMES = "sharedctx.frames"
"""The extension of a WebSocket's scope that takes whole frames, while it can be written to."""


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose scope also has what writes a frame past the events of ASGI.

    A server's frames are not masked, and nothing is compressed: a message is the same bytes for whoever it goes to.
    """

    _full = False

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:  # the application's turn comes after this
            self.scope["extensions"][FRAMES] = {"write": self.write_frame}

    def pause_writing(self) -> None:
        super().pause_writing()
        self._full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self._full = False

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame now, unless what was written before still waits, or nothing may be written any more."""
        if self._full or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def text_frame(message: bytes) -> bytes:
    """The frame of a text message (RFC 6455, 5.2)."""
    size = len(message)
    if size < 126:
        return b"\x81%c%b" % (size, message)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), message)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), message)
