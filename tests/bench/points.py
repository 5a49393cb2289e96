"""Case 1: single puts and gets, by size, on new keys and on one key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from figures import Job, Result, Table, Target, Timings, in_turns, number
from payloads import SIZES, Payload, documents, edits
from systems import APPEND, BLIND, DURABLE, FACADE, FAST, FULL, LMDB, PLAIN, SQLITE, TUNED, Facade, System

NEW, ONE = "new keys", "one key"
_POOL = 64
_BATCH = {"200 B": 20, "2 KB": 20, "20 KB": 10, "200 KB": 4}
_READ = 200
_SMALL = "200 B"
GET, FULL_GET, VIEW = "backend scan of one", "SharedContext.get(full=True)", "SharedContext.get()"

Cells = dict[tuple[str, str], Timings]
"""Timings by system and size."""


class Points:
    """Runs the case; ``rounds`` is how often every system has its turn."""

    def __init__(self, root: Path, rounds: int) -> None:
        self._root = root
        self._rounds = rounds

    def run(self) -> Result:
        """Write and read every size; what is durable writes last, since its flushes would disturb the others."""
        puts: dict[str, Cells] = {NEW: {}, ONE: {}}
        gets: dict[str, Cells] = {NEW: {}, ONE: {}}
        lasting: Cells = {}
        for size in SIZES:
            self._fast(size, puts, gets)
        for size in SIZES:
            self._durable(size, lasting)
        result = Result()
        for mode in (NEW, ONE):
            result += self._report(f"put, {mode}", "put", mode, puts[mode], PLAIN)
        for mode in (NEW, ONE):
            result += self._report(f"get, {mode}", "get", mode, gets[mode], PLAIN)
        result += self._report("put that survives a power cut, new keys", "durable put", NEW, lasting, FULL)
        for mode in (NEW, ONE):
            result.targets += [
                self._target(f"{name}, {mode}", puts[mode], name, limit)
                for name, limit in ((BLIND, 1.15), (APPEND, 1.4), (FACADE, 2.0))
            ]
        for mode in (NEW, ONE):
            result.targets += [
                self._target(f"{name}, {mode}", gets[mode], name, limit) for name, limit in ((GET, 1.0), (VIEW, 1.6))
            ]
        return result

    def _fast(self, size: str, puts: dict[str, Cells], gets: dict[str, Cells]) -> None:
        systems = self._open(FAST)
        batch = _BATCH[size]
        bodies = {NEW: documents(SIZES[size], _POOL), ONE: edits(SIZES[size], _POOL)}
        for mode in (NEW, ONE):
            jobs = {name: _putting(system, bodies[mode], mode) for name, system in systems.items()}
            for name, found in in_turns(jobs, rounds=self._rounds, batch=batch).items():
                puts[mode][name, size] = found
        count = min(self._rounds * batch, _READ)
        for mode in (NEW, ONE):
            reads, before = _reads(systems, mode)
            jobs = {name: _getting(read, mode, count) for name, read in reads.items()}
            for name, job in jobs.items():
                for index in range(0 if name in before else count if mode == NEW else 1):
                    job(index)  # what a system holds in memory, it holds from here on
            for name, found in in_turns(jobs, rounds=self._rounds, batch=batch, before=before).items():
                gets[mode][name, size] = found
        self._close(systems)

    def _durable(self, size: str, lasting: Cells) -> None:
        systems = self._open(DURABLE)
        bodies = documents(SIZES[size], _POOL)
        jobs = {name: _putting(system, bodies, NEW) for name, system in systems.items()}
        for name, found in in_turns(jobs, rounds=max(self._rounds // 5, 1), batch=4).items():
            lasting[name, size] = found
        self._close(systems)

    def _open(self, openers: dict[str, Callable[[Path], System]]) -> dict[str, System]:
        self._root.mkdir()
        return {name: opener(self._root / str(at)) for at, (name, opener) in enumerate(openers.items())}

    def _close(self, systems: dict[str, System]) -> None:
        for system in systems.values():
            system.close()
        shutil.rmtree(self._root)

    def _report(self, title: str, case: str, mode: str, cells: Cells, base: str) -> Result:
        names = list(dict.fromkeys(name for name, _ in cells))
        table = Table(f"{title}: p50 in us (p95), times {base}", ["system", *SIZES])
        figures = []
        for name in names:
            row = [name]
            for size in SIZES:
                found = cells[name, size]
                ratio = found.ratio(cells[base, size])
                row.append(f"{number(found.p(50))} ({number(found.p(95))}) {ratio:.2f}x")
                figures.append(
                    {
                        "case": case,
                        "mode": mode,
                        "size": size,
                        "system": name,
                        "p50_us": found.p(50),
                        "p95_us": found.p(95),
                        "mean_us": found.mean(),
                        "base": base,
                        "ratio": ratio,
                        "count": len(found.all),
                    }
                )
            table.rows.append(row)
        return Result([table], figures)

    def _target(self, what: str, cells: Cells, name: str, limit: float) -> Target:
        mine, base = cells[name, _SMALL], cells[PLAIN, _SMALL]
        return Target(f"{what}, {_SMALL}", mine.ratio(base), limit, "x", spread=mine.spread(base))


def _putting(system: System, bodies: list[Payload], mode: str) -> Job:
    put = system.put
    if mode == ONE:
        return lambda index: put("one", bodies[index % _POOL], index)
    return lambda index: put(f"key/{index}", bodies[index % _POOL], 0)


def _getting(read: Callable[[str], object], mode: str, count: int) -> Job:
    if mode == ONE:
        return lambda index: read("one")
    return lambda index: read(f"key/{index % count}")


def _reads(
    systems: dict[str, System], mode: str
) -> tuple[dict[str, Callable[[str], object]], dict[str, Callable[[], object]]]:
    facade = systems[FACADE]
    assert isinstance(facade, Facade)
    reads: dict[str, Callable[[str], object]] = {name: systems[name].get for name in (PLAIN, TUNED, SQLITE, LMDB)}
    reads |= {
        GET: systems[BLIND].get,
        "VersionLog.head and content": systems[APPEND].get,
        FULL_GET: facade.get,
        f"{FULL_GET}, content not held": facade.get_unheld,
        VIEW: facade.view,
    }
    before: dict[str, Callable[[], object]] = {}
    if mode == NEW:
        first = f"{VIEW}, first view"
        reads[first], before[first] = facade.first_view, facade.renew
    return reads, before
