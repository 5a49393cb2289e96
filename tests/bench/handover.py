"""Hand-overs on disk, in one run: a packet of 100 entries, and what the savings and staleness add to a put and a get.

Run it with ``python tests/bench/handover.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from figures import Target, in_turns, target_table

import sharedctx
from sharedctx import SharedContext
from sharedctx.entries.reads import Reads

ENTRIES = 100
ROUNDS = 20


def text(number: int, words: int) -> str:
    """An agent's finding."""
    return " ".join(f"finding{number} of part{n * 7 % 97} says {n}." for n in range(words))


class Forgetful(Reads):
    """Remembers nothing: what is measured against."""

    def read(self, *read: object, **how: object) -> None:
        """Forget it."""

    def wrote(self, *written: object) -> None:
        """Forget it."""


def unremembered(context: SharedContext) -> SharedContext:
    """The context without staleness."""
    session = context.verbs.session
    session.reads = Forgetful()
    session.head = lambda participant, key: session.log.head(key)  # type: ignore[method-assign]
    return context


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
        targets = []
        for name, timings in in_turns(packets, rounds=5, batch=10).items():
            if name.startswith("packet"):
                targets.append(Target(name, timings.p(50) / 1e3, 20, " ms"))
            print(f"{name}: p50 {timings.p(50) / 1e3:.1f} ms, p95 {timings.p(95) / 1e3:.1f} ms")

        plain = unremembered(store.session("bench")).bind("plain")
        writer = store.session("written").bind("writer")
        plain_writer = unremembered(store.session("unremembered")).bind("writer")

        def get_and_hear(n: int) -> None:
            watcher.get(keys[n % ENTRIES])
            watcher.stale(ask=False)

        def put_and_hear(n: int) -> None:
            writer.put(keys[n % ENTRIES], f"state {n}")
            writer.stale(ask=False)

        for key in keys:
            watcher.get(key)
            writer.put(key, "state")
            plain_writer.put(key, "state")
        watcher.stale()
        for base, jobs in (
            (
                "get",
                {
                    "get": lambda n: plain.get(keys[n % ENTRIES]),
                    "get, remembered": lambda n: watcher.get(keys[n % ENTRIES]),
                    "get, remembered, and what changed": get_and_hear,
                    "get by the owner, who is told of nothing": lambda n: owner.get(keys[n % ENTRIES]),
                    "asking for what changed": lambda n: watcher.stale(),
                    "counting what was served": lambda n: owner.served("read", 10, 100),
                },
            ),
            (
                "put",
                {
                    "put": lambda n: plain_writer.put(keys[n % ENTRIES], f"state {n}"),
                    "put, remembered": lambda n: writer.put(keys[n % ENTRIES], f"state {n}"),
                    "put, remembered, and what changed": put_and_hear,
                },
            ),
        ):
            found = in_turns(jobs, rounds=ROUNDS, batch=200)
            for name, timings in found.items():
                share = "" if name == base else f", {100 * timings.p(50) / found[base].p(50):.0f}% of a {base}"
                print(f"{name}: p50 {timings.p(50):.2f} us{share}")
            added = found[f"{base}, remembered, and what changed"].ratio(found[base]) - 1
            targets.append(Target(f"staleness, added to a {base}", 100 * added, 10, "%"))
            if (counted := found.get("counting what was served")) is not None:
                share = counted.ratio(found["get by the owner, who is told of nothing"])
                targets.append(Target("the ledger's share of a get", 100 * share, 10, "%"))
    print(target_table(targets).plain())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(temporary + "/store")
