"""Processes that begin with what they import: a new interpreter would import a framework for seconds.

A first process runs a prelude and forks one process for each start, with no store open in it and no thread of ours.
``python -P forked.py DESCRIPTOR PRELUDE`` is that first process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

COUNTING = (
    "import sharedctx.backends.disk, sharedctx.views.registry; from sharedctx.tokens import counter; counter().name"
)
"""The prelude of what puts and views entries: loading a tokenizer takes longer than all else."""
NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class Forked:
    """A process that runs a program; ``stdout`` is what it prints."""

    def __init__(self, told: int, printed: int, errors: int) -> None:
        self._told = open(told, "rb", buffering=0)  # noqa: SIM115 - closed at its end, as the others
        self._errors = errors
        self.stdout = open(printed, "rb")  # noqa: SIM115
        self.pid = int(self._told.readline())

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not select.select([self._told], [], [], 0)[0]

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> tuple[int, bytes, bytes]:
        """Wait for its end; returns its exit code (of a signal: its number, negative), and what it printed since the
        last read, on each stream."""
        with self.stdout, self._told, open(self._errors, "rb") as errors:
            printed = self.stdout.read()
            code = int(self._told.readline())
            errors.seek(0)
            return code, printed, errors.read()

    def finish(self) -> str:
        """Wait for its end, which must be a good one; returns what it printed since the last read."""
        code, printed, errors = self.end()
        assert code == 0, errors.decode()
        return printed.decode()


class ForkServer:
    """The process that has run ``prelude``, a text that imports what the others need."""

    def __init__(self, prelude: str) -> None:
        self._asked, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno()), prelude]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def start(self, program: Path | str, *words: object, given: bytes = b"", into: Path | None = None) -> Forked:
        """Run a file, or a text, as Python runs it with these words, in this folder and this environment; ``given`` is
        its standard input, ``into`` a file for its output."""
        command = {
            "text": program if isinstance(program, str) else None,
            "words": ["-c" if isinstance(program, str) else str(program), *map(str, words)],
            "folder": os.getcwd(),
            "environment": dict(os.environ),
        }
        told, tells = os.pipe()
        printed, prints = os.pipe() if into is None else (os.open(os.devnull, os.O_RDONLY), os.open(into, NEW))
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as errors,
            open(prints, "wb"),
            open(tells, "wb"),
        ):
            stdin.write(given)
            stdin.seek(0)
            descriptors = [stdin.fileno(), prints, errors.fileno(), tells]
            socket.send_fds(self._asked, [json.dumps(command).encode() + b"\n"], descriptors)
            return Forked(told, printed, os.dup(errors.fileno()))

    def stop(self) -> None:
        """End it; what it forked goes on."""
        self._asked.close()
        self._process.wait(60)


def serve(asked: socket.socket) -> dict[str, object]:
    """Fork a process for each command that comes; returns the command in that process."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(asked, 1 << 20, 4)
        if not text:
            sys.exit()
        while not text.endswith(b"\n"):
            text += asked.recv(1 << 20)
        if os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            continue
        asked.close()
        child = os.fork()
        if child:  # this one waits for the process, and tells its number and its end
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            os.write(descriptors[3], b"%d\n" % child)
            os.write(descriptors[3], b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            os._exit(0)
        for number, descriptor in enumerate(descriptors):
            if number < 3:
                os.dup2(descriptor, number)
            os.close(descriptor)
        command: dict[str, object] = json.loads(text)
        return command


def run(text: str | None, words: list[str], folder: str, environment: dict[str, str]) -> None:
    """What Python does when it starts."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = words
    if text is None:
        sys.path.insert(0, str(Path(words[0]).parent))
        runpy.run_path(words[0], run_name="__main__")
    else:
        sys.path.insert(0, "")
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(text, vars(main))  # noqa: S102 - a test's own text


if __name__ == "__main__":
    exec(sys.argv[2], {})  # noqa: S102 - likewise
    gc.collect()
    gc.freeze()
    run(**serve(socket.socket(fileno=int(sys.argv[1]))))  # type: ignore[arg-type]
