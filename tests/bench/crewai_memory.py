"""CrewAI's memory on a shared store beside LanceDB, its default: ratios of medians of one run.

    python tests/bench/crewai_memory.py [ROWSxDIMENSIONS ...]

Both storages are called through crewai's own protocol and hold the same records, saved in batches of 100 in both, read
by the same queries. Reopening is measured in a process of its own each time, in turns. At the end stands the table of
docs/crewai.md.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name, value in {
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "OTEL_SDK_DISABLED": "true",
}.items():
    os.environ.setdefault(name, value)

SIZES = ["1000x384", "10000x384", "10000x1536"]
SCOPES = [f"/crew/{team}/{role}" for team in ("a", "b", "ab", "c") for role in ("writer", "editor", "critic")]
CATEGORIES = [f"topic{n}" for n in range(20)]
WORDS = ("agent", "plan", "result", "customer", "invoice", "deadline", "budget", "review", "market", "figure", "risk")
REACH = {
    "search": 5,
    "search, scope": 3,
    "search, category": 3,
    "save then search": 15,
    "get_record": 50,
    "reopen + first search": 1,
    "disk": 1,
}


def records(rows: int, dimensions: int) -> list[Any]:
    import numpy as np
    from crewai.memory.types import MemoryRecord

    chance, numbers = random.Random(1), np.random.default_rng(1)
    vectors = numbers.standard_normal((rows, dimensions)).astype("f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        MemoryRecord(
            id=f"{n:08x}-0000-4000-8000-{chance.getrandbits(48):012x}",
            content=" ".join(chance.choices(WORDS, k=chance.randint(20, 60))),
            scope=chance.choice(SCOPES),
            categories=chance.sample(CATEGORIES, 2),
            metadata={"task": chance.randrange(50)},
            importance=0.5,
            embedding=vectors[n].tolist(),
        )
        for n in range(rows)
    ]


def storage(kind: str, path: str) -> Any:
    if kind == "lancedb":
        from crewai.memory.storage.lancedb_storage import LanceDBStorage

        return LanceDBStorage(path=path)
    from sharedctx_crewai import ContextMemory

    return ContextMemory(path=path)


def median(times: int, work: Callable[[int], object]) -> float:
    """Milliseconds."""
    found = []
    for n in range(times):
        start = time.perf_counter()
        work(n)
        found.append(time.perf_counter() - start)
    return statistics.median(found) * 1000


def size(path: str) -> float:
    """Megabytes of all files."""
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file()) / 2**20


def reopen(kind: str, path: str, dimensions: int) -> None:
    """Print the milliseconds of one opening with its first search, after the imports."""
    records(1, dimensions)  # imports what both need
    storage(kind, tempfile.mkdtemp())
    query = [1.0] * dimensions
    start = time.perf_counter()
    assert len(storage(kind, path).search(query, limit=10)) == 10
    print((time.perf_counter() - start) * 1000, flush=True)
    os._exit(0)  # LanceDB compacts on a thread that may abort the interpreter's end


def reopened(places: dict[str, str], dimensions: int) -> dict[str, float]:
    """Milliseconds of opening each storage with its first search."""
    found: dict[str, list[float]] = {kind: [] for kind in places}
    for _ in range(7):
        for kind, path in places.items():
            command = [sys.executable, __file__, "--reopen", kind, path, str(dimensions)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[kind].append(float(done.stdout.split()[-1]))
    return {kind: statistics.median(times) for kind, times in found.items()}


def measure(kind: str, path: str, found: list[Any], dimensions: int) -> dict[str, float]:
    results: dict[str, float] = {}
    chance = random.Random(2)
    queries = [[chance.gauss(0, 1) for _ in range(dimensions)] for _ in range(60)]
    start = time.perf_counter()
    open_ = storage(kind, path)
    for at in range(0, len(found), 100):
        open_.save(found[at : at + 100])
    results["save, 100 at a time"] = (time.perf_counter() - start) * 1000
    getattr(open_, "optimize", lambda: None)()
    for query in queries[:5]:
        open_.search(query, limit=10)
        open_.search(query, scope_prefix="/crew/a", limit=10)
    results["search"] = median(40, lambda n: open_.search(queries[n], limit=10))
    results["search, scope"] = median(40, lambda n: open_.search(queries[n], scope_prefix=SCOPES[n % 12], limit=10))
    results["search, category"] = median(
        40, lambda n: open_.search(queries[n], categories=[CATEGORIES[n % 20]], limit=10)
    )
    results["get_record"] = median(60, lambda n: open_.get_record(found[n * 7].id))
    results["get_record, again"] = median(60, lambda n: open_.get_record(found[n * 7].id))
    results["list_records"] = median(10, lambda n: open_.list_records(SCOPES[n], limit=50))
    results["get_scope_info"] = median(10, lambda n: open_.get_scope_info(SCOPES[n]))
    results["count"] = median(10, lambda n: open_.count(SCOPES[n]))

    def save_and_search(n: int) -> None:
        open_.save([found[n].model_copy(update={"id": f"new-{n}"})])
        assert open_.search(found[n].embedding, limit=2)

    results["save then search"] = median(30, save_and_search)
    results["update"] = median(20, lambda n: open_.update(found[n]))
    getattr(open_, "close", lambda: None)()
    results["disk"] = size(path)
    return results


def page(ratios: dict[str, dict[str, float]]) -> None:
    """Print how many times faster or smaller, as the documentation has it."""
    print("\n| records x dimensions | " + " | ".join(ratios) + " |\n|" + "---|" * (len(ratios) + 1))
    for name in next(iter(ratios.values())):
        print(f"| {name} | " + " | ".join(f"{found[name]:.1f}" for found in ratios.values()) + " |")


def imports() -> None:
    lines = {
        "import sharedctx_crewai": "import sharedctx_crewai",
        "import crewai": "import crewai",
    }
    for title, line in lines.items():
        script = f"import time; t = time.perf_counter(); {line}; print(time.perf_counter() - t)"
        seconds = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        print(f"{title}: {float(seconds.split()[-1]) * 1000:.0f} ms")


def flows() -> None:
    """Print what the first ``Flow()`` and the next one cost, as crewai comes and after ``install``."""
    for title, line in {"as it comes": "", "after install()": "sharedctx_crewai.install(sys.argv[1])"}.items():
        script = (
            "import sys, time, crewai, sharedctx_crewai; from crewai.flow.flow import Flow, start\n"
            f"{line}\n"
            "class F(Flow):\n    @start()\n    def go(self): return 1\n"
            "t = time.perf_counter(); F(); print(time.perf_counter() - t)"
        )
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "CREWAI_STORAGE_DIR": folder}
            command = [sys.executable, "-c", script, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        print(f"Flow() {title}: {float(done.stdout.split()[-1]) * 1000:.1f} ms")


def main(sizes: list[str]) -> None:
    imports()
    flows()
    ratios: dict[str, dict[str, float]] = {}
    for each in sizes:
        rows, dimensions = map(int, each.split("x"))
        found = records(rows, dimensions)
        with tempfile.TemporaryDirectory() as folder:
            places = {kind: os.path.join(folder, kind) for kind in ("lancedb", "sharedctx")}
            theirs, ours = (measure(kind, path, found, dimensions) for kind, path in places.items())
            opened = reopened(places, dimensions)
            theirs["reopen + first search"], ours["reopen + first search"] = opened["lancedb"], opened["sharedctx"]
        ratios[f"{rows:,} x {dimensions}"] = {name: value / ours[name] for name, value in theirs.items()}
        print(f"\n{rows} records of {dimensions} dimensions: milliseconds (disk: MB)")
        print(f"{'':24}{'LanceDB':>12}{'sharedctx':>12}{'times':>10}  to reach")
        for name, value in theirs.items():
            ratio = value / ours[name]
            reach = REACH.get(name)
            mark = "" if reach is None else f"{reach:>5}  {'ok' if ratio >= reach else 'NOT REACHED'}"
            print(f"{name:24}{value:12.2f}{ours[name]:12.2f}{ratio:10.1f}{mark}")
    page(ratios)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reopen"]:
        reopen(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(sys.argv[1:] or SIZES)
