"""Case 4: many puts at once from one event loop."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from figures import Result, Table, Target, number, percentile
from payloads import Payload, documents
from systems import Diskcache, Facade

from sharedctx import AsyncSharedContext

TASKS = 256
GROUPED = "AsyncSharedContext.put"
THREADS = "asyncio.to_thread(ctx.put)"
CACHE = "asyncio.to_thread(diskcache.Cache.set)"

Put = Callable[[str, Payload], Awaitable[object]]


class Tasks:
    """Starts 256 puts together, system by system in turns, and waits for the last."""

    def __init__(self, root: Path, rounds: int) -> None:
        self._root = root
        self._rounds = rounds

    def run(self) -> Result:
        """Time rounds of puts to 256 keys; later rounds write further versions of them."""
        self._root.mkdir()
        took = asyncio.run(self._turns())
        shutil.rmtree(self._root)
        return self._report({name: [TASKS / each for each in rounds] for name, rounds in took.items()})

    async def _turns(self) -> dict[str, list[float]]:
        grouped = AsyncSharedContext("bench", path=self._root / "grouped")
        threads, cache = Facade(self._root / "threads"), Diskcache(self._root / "cache")
        systems: dict[str, Put] = {
            GROUPED: lambda key, body: grouped.put(key, body.text),
            THREADS: lambda key, body: asyncio.to_thread(threads.put, key, body, 0),
            CACHE: lambda key, body: asyncio.to_thread(cache.put, key, body, 0),
        }
        bodies = documents(200, 64)
        took: dict[str, list[float]] = {name: [] for name in systems}
        names = list(systems)
        for turn in range(self._rounds + 1):
            at = turn % len(names)
            for name in names[at:] + names[:at]:
                put = systems[name]
                start = time.perf_counter()
                await asyncio.gather(*(put(f"key/{task}", bodies[task % 64]) for task in range(TASKS)))
                if turn:  # the first round starts threads and connections
                    took[name].append(time.perf_counter() - start)
        await grouped.close()
        threads.close()
        cache.close()
        return took

    def _report(self, speeds: dict[str, list[float]]) -> Result:
        table = Table(f"{TASKS} puts at once, 200 B, puts/s", ["system", "p50", "slowest quarter", f"times {THREADS}"])
        result = Result([table])
        for name, found in speeds.items():
            ratio = median(found) / median(speeds[THREADS])
            slow = percentile(sorted(found), 25)
            table.rows.append([name, number(median(found)), number(slow), f"{ratio:.2f}x"])
            result.figures.append(
                {"case": "tasks", "system": name, "puts_per_s": median(found), "base": THREADS, "ratio": ratio}
            )
        ratios = sorted(mine / its for mine, its in zip(speeds[GROUPED], speeds[THREADS], strict=True))
        spread = percentile(ratios, 25), percentile(ratios, 75)
        reached = median(speeds[GROUPED]) / median(speeds[THREADS])
        result.targets.append(Target(f"{GROUPED}, {TASKS} at once", reached, 4, "x", least=True, spread=spread))
        return result
