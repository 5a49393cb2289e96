"""The examples do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_takes_another_way_and_keeps_the_first() -> None:
    command = [sys.executable, str(ROOT / "examples" / "langgraph_time_travel.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "6 messages are remembered" in done.stdout
    assert "ai    Then we have a day more" in done.stdout
    assert "it ends with: Shoes for the hills" in done.stdout


def test_graphs_in_two_processes_and_a_crew_share_a_memory() -> None:
    command = [sys.executable, "-W", "ignore", str(ROOT / "examples" / "langgraph_shared_store.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "3 findings are kept",
        "price: The night train costs 59 euros, the flight 140.",
        "crew: She is afraid of flying.",
        "note: We leave on Friday.",
        "findings/trip/climate, findings/trip/price, findings/trip/time are entries for tools and crews too",
    ]
