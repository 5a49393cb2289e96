"""The example runs offline, answers, and keeps views only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "langchain_agent.py"


def test_an_agent_finds_the_license() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "answer: Apache 2.0, Python >=3.11" in done.stdout
    assert "the agent's state holds" in done.stdout
