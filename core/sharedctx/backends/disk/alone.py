"""One opening of a directory at a time, so that nobody meets a store that is half made."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from ...errors import BackendUnavailable

T = TypeVar("T")

_PATIENCE = 10.0
_PAUSE = 2e-3


@contextlib.contextmanager
def alone(path: str) -> Iterator[None]:
    """Hold the directory's lock, which the system gives back when the process ends; file systems without locks are
    opened without one."""
    if sys.platform == "win32":
        import msvcrt

        with open(os.path.join(path, "opening.lock"), "ab") as held:
            held.seek(0)
            msvcrt.locking(held.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                held.seek(0)
                msvcrt.locking(held.fileno(), msvcrt.LK_UNLCK, 1)
        return

    directory = os.open(path, os.O_RDONLY)
    ends = time.monotonic() + _PATIENCE
    try:
        with contextlib.suppress(OSError):
            while not _locked(directory):
                if time.monotonic() > ends:
                    raise BackendUnavailable(
                        f"another process has been opening the store {path} for {_PATIENCE:g} s: look for a stopped "
                        "one, then repeat"
                    )
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(directory)


def _locked(directory: int) -> bool:
    """Take the lock unless another process has it."""
    import fcntl

    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def patiently(read: Callable[[], T]) -> T:
    """Read again while others have the file for themselves, as closing ones do; ten seconds at most."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return read()
        except sqlite3.OperationalError as error:
            name = getattr(error, "sqlite_errorname", "")
            if not name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or time.monotonic() > ends:
                raise
            time.sleep(_PAUSE)
