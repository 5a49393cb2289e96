"""The examples of the server run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sharedctx_server.testing import Running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_five_agents_end_in_the_same_state_for_fewer_tokens(server: Running) -> None:
    script = str(EXAMPLES / "five_agents.py")
    done = subprocess.run([sys.executable, script, server.url], capture_output=True, text=True, check=True)
    assert "all at version 6: True" in done.stdout
    assert "reviewer fetched 300 rules" in done.stdout


def test_the_server_by_curl(server: Running) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    environment = {**os.environ, "SHAREDCTX_SERVER": server.url}
    script = str(EXAMPLES / "context_server.sh")
    done = subprocess.run(["sh", script], capture_output=True, text=True, check=True, env=environment)
    for expected in (
        '"version":2',
        '"statusCode":409',
        '"fromVersion":1',
        "304",
        '"version":3',
        "event: context_update",
    ):
        assert expected in done.stdout
    assert '"deleted":true' in done.stdout
