"""The example runs as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mcp_clients.py"


def test_two_clients_share_a_store() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "told: context://team/logs/today" in done.stdout
    assert "VERSION_CONFLICT: 'logs/today' is version 2 by 'operator'" in done.stdout
    assert "[a key that you read has changed: logs/today v1 -> v2 by operator]" in done.stdout
