"""The example runs over this repository and reaches its goals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_improves_a_copy_of_this_repository() -> None:
    command = [sys.executable, str(ROOT / "examples" / "evolution.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "success, 100% of the goals" in done.stdout, done.stdout
    assert "exported, imported, equal: True" in done.stdout
