"""A thread that removes expired items now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Lock, Thread, current_thread

_log = logging.getLogger("sharedctx.langgraph")


class _Run:
    """One thread from its start to its end, with the futures that are done then."""

    def __init__(self) -> None:
        self.stop = Event()
        self.futures: list[Future[None]] = []
        self.thread: Thread | None = None

    def future(self) -> Future[None]:
        """Return a future of the end; cancelling it is a way to stop."""
        made: Future[None] = Future()
        made.add_done_callback(lambda done: self.stop.set() if done.cancelled() else None)
        self.futures.append(made)
        return made


class Sweeper:
    """Calls ``sweep`` every so many seconds until it is stopped or finds the store ``closed``; a failed sweep is logged
    and tried again later."""

    def __init__(self, sweep: Callable[[], int], closed: Callable[[], bool]) -> None:
        self._sweep = sweep
        self._closed = closed
        self._run: _Run | None = None
        self._lock = Lock()

    def start(self, seconds: float) -> Future[None]:
        """Start, unless it runs already; what is returned is done at the end, and cancelling it stops the sweeper."""
        with self._lock:
            run = self._run
            if run is None or run.stop.is_set():  # one that is at its end does not go on
                run = self._run = _Run()
                run.thread = Thread(target=self._go_on, args=(run, seconds), name="sharedctx-sweep", daemon=True)
                run.thread.start()
            return run.future()

    def _go_on(self, run: _Run, seconds: float) -> None:
        while not run.stop.wait(seconds) and not self._closed():
            try:
                if swept := self._sweep():
                    _log.info("%d expired items were removed", swept)
            except Exception as error:
                if self._closed():  # while it swept
                    break
                _log.warning("expired items are not removed: %s", error)
        with self._lock:
            run.stop.set()
            futures, run.futures = run.futures, []
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def stop(self, timeout: float | None = None) -> bool:
        """Stop and wait up to ``timeout`` seconds; False when it still runs."""
        run = self._run
        thread = None if run is None else run.thread
        if run is None or thread is None or not thread.is_alive():
            return True
        run.stop.set()
        if thread is not current_thread():
            thread.join(timeout)
        return not thread.is_alive()
