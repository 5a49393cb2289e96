"""The triage example runs offline and hands over views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "openai_triage.py"


def test_three_agents_find_the_license(fork_server: Callable[[str], Any]) -> None:
    said = fork_server("import agents, sharedctx_openai_agents").start(EXAMPLE).finish()
    assert "License and Python: Apache 2.0, Python >=3.11" in said
    assert "handed over" in said
