"""A store on disk and servers that faults are done to, and a proxy that cuts their replies."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sharedctx


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with twenty entries."""
    with sharedctx.open(tmp_path / "store") as store:
        ctx = store.session("s")
        for n in range(20):
            ctx.put(f"k{n:02}", f"value {n} " * 300)
    return tmp_path / "store"


class Server:
    """A server of the test's own that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        redis = pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")
        from sharedctx.backends.redis.local import LocalServer, free_port, programs

        self._client = redis.Redis
        if not programs():
            pytest.skip("no Redis server is installed: pip install 'sharedctx[redis]', or apt-get install redis-server")
        self.local = LocalServer(folder)
        self.port = free_port()
        self.options: tuple[str, ...] = ("--appendfsync", "always")

    def start(self, *options: str) -> str:
        self.options = options or self.options
        return self.local.start(self.port, options=self.options)

    def signal(self, number: int) -> None:
        pid = self.local.pid or int((self.local.folder / "server.pid").read_text())
        os.kill(pid, number)

    def kill(self) -> None:
        pid = self.local.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                pass

    def ask(self, *words: object) -> object:
        with self._client(port=self.port) as client:
            return client.execute_command(*words)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    with contextlib.suppress(OSError, ValueError):
        made.signal(signal.SIGCONT)
    made.local.stop()


class Proxy:
    """Passes bytes on; cuts a connection instead of passing a reply on as often as it is told; keeps requests back."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self._lock = threading.Lock()
        self._opened = self._held = self._passing = 0
        self._released = threading.Event()
        self._released.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def hold(self, passing: int = 0) -> None:
        """Keep back what comes on connections that are open now, after some bytes; later connections are free."""
        with self._lock:
            self._held, self._passing = self._opened, passing
            self._released.clear()

    def release(self) -> None:
        """Pass on what was kept back, in its order, though its sender may be gone."""
        self._released.set()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._opened += 1
            number = self._opened
        with client, socket.create_connection(("127.0.0.1", self._target)) as server, contextlib.suppress(OSError):
            threading.Thread(target=self._pass_on, args=(client, server, number), daemon=True).start()
            while data := server.recv(65536):
                with self._lock:
                    cut = self.cuts > 0
                    self.cuts -= cut
                if cut:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)

    def _pass_on(self, source: socket.socket, target: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if number <= self._held and not self._released.is_set():
                    target.sendall(data[: self._passing])
                    data, self._passing = data[self._passing :], max(self._passing - len(data), 0)
                    if data:
                        self._released.wait(60)
                target.sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    """Put a proxy before a port of the loopback."""
    made: list[Proxy] = []

    def make(port: int) -> Proxy:
        made.append(Proxy(port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def proxied(redis_url: str, make_proxy: Callable[[int], Proxy]) -> tuple[Proxy, str]:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    proxy = make_proxy(port)
    return proxy, redis_url.replace(str(port), str(proxy.port))
