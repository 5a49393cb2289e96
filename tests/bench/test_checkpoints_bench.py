"""The benchmark of checkpoints runs and gives figures; how large they are is nobody's test."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("langgraph.checkpoint.sqlite", "langchain_core.messages"):
    pytest.importorskip(package, reason=f"{package.partition('.')[0]} is missing: pip install 'sharedctx[langgraph]'")

BENCH = Path(__file__).with_name("checkpoints.py")


def test_every_case_gives_figures(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, str(BENCH), "--quick", "--directory", str(tmp_path), "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["figures"].keys() == {"points", "chat", "long", "copy ms", "crowd"}
    assert len(found["targets"]) == 12
    assert all(math.isfinite(target["value"]) and target["value"] > 0 for target in found["targets"])
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
