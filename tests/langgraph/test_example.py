"""The example goes back in time and both ways stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_takes_another_way_and_keeps_the_first() -> None:
    command = [sys.executable, str(ROOT / "examples" / "langgraph_time_travel.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "6 messages are remembered" in done.stdout
    assert "ai    Then we have a day more" in done.stdout
    assert "it ends with: Shoes for the hills" in done.stdout
