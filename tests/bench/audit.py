"""Case 6: what an audit log costs a put, and what checking one costs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from figures import Job, Result, Table, in_turns, number
from payloads import documents

from sharedctx import open as open_store

OFF, ON, KEYED = "put, no audit log", "put, audit log", "put, audit log with a key"


class Audit:
    """Puts with and without a log in turns, in stores of their own, then checks the longest chain."""

    def __init__(self, root: Path, rounds: int) -> None:
        self._root = root
        self._rounds = max(rounds, 4)

    def run(self) -> Result:
        """Time puts of 200 bytes to a hundred keys."""
        self._root.mkdir()
        stores = {
            name: open_store(self._root / str(at), audit_key=bytes(range(32)) if name == KEYED else None)
            for at, name in enumerate((OFF, ON, KEYED))
        }
        contexts = {name: store.session("bench").bind("agent") for name, store in stores.items()}
        for name in (ON, KEYED):
            stores[name].configure(audit=True)
        bodies = documents(200, 64)
        jobs: dict[str, Job] = {
            name: lambda index, ctx=ctx: ctx.put(f"key/{index % 100}", bodies[index % 64].text)  # type: ignore[misc]
            for name, ctx in contexts.items()
        }
        found = in_turns(jobs, rounds=self._rounds, batch=50)
        start = time.perf_counter()
        faults = stores[KEYED].verify_audit()
        checked = (time.perf_counter() - start) / (self._rounds * 50) * 1e6
        for store in stores.values():
            store.close()
        shutil.rmtree(self._root)
        assert not faults, faults
        table = Table("An audit log, disk, 200 B, us", ["what", "p50", "p95", "times no log"])
        table.rows = [
            [name, number(took.p(50)), number(took.p(95)), f"{number(took.ratio(found[OFF]))}x"]
            for name, took in found.items()
        ]
        table.rows.append(["verify, a row with its version", number(checked), "", ""])
        figures = [{"case": "audit", "system": name, "p50_us": took.p(50)} for name, took in found.items()]
        return Result([table], figures, [])
