"""Servers of this machine: finding the one that runs, starting one in the background, stopping it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sharedctx
from sharedctx import Store
from sharedctx.errors import BackendUnavailable, ConfigError

from .settings import ServerSettings

STORE_HEADER = "x-sharedctx-store"
_START = 20.0
_STOP = 30.0
_NAP = 0.05
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that stand for all of the machine's, and where their servers are reached."""
_STARTED: list[subprocess.Popen[bytes]] = []
"""Servers that this process has started: one that is forgotten while it runs would be warned of."""


@dataclass(frozen=True)
class Found:
    """A server that answers: its URL, its process where it runs on this machine, and a mark of its store."""

    url: str
    pid: int | None
    store: str


def mark(store: Store) -> str:
    """What tells stores apart without telling their ids."""
    return hashlib.sha256(f"store:{store.backend.id}".encode()).hexdigest()[:16]


def _reachable(host: str) -> str:
    return _EVERYWHERE.get(host, host)


def find(host: str, port: int) -> Found | None:
    """Return the server that listens there, None where nothing does; raises ``ConfigError`` for another program."""
    name = _reachable(host)
    try:
        connection = http.client.HTTPConnection(name, port, timeout=5)
        connection.connect()
    except (socket.gaierror, http.client.InvalidURL, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "a name has no such characters"
        raise ConfigError(f"{host!r:.200} is no address to listen on ({why}): choose one by --host") from None
    except OSError:
        return None
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        store = answer.getheader(STORE_HEADER)
    except (OSError, http.client.HTTPException):
        store = None
    finally:
        connection.close()
    if store is None:
        raise ConfigError(f"another program listens on port {port} of {host}: choose one by --port")
    shown = f"[{name}]" if ":" in name else name
    return Found(f"http://{shown}:{port}", _pid(host, port), store)


def require_free(store: Store, settings: ServerSettings) -> Found | None:
    """Return the server that runs there for the same store already; raises ``BackendUnavailable`` for another's."""
    found = find(settings.host, settings.port)
    if found is not None and found.store != mark(store):
        raise serves_another(found)
    return found


def serves_another(found: Found) -> BackendUnavailable:
    """The error of a port on which a server of another store runs."""
    return BackendUnavailable(f"{found.url} serves another store: choose another --port, or stop it")


def start(address: str, settings: ServerSettings) -> tuple[Found, bool]:
    """Return the server of the store at ``address``, and whether it was started now; it outlives this process.

    Raises ``ConfigError`` (the port is taken), ``BackendUnavailable`` where it does not come up, with what it said.
    """
    with sharedctx.open(address) as store:
        found = require_free(store, settings)
    if found is not None:
        return found, False
    said = _word(settings.host, settings.port).with_suffix(".log")
    given = _as_json(settings)
    environment = {**os.environ, **({"SHAREDCTX_TOKEN": settings.token} if settings.token else {})}
    command = [sys.executable, "-m", "sharedctx_server", "--store", address, "--settings", given]
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
        )
    _STARTED.append(process)
    end = time.monotonic() + _START
    while time.monotonic() < end:
        with suppress(ConfigError):
            found = find(settings.host, settings.port)
            if found is not None:
                return replace(found, pid=_pid(settings.host, settings.port) or process.pid), True
        if process.poll() is not None:
            break
        time.sleep(_NAP)
    words = said.read_text("utf-8", "replace").strip()[-400:]
    raise BackendUnavailable(f"the server did not come up: {words or f'it said nothing, see {said}'}")


def stop(host: str, port: int) -> bool:
    """Stop the server on a port of this machine and wait for its end; False where none runs.

    Raises ``ConfigError`` for one that this user did not start here, ``BackendUnavailable`` where it does not end.
    """
    found = find(host, port)
    if found is None:
        return False
    if found.pid is None:
        raise ConfigError(f"{found.url} was not started here by you: stop it where it runs")
    os.kill(found.pid, signal.SIGTERM)
    end = time.monotonic() + _STOP
    while time.monotonic() < end:
        if _pid(host, port) != found.pid:
            return True
        time.sleep(_NAP)
    raise BackendUnavailable(f"the server, process {found.pid}, does not end")


class Registered:
    """Leaves word of this process while it serves a port, for ``find`` and ``stop``; a context manager."""

    def __init__(self, settings: ServerSettings, address: str) -> None:
        self._file = _word(settings.host, settings.port)
        self._facts = {"pid": os.getpid(), "port": settings.port, "host": settings.host, "store": address}

    def __enter__(self) -> Registered:
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(self._facts))
        fresh.replace(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):
            if json.loads(self._file.read_text())["pid"] == os.getpid():
                self._file.unlink()


def _folder() -> Path:
    """A folder of this user's alone for what runs."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(base) / "sharedctx" if base else Path(tempfile.gettempdir()) / f"sharedctx-{owner}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and (folder.is_symlink() or folder.stat().st_uid != os.getuid()):
        raise ConfigError(f"{folder} is not yours: set XDG_RUNTIME_DIR to a folder of your own")
    return folder


def _word(host: str, port: int) -> Path:
    """Where a server leaves word of itself: several may have the same port, each at an address of its own."""
    named = {"localhost": "127.0.0.1"}.get(host, host).replace(":", ".")
    return _folder() / f"serve-{named}-{port}.json"


def _pid(host: str, port: int) -> int | None:
    """The process that left word of serving this port there, or at all addresses, and is alive."""
    for name in (host, *_EVERYWHERE):
        with suppress(OSError, ValueError, KeyError):
            pid = int(json.loads(_word(name, port).read_text())["pid"])
            os.kill(pid, 0)
            return pid
    return None


def _as_json(settings: ServerSettings) -> str:
    from dataclasses import asdict

    return json.dumps({name: value for name, value in asdict(settings).items() if name != "token"})


def from_json(text: str, token: str | None) -> ServerSettings:
    """Read what ``start`` hands to the process that it starts."""
    from sharedctx.projects import ProjectSettings

    given: dict[str, Any] = json.loads(text)
    given["projects"] = ProjectSettings(**given["projects"])
    for name in ("allow_hosts", "allow_origins"):
        given[name] = tuple(given[name])
    return ServerSettings(**given, token=token)
