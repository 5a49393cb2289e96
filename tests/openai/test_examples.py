"""The examples of raw loops run offline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["openai_loop.py"], "notes: [('problem_summary', 'subagent:operations')]"),
        (["openai_loop.py", "responses"], "notes: [('problem_summary', 'subagent:operations')]"),
        (["anthropic_loop.py"], "stored: ['memories/log.md', 'notes/decisions_made']"),
        (["orchestrator.py"], "decisions_made by orchestrator: Empty /dev/sdb1"),
    ],
)
def test_it_runs(command: list[str], said: str) -> None:
    run = [sys.executable, str(EXAMPLES / command[0]), *command[1:]]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
