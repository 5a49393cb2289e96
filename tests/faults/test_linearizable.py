"""Eight clients on the same keys: every answer fits one order of all operations that respects their times."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.errors import VersionConflict

CLIENTS = 8
OPERATIONS = 40
KEYS = ("a", "b", "c")


class Done(NamedTuple):
    """One operation with the times around it: what was written (None: a read), what version was expected (None: any),
    and what came of it: the version written or read with its value, None for a conflict."""

    start: float
    end: float
    written: str | None
    expected: int | None
    result: tuple[int, str | None] | None


State = tuple[int, str | None]


def after(state: State, done: Done) -> State | None:
    """The state after an operation with just this result, or None where it cannot have it."""
    version, value = state
    if done.written is None:
        return state if done.result == (version, value) else None
    if done.expected is not None and (done.result is None) is (done.expected == version):
        return None
    if done.result is None:
        return state
    return (version + 1, done.written) if done.result[0] == version + 1 else None


def linearizable(history: Sequence[Done], start: State = (0, None)) -> bool:
    """Wing and Gong's search: take any operation that no other one ended before, try it, go on, or take another."""
    operations = sorted(history, key=lambda done: done.start)
    tried: set[tuple[int, State]] = set()
    stack: list[tuple[int, State]] = [(0, start)]
    everything = (1 << len(operations)) - 1
    while stack:
        taken, state = stack.pop()
        if taken == everything:
            return True
        if (taken, state) in tried:
            continue
        tried.add((taken, state))
        first_end = min(done.end for at, done in enumerate(operations) if not taken >> at & 1)
        for at, done in enumerate(operations):
            if done.start > first_end:
                break
            if not taken >> at & 1 and (following := after(state, done)) is not None:
                stack.append((taken | 1 << at, following))
    return False


def open_alone(address: str) -> Store:
    """An opening that shares nothing with others in this process but what a store in memory has to share."""
    if address == "memory://":
        return sharedctx.open("memory://clients")
    return sharedctx.open(address, clock=lambda: time.time())


def test_eight_clients_are_linearizable_on_every_key(address: str) -> None:
    histories: dict[str, list[Done]] = {key: [] for key in KEYS}
    barrier = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        chance = random.Random(number)
        with open_alone(address) as store:
            ctx = store.session("s")
            known = dict.fromkeys(KEYS, 0)
            barrier.wait(60)
            for turn in range(OPERATIONS):
                key = chance.choice(KEYS)
                verb = chance.choice(("get", "put", "swap", "swap"))
                value = f"{number}.{turn}"
                expected = known[key] if verb == "swap" else None
                start = time.monotonic()
                result: tuple[int, str | None] | None
                if verb == "get":
                    entry = ctx.get_entry(key)
                    end = time.monotonic()
                    text = ctx.get(key, full=True, version=entry.version) if entry else None
                    result = (entry.version, text) if entry else (0, None)
                    known[key] = result[0]
                    histories[key].append(Done(start, end, None, None, result))
                    continue
                try:
                    result = (ctx.put(key, value, expect=expected).version, value)
                    known[key] = result[0]
                except VersionConflict:
                    result = None
                histories[key].append(Done(start, time.monotonic(), value, expected, result))

    with ThreadPoolExecutor(CLIENTS) as threads:
        for done in [threads.submit(client, number) for number in range(CLIENTS)]:
            done.result()
    assert sum(map(len, histories.values())) == CLIENTS * OPERATIONS
    assert any(done.result is None for history in histories.values() for done in history), "nobody ever met"
    for key, history in histories.items():
        assert linearizable(history), key


GOOD = [Done(0, 3, "x", 0, (1, "x")), Done(1, 2, None, None, (0, None)), Done(4, 5, None, None, (1, "x"))]


@pytest.mark.parametrize(
    "wrong",
    [
        Done(4, 5, None, None, (0, None)),  # a read of what was overwritten before it began
        Done(4, 5, "y", 1, (3, "y")),  # a version left out
        Done(4, 5, "y", 1, None),  # a conflict with nobody
        Done(4, 5, "y", 0, (2, "y")),  # a lost update
        Done(4, 5, None, None, (1, "other")),  # a value that nobody wrote
    ],
)
def test_the_checker_finds_what_is_not_linearizable(wrong: Done) -> None:
    assert linearizable(GOOD)
    assert not linearizable([*GOOD, wrong])
