"""The Redis backend beside raw commands on the same server, in one run: ratios, medians, memory for an entry, targets.

Run it with ``python tests/bench/servers.py [URL]``; without a URL it starts a server of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from figures import Target, in_turns, target_table

import sharedctx
from sharedctx.backends.base import Head, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.backends.redis.local import LocalServer, free_port

KEYS = 100
VALUE = b"x" * 200
ENTRIES = 5000
SESSIONS = 500
UPDATES = 400

WRITER = """
import sys, time, sharedctx
with sharedctx.open(sys.argv[1]) as store:
    ctx = store.session("watch")
    for line in sys.stdin:
        ctx.put("k", str(time.time_ns()))
"""


def speeds(url: str) -> list[Target]:
    """One request at a time, and groups of them."""
    import redis

    raw = redis.Redis(port=urlsplit(url).port or 6379)
    backend = RedisBackend(f"{url}?prefix=bench")
    for number in range(KEYS):
        raw.set(f"raw{number}", VALUE)
        for _ in range(10):
            backend.commit("s", [Put(f"k{number}", VALUE)])
    heads = {f"k{number}": 10 for number in range(KEYS)}

    def expecting(number: int) -> None:
        key = f"k{number % KEYS}"
        heads[key] = int(backend.commit("cas", [Put(key, VALUE, when=Head(heads[key] - 10))])[1][0]) + 10

    jobs: dict[str, Callable[[int], object]] = {
        "SET": lambda n: raw.set(f"raw{n % KEYS}", VALUE),
        "GET": lambda n: raw.get(f"raw{n % KEYS}"),
        "XADD": lambda n: raw.xadd("stream", {"v": VALUE}, maxlen=10_000),
        "commit": lambda n: backend.commit("s", [Put(f"k{n % KEYS}", VALUE)]),
        "commit, Head(n)": expecting,
        "scan of one": lambda n: backend.scan("s", f"k{n % KEYS}", limit=1, newest_first=True),
        "newest 10": lambda n: backend.scan("s", f"k{n % KEYS}", limit=10, newest_first=True),
    }
    found = in_turns(jobs, rounds=15, batch=200)
    for name, timings in found.items():
        base = "GET" if name in ("GET", "scan of one", "newest 10") else "SET"
        ratio = timings.ratio(found[base])
        print(f"{name}: p50 {timings.p(50):.1f} us, p95 {timings.p(95):.1f} us, {ratio:.2f}x of {base}")
    rates = []
    for _ in range(20):
        began = time.perf_counter()
        backend.commit_many([("s", [Put(f"k{n % KEYS}", VALUE)], None) for n in range(256)])
        rates.append(256 / (time.perf_counter() - began))
    print(f"groups of 256 commits: {statistics.median(rates):,.0f} commits/s")
    backend.close()
    put, raw_set = found["commit"], found["SET"]
    return [
        Target("put of 200 bytes over a raw SET", put.ratio(raw_set), 1.35, "x", spread=put.spread(raw_set)),
        Target("puts in groups of 256", statistics.median(rates), 20_000, "/s", least=True),
    ]


def memory(url: str) -> None:
    """Bytes of the server for an entry of one version, for a further version, and for a small session."""
    with sharedctx.open(f"{url}?prefix=memory") as store:
        for versions in (1, 2):
            before = int(store.stats()["bytes"])
            ctx = store.session("entries")
            for number in range(ENTRIES):
                ctx.put(f"finding/{number:05}", "a finding of two hundred characters " * 6)
            used = (int(store.stats()["bytes"]) - before) / ENTRIES
            print(f"{'a new entry' if versions == 1 else 'a further version'} of 216 bytes: {used:.0f} bytes of memory")
        before = int(store.stats()["bytes"])
        for number in range(SESSIONS):
            store.session(f"small-{number}").put("k", "v")
        used = (int(store.stats()["bytes"]) - before) / SESSIONS
        print(f"a session of one short entry: {used:.0f} bytes of memory")


def watching(url: str) -> list[Target]:
    """From a put in another process to this process's watch."""
    with (
        sharedctx.open(url) as store,
        subprocess.Popen([sys.executable, "-c", WRITER, url], stdin=subprocess.PIPE, text=True) as writer,
    ):
        assert writer.stdin
        ctx = store.session("watch")
        events = ctx.watch(ctx.rev(), timeout=20)
        delays = []
        for _ in range(UPDATES):
            writer.stdin.write("\n")
            writer.stdin.flush()
            event = next(events)
            now = time.time_ns()
            delays.append((now - int(ctx.get(event.key, full=True, version=event.version))) / 1e6)
        delays.sort()
        writer.stdin.close()
    last = delays[UPDATES * 99 // 100]
    print(f"put to watch in another process: p50 {delays[UPDATES // 2]:.2f} ms, p99 {last:.2f} ms")
    return [Target("put to watch in another process, p99", last, 5, " ms")]


def main(url: str) -> None:
    """Measure and print."""
    with sharedctx.open(url) as store:
        print(", ".join(f"{name} {value}" for name, value in store.stats().items() if name in ("server", "durability")))
    targets = speeds(url)
    memory(url)
    targets += watching(url)
    print(f"\n{target_table(targets).plain()}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            server = LocalServer(Path(temporary) / "server")
            try:
                main(server.start(free_port()))
            finally:
                server.stop()
