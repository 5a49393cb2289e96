"""The triage example runs offline and hands over views."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "openai_triage.py"


def test_three_agents_find_the_license() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "License and Python: Apache 2.0, Python >=3.11" in done.stdout
    assert "handed over" in done.stdout
