"""Waiting for another process's commit without burning a core.

On Linux inotify reports writes to the write-ahead log (inotify(7), through the C library: the standard library has
no binding); elsewhere, or when the system has no watches left, a 5 ms poll of SQLite's ``data_version``.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import threading
import time

_IN_MODIFY = 0x2
_IN_CREATE = 0x100
_IN_NONBLOCK = 0o4000
_IN_CLOEXEC = 0o2000000
_POLL_SECONDS = 0.005
_REST_SECONDS = 0.0005


class Alarm:
    """Wakes when something in a directory was written."""

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
        """Return when something was written, or after ``seconds`` (at most 5 ms when polling).

        A commit is several writes, the last of which counts: half a millisecond later it is one alarm and not three.
        """
        if self._fd < 0:
            time.sleep(min(seconds, _POLL_SECONDS))
            return
        if self._poll.poll(max(seconds, 0) * 1000):
            time.sleep(_REST_SECONDS)
            try:
                while os.read(self._fd, 65536):
                    pass
            except BlockingIOError:
                pass

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class Alarms:
    """The alarms of one directory: a thread that was woken keeps its own until it waits in vain, or ends. To close one
    takes longer than most waits; one that nobody waits for costs each write a little."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.forget()

    def own(self) -> Alarm:
        """This thread's alarm, which may have rung before."""
        alarm: Alarm | None = getattr(self._threads, "alarm", None)
        if alarm is None:
            alarm = self._threads.alarm = Alarm(self._directory)
        return alarm

    def drop(self) -> None:
        """Close this thread's alarm."""
        self._threads.__dict__.clear()

    def forget(self) -> None:
        """Close all alarms that nobody waits for just now, or after a fork the child's copies of them."""
        self._threads = threading.local()
