"""Processes killed while they write lose nothing that was acknowledged and leave nothing torn."""

from __future__ import annotations

import hashlib
import random
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sharedctx

KILLS = 51
WRITER = Path(__file__).with_name("writer.py")


def test_no_acknowledged_write_is_lost_to_kill_9(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    server = fork_server("import sharedctx")
    chance = random.Random(7)
    store = tmp_path / "store"
    logs: list[Path] = []
    running: list[Any] = []

    def start() -> None:
        log = tmp_path / f"acknowledged-{len(logs)}"
        logs.append(log)
        running.append(server.start(WRITER, store, len(logs), into=log))

    for _ in range(3):
        start()
    for _ in range(KILLS):
        victim = running.pop(0)
        log = logs[len(logs) - len(running) - 1]
        while not log.stat().st_size and victim.running:
            select.select([], [], [], 0.005)
        select.select([], [], [], chance.uniform(0.0, 0.05))
        assert victim.running, "the writer ended by itself"
        victim.kill()
        victim.end()
        start()
    for writer in running:
        writer.kill()
        writer.end()

    acknowledged = 0
    counted: list[int] = []
    with sharedctx.open(store) as opened:
        ctx = opened.session("s")
        for log in logs:
            for line in log.read_text().split("\n")[:-1]:
                acknowledged += 1
                what, *rest = line.split(" ")
                if what == "P":
                    key, version, digest = rest
                    value = ctx.get(key, full=True, version=int(version))
                    assert hashlib.sha256(value.encode()).hexdigest() == digest
                else:
                    version, count = rest
                    counted.append(int(count))
                    assert ctx.get("counter", full=True, version=int(version)) == count
        assert acknowledged > KILLS
        assert len(set(counted)) == len(counted), "two writers made the same increment"
        for key in ("counter", *(f"k{n}" for n in range(6))):
            versions = [entry.version for entry in ctx.history(key, limit=1_000_000)]
            assert versions == list(range(len(versions), 0, -1))
        assert opened.doctor() == []
