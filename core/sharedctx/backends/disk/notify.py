"""Waiting for another process's commit without burning a core.

On Linux inotify reports writes to the write-ahead log (inotify(7), through the C library: the standard library has
no binding); elsewhere, or when the system has no watches left, a 5 ms poll of SQLite's ``data_version``.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import time
from types import TracebackType

_IN_MODIFY = 0x2
_IN_CREATE = 0x100
_IN_NONBLOCK = 0o4000
_IN_CLOEXEC = 0o2000000
_POLL_SECONDS = 0.005


class Alarm:
    """Wakes when something in a directory was written; a context manager."""

    def __init__(self, directory: str) -> None:
        self._fd = -1
        if sys.platform.startswith("linux"):
            libc = ctypes.CDLL(None, use_errno=True)
            fd = libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
            if fd >= 0 and libc.inotify_add_watch(fd, os.fsencode(directory), _IN_MODIFY | _IN_CREATE) < 0:
                os.close(fd)
                fd = -1
            self._fd = fd
        if self._fd >= 0:
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when something was written, or after ``seconds`` (at most 5 ms when polling)."""
        if self._fd < 0:
            time.sleep(min(seconds, _POLL_SECONDS))
            return
        if self._poll.poll(max(seconds, 0) * 1000):
            try:
                while os.read(self._fd, 65536):
                    pass
            except BlockingIOError:
                pass

    def __enter__(self) -> Alarm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
