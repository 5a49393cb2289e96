"""Turns: the calls that a model made in one message, whose results share a budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sharedctx.forking import renew_after_fork
from sharedctx.wire import part, parts

_KEPT = 512


class Turn(NamedTuple):
    """One message that calls tools: the ids of its calls in order, its own id, and how many went before it.

    Ids of calls alone do not tell turns apart: some models count from zero in each message.
    """

    calls: tuple[str, ...]
    message: str | None = None
    at: int = 0


def turn_of(messages: Sequence[Any], call_id: str) -> Turn:
    """Return the turn that a call belongs to; one of its own where no message made it."""
    for at in range(len(messages) - 1, -1, -1):
        ids = tuple(str(part(call, "id")) for call in parts(messages[at], "tool_calls"))
        if call_id in ids:
            return Turn(ids, part(messages[at], "id"), at)
    return Turn((call_id,))


class Turns:
    """What the results of each turn may still cost. Thread-safe.

    Who comes first gets an even share of what is left, and leaves to the others what it does not need: together they
    never cost more than ``budget`` tokens, and none gets less than an even share of all.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._spent: OrderedDict[Turn, dict[str, int]] = OrderedDict()
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock."""
        self._lock = threading.Lock()

    def share(self, turn: Turn, call_id: str) -> int:
        """Return the tokens that the result of this call may cost."""
        with self._lock:
            others = {other: cost for other, cost in self._spent.get(turn, {}).items() if other != call_id}
        return max(self._budget - sum(others.values()), 0) // max(len(turn.calls) - len(others), 1)

    def spend(self, turn: Turn, call_id: str, tokens: int) -> None:
        """Tell what the result of this call costs; of a call that ran again the last one counts."""
        with self._lock:
            self._spent.setdefault(turn, {})[call_id] = tokens
            self._spent.move_to_end(turn)
            while len(self._spent) > _KEPT:
                self._spent.popitem(last=False)
