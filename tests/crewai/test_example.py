"""The example runs offline and says what its text promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "crewai_memory.py"


def test_the_example_runs(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    server = fork_server("import redis, crewai.memory.types, sharedctx_crewai")
    code, out, errors = server.start(EXAMPLE, tmp_path / "store").end()
    lines = out.decode().splitlines()
    assert code == 0, errors.decode()
    assert b"failed" not in errors
    assert "the planner says: 7391" in lines
    assert lines[-2:] == ["v2: the gateway listens on port 7391", "v1: the gateway listens on port 7390"]
