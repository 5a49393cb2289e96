"""The example runs offline and says what its text promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "crewai_memory.py"


def test_the_example_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "CREWAI_STORAGE_DIR": str(tmp_path / "crewai")}
    command = [sys.executable, str(EXAMPLE), str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert "failed" not in done.stderr
    assert "the planner says: 7391" in lines
    assert lines[-2:] == ["v2: the gateway listens on port 7391", "v1: the gateway listens on port 7390"]
