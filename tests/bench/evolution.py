"""Evolution contexts on disk: access, writes, listing and bytes at rest, in one run.

Run it with ``python tests/bench/evolution.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import Target, target_table

from sharedctx.evolution import EvolutionStore

FILLED = 300
ALL = 1000


async def fill(store: EvolutionStore) -> str:
    """One evolution through its phases: about 14 KB of JSON."""
    own = await store.create_context("src/package", ["speed", "types"])
    files = [f"module_{n}.py" for n in range(40)]
    metrics: dict[str, Any] = {f"metric_{n}": n * 1.5 for n in range(20)}
    issues = [{"file": files[n % 40], "line": n, "what": f"function f{n} is too complex ({n})"} for n in range(60)]
    tasks = [{"id": f"t{n}", "type": "refactor", "priority": "high", "file": files[n]} for n in range(20)]
    changes = [{"task": f"t{n}", "diff": f"-old {n}\n+new {n}\n" * 5} for n in range(20)]
    await store.update_phase("research")
    await store.store_original_analysis(files, metrics, issues, [f"split {name}" for name in files[:20]])
    await store.store_external_research([f"practice {n}" for n in range(10)], [], ["extract"])
    await store.update_phase("plan")
    await store.store_improvement_plan(tasks, {}, {})
    await store.update_phase("implement")
    await store.store_implementation_log(files[:5], changes, [])
    await store.store_current_state(files, metrics, [], [])
    await store.store_evaluation_results({}, {}, 0.8)
    await store.update_context("status", "completed")
    return own


def data(folder: str) -> int:
    """Bytes of a store's database without the room that replaced rows left."""
    with contextlib.closing(sqlite3.connect(f"{folder}/cache.db")) as con:
        con.execute("VACUUM INTO ?", (f"{folder}-copy.db",))
    copy = Path(f"{folder}-copy.db")
    size = copy.stat().st_size
    copy.unlink()
    return size


def milliseconds(times: list[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {statistics.median(times) * 1e3:.3f} ms, p99 {sorted(times)[len(times) * 99 // 100] * 1e3:.3f} ms"


async def main(folder: str) -> None:
    """Measure and print."""
    async with EvolutionStore(path=folder) as store:
        empty, bare = store.store.stats()["bytes"], data(folder)
        ids = [await fill(store) for _ in range(FILLED)]
        backend = store.store.backend
        rows = [
            len(row.value)
            for own in ids
            for pk in backend.pks(f"evolution:{own}")
            for row in backend.scan(f"evolution:{own}", pk)
        ]
        context = await store.get_context(ids[0])
        assert context is not None
        print(f"a context: {len(json.dumps(context.to_dict()))} bytes of JSON, {len(rows) / FILLED:.0f} versions")
        print(f"at rest: {sum(rows) / FILLED:.0f} bytes of values with all history, ", end="")
        print(f"{(store.store.stats()['bytes'] - empty) / FILLED:.0f} bytes of database file, ", end="")
        at_rest = (data(folder) - bare) / FILLED
        print(f"{at_rest:.0f} of which are data")
        targets = [Target("a context at rest", at_rest / 1024, 10, " KB")]
        reads, writes, listings = [], [], []
        for n in range(3000):
            began = time.perf_counter()
            await store.get_context(ids[n % FILLED])
            reads.append(time.perf_counter() - began)
        print(f"get_context: {milliseconds(reads)}")
        targets.append(Target("access to a context", statistics.median(reads) * 1e3, 1, " ms"))
        for n in range(FILLED):
            began = time.perf_counter()
            await store.update_phase("again", ids[n])
            writes.append(time.perf_counter() - began)
        print(f"update_phase: {milliseconds(writes)}")
        for _ in range(ALL - FILLED):
            await store.create_context("src", [])
        for _ in range(20):
            began = time.perf_counter()
            assert len(await store.get_all_contexts()) == ALL
            listings.append(time.perf_counter() - began)
        print(f"get_all_contexts of {ALL}: {milliseconds(listings)}")
        scrapes = []
        for _ in range(20):
            began = time.perf_counter()
            assert (await store.metrics())["contexts"] == ALL
            scrapes.append(time.perf_counter() - began)
        print(f"metrics of {ALL}: {milliseconds(scrapes)}")
    print(target_table(targets).plain())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(temporary + "/store"))
