"""Runs the command line on one store, in pipes and in a pseudo-terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

MAIN = "from sharedctx_cli import main; main()"
PATIENCE = 60.0


class Shell:
    """Runs ``sharedctx`` on one store, in processes of a server that has run ``COUNTING``."""

    def __init__(self, path: Path, server: Any) -> None:
        self.path = path
        self.server = server

    def __call__(self, *words: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        return self.bare("--path", str(self.path), *words, stdin=stdin)

    def bare(self, *words: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run it on no store but the one that is named."""
        found: tuple[int, bytes, bytes] = self.server.start(MAIN, *words, given=stdin).end()
        return found

    def json(self, *words: str) -> Any:
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)


class Terminal:
    """A command that runs in a pseudo-terminal; ``shown`` is all that it has written there so far."""

    def __init__(self, path: str, *words: str, rich: bool = True, env: dict[str, str] | None = None) -> None:
        self._ours, theirs = pty.openpty()
        code = f"import sys; {'' if rich else 'sys.modules[`rich`] = None; '}{MAIN}".replace("`", "'")
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30", **(env or {})}
        self._child = subprocess.Popen(
            [sys.executable, "-c", code, "--path", path, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read on until ``text`` is shown."""
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            assert self._read(1.0), self.shown

    def type(self, text: str) -> None:
        """Press keys; ``\\x03`` is Ctrl-C."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        end = time.monotonic() + PATIENCE
        while self._read(1.0):
            assert time.monotonic() < end, self.shown
        code = self._child.wait(PATIENCE)
        os.close(self._ours)
        return code

    def _read(self, seconds: float) -> bool:
        """Read what is there; False at the end."""
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return True
        piece = b""
        with contextlib.suppress(OSError):  # the other side is closed
            piece = os.read(self._ours, 65536)
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


def _own_terminal() -> None:
    """Make standard input the terminal that governs the child, so that Ctrl-C reaches it, also where the tests run in
    the background of a shell that lets them ignore it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
