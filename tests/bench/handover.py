"""Hand-overs on disk, in one run: a packet of 100 entries, and what the savings and staleness add to a put and a get.

Run it with ``python tests/bench/handover.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from figures import in_turns

import sharedctx

ENTRIES = 100
ROUNDS = 20


def text(number: int, words: int) -> str:
    """An agent's finding."""
    return " ".join(f"finding{number} of part{n * 7 % 97} says {n}." for n in range(words))


def main(folder: str) -> None:
    """Measure and print."""
    with sharedctx.open(folder) as store:
        owner = store.session("bench")
        for number in range(ENTRIES):
            owner.put(f"finding/{number:03}", text(number, 5 + number % 60), agent=f"agent{number % 5}")
        coder, watcher = owner.bind("coder"), owner.bind("watcher")
        keys = [f"small/{number}" for number in range(ENTRIES)]
        for key in keys:
            owner.put(key, '{"state": "open", "title": "' + key * 15 + '"}')
            coder.get(key)
        packets: dict[str, Callable[[int], object]] = {
            f"packet of {ENTRIES} entries": lambda n: owner.packet(
                for_agent="coder", task=f"look at part{n % 97}", max_tokens=2000, prefix="finding/"
            ),
            "the same packet again": lambda n: owner.packet(
                for_agent="coder", task="look at part7", max_tokens=2000, prefix="finding/"
            ),
            "window": lambda n: owner.window(2000, prefix="finding/"),
        }
        for name, timings in in_turns(packets, rounds=5, batch=10).items():
            print(f"{name}: p50 {timings.p(50) / 1e3:.1f} ms, p95 {timings.p(95) / 1e3:.1f} ms")

        reads = owner.verbs.session.reads
        jobs: dict[str, Callable[[int], object]] = {
            "get": lambda n: owner.get(keys[n % ENTRIES]),
            "get, bound": lambda n: coder.get(keys[n % ENTRIES]),
            "put": lambda n: coder.put(keys[n % ENTRIES], f"state {n}"),
            "counting what was served": lambda n: owner.served("read", 10, 100),
            "remembering what was read": lambda n: reads.note("watcher", keys[n % ENTRIES], 1),
            "stale(), nothing changed": lambda n: watcher.stale(),
        }
        watcher.get(keys[0])
        found = in_turns(jobs, rounds=ROUNDS, batch=200)
        for name, timings in found.items():
            beside = ", ".join(
                f"{100 * timings.p(50) / found[base].p(50):.0f}% of a {base}" for base in ("get", "put") if name != base
            )
            print(f"{name}: p50 {timings.p(50):.2f} us, {beside}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(temporary + "/store")
