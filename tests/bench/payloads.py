"""What is written: JSON-like text of agents' findings, made from a seed, so that every run writes the same."""

from __future__ import annotations

import random
from typing import NamedTuple

SIZES = {"200 B": 200, "2 KB": 2_000, "20 KB": 20_000, "200 KB": 200_000}
"""Bytes of a value; the text is ASCII, so characters and bytes are the same."""

_WORDS = (
    "agent",
    "cache",
    "timeout",
    "retry",
    "session",
    "store",
    "version",
    "conflict",
    "writer",
    "reader",
    "index",
    "query",
    "token",
    "budget",
    "summary",
    "finding",
    "module",
    "import",
    "error",
    "warning",
    "release",
    "branch",
    "commit",
    "review",
    "latency",
    "throughput",
    "memory",
    "disk",
    "network",
    "request",
    "response",
)
_STATES = ("open", "closed", "blocked", "in review")


class Payload(NamedTuple):
    """One value as text, for the facade, and as bytes, for everything below it."""

    text: str
    data: bytes


def documents(size: int, count: int, seed: int = 1) -> list[Payload]:
    """Return ``count`` texts of ``size`` bytes that have nothing in common but their form."""
    made = random.Random(seed)
    return [_payload([_record(made, at) for at in range(size // 100 + 1)], size) for _ in range(count)]


def edits(size: int, count: int, seed: int = 2) -> list[Payload]:
    """Return ``count`` states of one text of ``size`` bytes: each differs from its neighbours in two records."""
    made = random.Random(seed)
    base = [_record(made, at) for at in range(size // 100 + 1)]
    found = []
    for _ in range(count):
        at = made.randrange(max(size // 160, 1))
        found.append(_payload([*base[:at], _record(made, at), *base[at + 1 :]], size))
    return found


def _record(made: random.Random, number: int) -> str:
    title = " ".join(made.choices(_WORDS, k=made.randint(5, 9)))
    return (
        f'{{"id": {number}, "state": "{made.choice(_STATES)}", "title": "{title}", '
        f'"score": {made.random():.4f}, "sha": "{made.getrandbits(64):016x}"}}'
    )


def _payload(records: list[str], size: int) -> Payload:
    text = ("[" + ",\n".join(records))[:size].ljust(size)
    return Payload(text, text.encode())


class Words:
    """Text of a vocabulary of 2,000 made-up words, the same in every run."""

    def __init__(self) -> None:
        self._chance = random.Random(2)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._words = ["".join(self._chance.choices(letters, k=self._chance.randint(2, 10))) for _ in range(2000)]

    def text(self, length: int) -> str:
        """``length`` characters."""
        return " ".join(self._chance.choices(self._words, k=length // 3))[:length]
