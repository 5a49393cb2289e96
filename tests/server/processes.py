"""Servers in processes of their own, which can be killed."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

SCRIPT = "import sys; from sharedctx_server import serve; serve(sys.argv[1], port=int(sys.argv[2]))"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class ServerProcess:
    """One server on a store and a port; ``start`` may be called again after ``kill``."""

    def __init__(self, store: Path | str, port: int | None = None) -> None:
        self.store = str(store)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> ServerProcess:
        """Start it and wait until it answers."""
        command = [sys.executable, "-c", SCRIPT, self.store, str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with httpx.Client(base_url=self.url) as asking:  # one, as each reads all certificates
            while True:
                assert self.process.poll() is None, "the server ended"
                try:
                    asking.get("/health")
                    return self
                except httpx.TransportError:
                    select.select([], [], [], 0.01)  # the processor is the server's, which imports

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process = None
        return code

    def __enter__(self) -> ServerProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()
