"""The benchmark of long-term memory runs and gives figures; how large they are is nobody's test."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("langgraph.store.sqlite", "numpy"):
    pytest.importorskip(package, reason=f"{package} is missing: pip install 'sharedctx[langgraph,vectors,suites]'")

BENCH = Path(__file__).with_name("memories.py")


def test_every_case_gives_figures(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, str(BENCH), "--quick", "--directory", str(tmp_path), "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**{name: value for name, value in os.environ.items() if name != "POSTGRES_URL"}, **paths},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["plain"].keys() == {"sharedctx", "sqlite", "sqlite, synchronous NORMAL", "in memory"}
    medians = [each for part in ("plain", "meaning") for store in found[part].values() for each in store.values()]
    assert all(math.isfinite(each) and each > 0 for each in medians)
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
