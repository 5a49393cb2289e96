"""Driving steps from threads that come and go: commits keep their order.

Where a commit takes long, those of several threads leave together, by a thread that stays; frameworks start new threads
at every call, each of which would open a connection. A thread that goes on committing writes by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..backends.base import Backend, Committed
from ..backends.capabilities import Prompt
from ..backends.steps import Call, Steps
from ..forking import renew_after_fork
from .grouping import GroupDriver

T = TypeVar("T")

_STAYS = 8


class Relay:
    """Runs steps of one store, one at a time up to their commits, which are applied in that order."""

    def __init__(self, backend: Backend, driver: Callable[[], GroupDriver]) -> None:
        self._backend = backend
        self._prompt = isinstance(backend, Prompt) and backend.prompt
        self._driver = driver
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Start over: nothing waits, no thread has committed."""
        self._order = threading.RLock()
        self._own = threading.local()
        self._last: Future[Committed] | None = None

    def run(self, steps: Steps[T]) -> T:
        """Drive ``steps`` to the end and return its result; waits for queued commits outside the order."""
        answer: Any = None
        error: Exception | None = None
        while True:
            with self._order:
                try:
                    waiting = self._advance(steps, answer, error)
                except StopIteration as stop:
                    value: T = stop.value
                    return value
            answer = error = None
            try:
                answer = waiting.result()
            except Exception as failed:
                error = failed

    def _advance(self, steps: Steps[T], answer: Any, error: Exception | None) -> Future[Committed]:
        """Drive to the next commit that is queued."""
        while True:
            call = steps.send(answer) if error is None else steps.throw(error)
            answer = error = None
            try:
                if call.method == "commit" and (waiting := self._queued(call)) is not None:
                    return waiting
                answer = getattr(self._backend, call.method)(*call.args, **call.options)
            except Exception as failed:
                error = failed

    def _queued(self, call: Call) -> Future[Committed] | None:
        """Queue a commit, unless it may be written here and now."""
        if self._prompt:
            return None
        space, ops, if_rev = call.args
        self._own.commits = commits = getattr(self._own, "commits", 0) + 1
        if self._last is not None and self._last.done():
            self._last = None
        if if_rev is not None or (commits > _STAYS and self._last is None):
            return None
        self._last = self._driver().submit(space, ops)
        return self._last
