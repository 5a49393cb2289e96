"""The core benchmark: every figure of one run, all systems in turns, beside what they should be.

python tests/bench/core.py [--quick] [--case NAME] [--json FILE] [--markdown docs/benchmarks.md]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from crowd import Crowd
from figures import Result, Table, replace_section, target_table
from imports import Imports
from newest import Newest
from points import Points
from surroundings import load, surroundings
from tasks import Tasks

from audit import Audit


@dataclass(frozen=True)
class Extent:
    """How long a run is: rounds of single operations, seconds of each system in the crowd, versions, and so on."""

    rounds: int
    seconds: float
    versions: int
    gathers: int
    imports: int

    def cut(self, rounds: int | None, seconds: float | None, versions: int | None) -> Extent:
        """Return the extent with what the command line says instead; few rounds cut the other cases too."""
        at_most = 1_000_000 if rounds is None else rounds
        return Extent(
            rounds or self.rounds,
            seconds or self.seconds,
            versions or self.versions,
            min(self.gathers, at_most),
            min(self.imports, at_most),
        )


FULL = Extent(rounds=120, seconds=12, versions=100_000, gathers=40, imports=15)
QUICK = Extent(rounds=12, seconds=1.5, versions=100_000, gathers=10, imports=7)


def cases(root: Path, extent: Extent) -> dict[str, Callable[[], Result]]:
    """The cases by the names of ``--case``, in the order they run."""
    return {
        "points": Points(root / "points", extent.rounds).run,
        "newest": Newest(root / "newest", extent.versions, extent.rounds).run,
        "crowd": Crowd(root / "crowd", extent.seconds).run,
        "tasks": Tasks(root / "tasks", extent.gathers).run,
        "imports": Imports(extent.imports).run,
        "audit": Audit(root / "audit", extent.rounds).run,
    }


def options() -> argparse.Namespace:
    """Read the command line."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="about 30 seconds, for a first look")
    words.add_argument("--case", action="append", choices=list(cases(Path(), FULL)), help="only this one; repeatable")
    words.add_argument("--rounds", type=int, help="how often every system has its turn")
    words.add_argument("--seconds", type=float, help="of every system with four writers and four readers")
    words.add_argument("--versions", type=int, help="in the partition whose newest ten are read")
    words.add_argument("--directory", type=Path, help="where the stores are made (default: the temporary directory)")
    words.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    words.add_argument("--markdown", type=Path, metavar="FILE", help="replace the tables of that page")
    return words.parse_args()


def main() -> None:
    """Run the cases and print what they found."""
    asked = options()
    extent = (QUICK if asked.quick else FULL).cut(asked.rounds, asked.seconds, asked.versions)
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.directory))
    try:
        facts = surroundings(root)
        since = time.monotonic()
        result = Result()
        for name, run in cases(root, extent).items():
            if not asked.case or name in asked.case:
                found = run()
                for table in found.tables:
                    print(table.plain(), flush=True)
                result += found
    finally:
        shutil.rmtree(root, ignore_errors=True)
    facts["load at the end"] = load()
    facts["run"] = f"{'quick' if asked.quick else 'full'}, {time.monotonic() - since:.0f} s"
    closing = [
        target_table(result.targets),
        Table("Run", ["what", "value"], [[name, value] for name, value in facts.items()]),
    ]
    for table in closing:
        print(table.plain())
    if asked.json is not None:
        targets = [{**asdict(target), "met": target.met} for target in result.targets]
        whole = {"run": facts, "targets": targets, "figures": result.figures}
        asked.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    if asked.markdown is not None:
        replace_section(asked.markdown, "core", [closing[1], closing[0], *result.tables])


if __name__ == "__main__":
    main()
