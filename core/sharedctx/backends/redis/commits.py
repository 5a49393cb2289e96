"""Commits on their way to the server: each is done once, however often it has to be sent."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ...errors import BackendUnavailable, SharedContextError
from ...forking import renew_after_fork
from ..base import Commit, Committed, Op
from ..bounds import check_ops
from . import wire
from .calls import Calls
from .scripts import commit_in

_KNOWN: Final = 10_000
"""Spaces of which a process remembers that they are registered."""


@dataclass(slots=True)
class _Head:
    """What a commit says of itself: its lane and number, its ``if_rev``, whether its space was registered just now."""

    lane: str
    number: int
    if_rev: int | None
    register: bool = False

    def __str__(self) -> str:
        if_rev = "" if self.if_rev is None else self.if_rev
        return f"{self.lane} {self.number} {if_rev} {self.register:d}"


_Sent = dict[int, tuple[bytes, _Head, list[bytes | str]]]
"""The base of the keys, the head and the operations of each commit of a group."""


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

    def __init__(self, calls: Calls, store: str) -> None:
        self._calls = calls
        self._store = store
        self._lanes = _Lanes()
        self._registered: set[str] = set()

    def _script(self, run: str) -> str:
        return commit_in(f"{self._store:.8}{run}")

    def one(self, space: str, ops: Sequence[Op], if_rev: int | None) -> Committed:
        """Send one; raises ``ConditionFailed`` and what a server can fail with."""
        lane, number = self._lanes.take()
        head = _Head(lane, number, if_rev)
        base, args = wire.base_of(self._calls.address.prefix, space), wire.arguments(ops)

        def send() -> bytes:
            reply: bytes = self._calls.script(self._script, base, str(head), *args)
            return reply

        reply = self._calls.attempts(send)
        if reply == b"R":
            self._register({space})
            head.register = True
            reply = self._calls.attempts(send)
        self._lanes.give(lane)  # not where it failed: the request may still be on its way
        return wire.committed(space, ops, if_rev, reply)

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
        new = {space for space, _, _ in commits} - self._registered
        sent: _Sent = {}
        for at, (space, ops, if_rev) in enumerate(commits):
            lane, number = self._lanes.take()
            head = _Head(lane, number, if_rev, space in new)
            sent[at] = (wire.base_of(self._calls.address.prefix, space), head, wire.arguments(ops))
        replies: dict[int, Any] = {}
        try:
            # Ahead of all: what is sent back to be registered would come after those behind it, if others register it.
            self._register(new)
            while waiting := [at for at in sent if at not in replies]:
                self._calls.attempts(partial(self._send, waiting, sent, replies))
                if missing := [at for at, reply in replies.items() if reply == b"R"]:  # the server was emptied
                    for at in missing:
                        sent[at][1].register = True
                        del replies[at]
                    self._register({commits[at][0] for at in missing})
        except SharedContextError as error:
            replies |= {at: error for at in sent if at not in replies}
        results = []
        for at, (_, head, _) in sent.items():
            if not isinstance(replies[at], Exception):
                self._lanes.give(head.lane)
            results.append(self._settled(commits[at], replies[at]))
        return results

    def _register(self, spaces: set[str]) -> None:
        """Name spaces that are new, or that are no more: then the store may not be the one that was opened."""
        if not spaces:
            return
        where = self._calls.address
        named = [word for space in spaces for word in (0, space)]
        own, _ = self._calls.ask_together(
            ("HGET", wire.own(where.prefix), "id"), ("ZADD", wire.registry(where.prefix), *named)
        )
        if own != self._store.encode():
            raise BackendUnavailable(
                f"{where} is not the store that was opened: the server was emptied{' and used anew' if own else ''} "
                "since; open it again"
            )
        if len(self._registered) > _KNOWN:
            self._registered.clear()
        self._registered |= spaces

    def _send(self, waiting: list[int], sent: _Sent, replies: dict[int, Any]) -> None:
        """Send the commits that wait, in order, and note the replies; raises when not all were answered."""
        from redis.exceptions import NoScriptError, RedisError

        left = [at for at in waiting if at not in replies]
        if self._calls.address.clustered or len(left) == 1:
            for at in left:
                base, head, args = sent[at]
                replies[at] = self._calls.outcome(self._script, base, str(head), *args)
            return

        def commands(run: str) -> list[tuple[Any, ...]]:
            # The first of several brings the script along: were it missing, and loaded by others before all were tried,
            # the later ones would run ahead.
            ways = ["EVAL", *["EVALSHA"] * (len(left) - 1)]
            named = [self._calls.named(way, self._script, run) for way in ways]
            return [(*how, 1, sent[at][0], str(sent[at][1]), *sent[at][2]) for how, at in zip(named, left, strict=True)]

        found = self._calls.replies(commands)
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
