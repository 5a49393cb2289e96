"""A server on a free port of this machine, for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sharedctx import SharedContext, Store
from sharedctx.opening import Opening

from .application import app
from .running import Server
from .service import Service
from .settings import ServerSettings


@dataclass(frozen=True)
class Running:
    """A server that runs: its URL and port, its store, what its routes share, and what tells it to stop."""

    url: str
    port: int
    store: Store
    service: Service
    stop: Callable[[], None]


@contextmanager
def running(
    store: Store | SharedContext | str | None = None, settings: ServerSettings | None = None, **options: object
) -> Iterator[Running]:
    """Run a server of ``store`` (opened, or a path or URL; default: in memory) in a thread, on a free loopback port.

    ``options`` are single ``ServerSettings``. It has stopped, in good order, when the block ends.
    """
    opening = Opening(store) if isinstance(store, Store | SharedContext) else Opening(url=store or "memory://")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = replace(settings or ServerSettings(), host="127.0.0.1", port=port, **options)  # type: ignore[arg-type]
        application = app(opening.store, settings)
        server = Server(application, settings)
        up = threading.Event()
        startup = server.startup

        async def started(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            up.set()

        server.startup = started  # type: ignore[method-assign]

        def stop() -> None:
            server.should_exit = True

        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sharedctx-server")
        thread.start()
        try:
            while not up.wait(0.1):
                if not thread.is_alive():
                    raise RuntimeError("the server did not start: its log says why")
            yield Running(f"http://127.0.0.1:{port}", port, opening.store, application.state.service, stop)
        finally:
            stop()
            thread.join()
            opening.close()
