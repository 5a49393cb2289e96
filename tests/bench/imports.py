"""Case 5: what ``import sharedctx`` costs over ``import diskcache``."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from figures import Result, Table, Target, number

OURS, BASE = "import sharedctx", "import diskcache"
_FIRST_PUT = (
    "import tempfile; from sharedctx import SharedContext; folder = tempfile.TemporaryDirectory(); "
    "context = SharedContext(path=folder.name); context.put('key', 'value'); context.close()"
)
_SCRIPTS = {
    BASE: BASE,
    OURS: OURS,
    f"{OURS} and its disk backend": "import sharedctx, sharedctx.backends.disk",
    f"{OURS}, make a store, put once, close": _FIRST_PUT,
}


class Imports:
    """Imports in new processes, in turns; the time is taken inside them and leaves Python's own start out."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def run(self) -> Result:
        """Time every import; a first round, which may compile, is not counted."""
        took: dict[str, list[float]] = {name: [] for name in _SCRIPTS}
        names = list(_SCRIPTS)
        for turn in range(self._rounds + 1):
            at = turn % len(names)
            for name in names[at:] + names[:at]:
                found = _time(_SCRIPTS[name])
                if turn:
                    took[name].append(found)
        return self._report(took)

    def _report(self, took: dict[str, list[float]]) -> Result:
        base = median(took[BASE])
        table = Table("Import, ms", ["what", "p50", "best", f"p50 over {BASE}"])
        result = Result([table])
        for name, found in took.items():
            over = median(found) - base
            table.rows.append([name, number(median(found)), number(min(found)), number(over)])
            result.figures.append(
                {
                    "case": "imports",
                    "system": name,
                    "p50_ms": median(found),
                    "best_ms": min(found),
                    "base": BASE,
                    "over_ms": over,
                }
            )
            if name == OURS:
                differences = sorted(mine - its for mine, its in zip(found, took[BASE], strict=True))
                quarter = len(differences) // 4
                spread = differences[quarter], differences[-1 - quarter]
                result.targets.append(Target(f"{name} over {BASE}", over, 60, " ms", spread=spread))
        return result


def _time(statement: str) -> float:
    """Milliseconds that a statement takes in a new interpreter."""
    script = f"import time; since = time.perf_counter(); {statement}; print(time.perf_counter() - since)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e3
