"""The examples of raw loops run offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..forked import COUNTING

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
def test_it_runs(command: list[str], said: str, fork_server: Callable[[str], Any]) -> None:
    example, *words = command
    assert said in fork_server(COUNTING).start(EXAMPLES / example, *words).finish()
