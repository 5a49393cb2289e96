"""Case 3: several writing and reading processes on one store."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from figures import Result, Table, Target, number, percentile
from payloads import documents
from systems import BLIND, FACADE, FAST, LMDB, PLAIN, SQLITE, Facade, Nothing, System

from sharedctx.tokens import Estimate

WRITERS, READERS = 4, 4
_KEYS = 50
_SLICE = 1.0
_SAMPLED = 16
_SIZE = 2_000
_IDLE = "no store, a sha256"
_SYSTEMS: dict[str, Callable[[Path], System]] = {
    PLAIN: FAST[PLAIN],
    SQLITE: FAST[SQLITE],
    LMDB: FAST[LMDB],
    BLIND: FAST[BLIND],
    FACADE: lambda path: Facade(path, count_tokens=Estimate("estimate")),  # starts fast, and nothing is counted here
    _IDLE: Nothing,
}

Turn = tuple[str, float, float]
"""A system's name and when to start and stop, by the monotonic clock that all processes share."""


@dataclass
class Seen:
    """What all processes saw of one system."""

    writes: array[int] = field(default_factory=lambda: array("q"))
    reads: array[int] = field(default_factory=lambda: array("q"))
    read: int = 0
    failed: int = 0
    seconds: float = 0.0


class Crowd:
    """Runs the case: the same eight processes serve all systems, one after the other, in slices of a second."""

    def __init__(self, root: Path, seconds: float) -> None:
        self._root = root
        self._seconds = seconds

    def run(self) -> Result:
        """Give every system ``seconds`` in all."""
        self._root.mkdir()
        for name in _SYSTEMS:
            _fill(name, self._root)
        context = multiprocessing.get_context("spawn")
        pipes: list[Connection] = []
        people = []
        for number_ in range(WRITERS + READERS):
            mine, theirs = context.Pipe()
            pipes.append(mine)
            person = context.Process(target=_work, args=(theirs, self._root, number_), daemon=True)
            person.start()
            people.append(person)
        for pipe in pipes:
            pipe.recv()
        seen = {name: Seen() for name in _SYSTEMS}
        slices = max(round(self._seconds / _SLICE), 1)
        names = list(_SYSTEMS)
        for turn in range(slices):
            at = turn % len(names)
            for name in names[at:] + names[:at]:
                self._turn(pipes, name, self._seconds / slices, seen[name])
        for pipe in pipes:
            pipe.send(None)
        for person in people:
            person.join(30)
        shutil.rmtree(self._root)
        return self._report(seen)

    def _turn(self, pipes: list[Connection], name: str, seconds: float, seen: Seen) -> None:
        start = time.monotonic() + 0.02
        for pipe in pipes:
            pipe.send((name, start, start + seconds))
        for number_, pipe in enumerate(pipes):
            took, count, failed = pipe.recv()
            (seen.writes if number_ < WRITERS else seen.reads).extend(took)
            seen.read += count if number_ >= WRITERS else 0
            seen.failed += failed
        seen.seconds += seconds

    def _report(self, seen: dict[str, Seen]) -> Result:
        columns = ["system", "puts/s", "gets/s", "put p50 us", "put p99 us", "longest put ms", "get p50 us", "failed"]
        title = f"{WRITERS} writers and {READERS} readers, {_SIZE:,} B, {self._seconds:g} s each"
        table = Table(title, columns, note=f"'{_IDLE}' shows what the machine itself stalls.")
        result = Result([table])
        for name, each in seen.items():
            writes, reads = sorted(each.writes), sorted(each.reads)
            figure = {
                "case": "crowd",
                "system": name,
                "puts_per_s": len(writes) / each.seconds,
                "gets_per_s": each.read / each.seconds,
                "p50_us": percentile(writes, 50) / 1e3,
                "p99_us": percentile(writes, 99) / 1e3,
                "stall_ms": writes[-1] / 1e6,
                "get_p50_us": percentile(reads, 50) / 1e3,
                "failed": each.failed,
            }
            result.figures.append(figure)
            cells = list(figure.values())[2:-1]
            table.rows.append([name, *(number(float(str(cell))) for cell in cells), str(each.failed)])
            if name in (BLIND, FACADE):
                what = f"longest put of {WRITERS} writers, {name}"
                result.targets.append(Target(what, writes[-1] / 1e6, 250, " ms"))
        return result


def _fill(name: str, root: Path) -> None:
    """Write every key once, so that readers find what they ask for."""
    system = _SYSTEMS[name](_place(root, name))
    body = documents(_SIZE, 1)[0]
    for writer in range(WRITERS):
        for at in range(_KEYS):
            system.put(f"w{writer}/{at}", body, 0)
    system.close()


def _place(root: Path, name: str) -> Path:
    return root / str(list(_SYSTEMS).index(name))


def _work(pipe: Connection, root: Path, number_: int) -> None:
    """One process: opens every system, then writes or reads whichever it is told, until it is told to stop.

    Every write is timed, since the longest counts, and every 16th read.
    """
    systems = {name: opener(_place(root, name)) for name, opener in _SYSTEMS.items()}
    bodies = documents(_SIZE, 64, seed=number_)
    writes = number_ < WRITERS
    chance = random.Random(number_)
    clock = time.perf_counter_ns
    for system in systems.values():  # opens the connection that a thread uses from then on
        if writes:
            system.put(f"w{number_}/0", bodies[0], 0)
        system.get("w0/0")
    pipe.send("ready")
    while (turn := pipe.recv()) is not None:
        name, start, end = turn
        system = systems[name]
        took = array("q")
        done = failed = 0
        while time.monotonic() < start:
            pass
        while time.monotonic() < end:
            key = f"w{number_}/{done % _KEYS}" if writes else _any_key(chance)
            body = bodies[done % 64]
            since = clock()
            try:
                if writes:
                    system.put(key, body, 0)
                else:
                    system.get(key)
            except Exception:
                failed += 1
            spent = clock() - since
            if writes or done % _SAMPLED == 0:
                took.append(spent)
            done += 1
        pipe.send((took, done, failed))
    for system in systems.values():
        system.close()


def _any_key(chance: random.Random) -> str:
    return f"w{int(chance.random() * WRITERS)}/{int(chance.random() * _KEYS)}"
