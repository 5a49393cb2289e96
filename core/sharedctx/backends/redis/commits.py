"""Commits on their way to the server: each is done once, however often it has to be sent."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from ...errors import SharedContextError
from ...forking import renew_after_fork
from ..base import Commit, Committed, Op
from ..bounds import check_ops
from . import wire
from .calls import Calls
from .scripts import COMMIT

_Sent = dict[int, tuple[bytes, list[Any]]]
"""The base of the keys and the arguments of each commit of a group."""


class _Lanes:
    """Names under which requests are sent, each for one at a time, so that the server knows one that comes again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renew()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Use names of our own: the parent goes on with its."""
        self._lock = threading.Lock()
        self._renew()

    def _renew(self) -> None:
        self._own = os.urandom(6).hex()
        self._free: list[str] = []
        self._made = itertools.count()
        self._numbers = itertools.count(1)

    def take(self) -> tuple[str, int]:
        """Return a free lane and the number of a request."""
        with self._lock:
            lane = self._free.pop() if self._free else f"{self._own}-{next(self._made)}"
            return lane, next(self._numbers)

    def give(self, lane: str) -> None:
        """Give a lane back, once its request was answered."""
        with self._lock:
            self._free.append(lane)


class Commits:
    """Sends commits of checked operations."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lanes = _Lanes()

    def one(self, space: str, ops: Sequence[Op], if_rev: int | None) -> Committed:
        """Send one; raises ``ConditionFailed`` and what a server can fail with."""
        (result,) = self._results([(space, ops, if_rev)])
        if isinstance(result, Exception):
            raise result
        return result

    def many(self, commits: Sequence[Commit]) -> list[Committed | Exception]:
        """Check and send a group in order; an error stands in the place of one that failed."""
        results: list[Committed | Exception] = []
        sound: list[Commit] = []
        for commit in commits:
            try:
                check_ops(commit[0], commit[1])
            except SharedContextError as error:
                results.append(error)
            else:
                sound.append(commit)
                results.append((0, []))
        answered = iter(self._results(sound))
        return [result if isinstance(result, Exception) else next(answered) for result in results]

    def _results(self, commits: Sequence[Commit]) -> list[Committed | Exception]:
        sent: _Sent = {}
        for at, (space, ops, if_rev) in enumerate(commits):
            lane, number = self._lanes.take()
            head = [lane, number, 0, "" if if_rev is None else if_rev, 0]
            sent[at] = (wire.base_of(self._calls.address.prefix, space), [*head, *wire.arguments(ops)])
        replies: dict[int, Any] = {}
        try:
            while waiting := [at for at in sent if at not in replies]:
                self._calls.attempts(partial(self._send, waiting, sent, replies))
                if missing := [at for at, reply in replies.items() if reply == b"R"]:
                    self._calls.ask(
                        "zadd", wire.registry(self._calls.address.prefix), {commits[at][0]: 0 for at in missing}
                    )
                    for at in missing:
                        sent[at][1][4] = 1
                        del replies[at]
        except SharedContextError as error:
            replies |= {at: error for at in sent if at not in replies}
        results = []
        for at, (_, args) in sent.items():
            if not isinstance(replies[at], Exception):  # else it may still be on its way, and its lane stays taken
                self._lanes.give(args[0])
            results.append(self._settled(commits[at], replies[at]))
        return results

    def _send(self, waiting: list[int], sent: _Sent, replies: dict[int, Any], again: bool) -> None:
        """Send the commits that wait, in order, and note the replies; raises when not all were answered."""
        from redis.exceptions import NoScriptError, RedisError

        left = [at for at in waiting if at not in replies]
        for at in left:
            sent[at][1][2] = int(again)
        if len(left) == 1 or self._calls.address.clustered:
            for at in left:
                base, args = sent[at]
                replies[at] = self._calls.script(self._calls.client, COMMIT, base, *args)
            return
        pipe = self._calls.client.pipeline(transaction=False)
        for at in left:
            base, args = sent[at]
            pipe.evalsha(self._calls.hash(COMMIT), 1, base, *args)
        found = pipe.execute(raise_on_error=False)
        if any(isinstance(reply, NoScriptError) for reply in found):
            self._calls.client.script_load(COMMIT)
        for at, reply in zip(left, found, strict=True):
            if isinstance(reply, NoScriptError):
                continue
            replies[at] = self._calls.translate(reply) if isinstance(reply, RedisError) else reply

    def _settled(self, commit: Commit, reply: Any) -> Committed | Exception:
        if isinstance(reply, Exception):
            return reply
        space, ops, if_rev = commit
        try:
            return wire.committed(space, ops, if_rev, reply)
        except SharedContextError as error:
            return error
