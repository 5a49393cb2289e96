"""A thread that removes expired items now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Lock, Thread, current_thread

from sharedctx.errors import SharedContextError

_log = logging.getLogger("sharedctx.langgraph")


class Sweeper:
    """Calls ``sweep`` every so many seconds until it is stopped; a failed sweep is logged and tried again later."""

    def __init__(self, sweep: Callable[[], int]) -> None:
        self._sweep = sweep
        self._stop = Event()
        self._thread: Thread | None = None
        self._futures: list[Future[None]] = []
        self._lock = Lock()

    def start(self, seconds: float) -> Future[None]:
        """Start, unless it runs already; what is returned is done at the end, and cancelling it stops the sweeper."""
        with self._lock:
            future: Future[None] = Future()
            future.add_done_callback(lambda done: self._stop.set() if done.cancelled() else None)
            self._futures.append(future)
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                name = "sharedctx-sweep"
                self._thread = Thread(target=self._run, args=(seconds,), name=name, daemon=True)
                self._thread.start()
            return future

    def _run(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                if swept := self._sweep():
                    _log.info("%d expired items were removed", swept)
            except SharedContextError as error:
                _log.warning("expired items are not removed: %s", error)
        with self._lock:
            ended, self._futures = self._futures, []
            self._thread = None
        for future in ended:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def stop(self, timeout: float | None = None) -> bool:
        """Stop and wait up to ``timeout`` seconds; False when it still runs."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return True
        self._stop.set()
        if thread is not current_thread():
            thread.join(timeout)
        return not thread.is_alive()
