"""The core benchmark runs and every case gives figures; how large they are is nobody's test."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).with_name("core.py")
CASES = {"put", "get", "durable put", "newest", "crowd", "tasks", "imports", "audit"}


def test_every_case_gives_figures_and_the_page_takes_them(tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    page.write_text("before\n<!-- core: begin -->\nold\n<!-- core: end -->\nafter\n", encoding="utf-8")
    small = ["--quick", "--rounds", "1", "--seconds", "0.2", "--versions", "500"]
    files = ["--directory", str(tmp_path), "--json", str(figures), "--markdown", str(page)]
    roots = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, str(BENCH), *small, *files],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": roots},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert {figure["case"] for figure in found["figures"]} == CASES
    for figure in found["figures"]:
        numbers = [value for value in figure.values() if isinstance(value, float)]
        assert numbers, figure
        assert all(map(math.isfinite, numbers)), figure
        assert figure["system"] in done.stdout
    assert found["targets"]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- core: begin -->")
    assert text.endswith("<!-- core: end -->\nafter\n")
    assert "old" not in text
    assert "SharedContext.put" in text
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("bench-")] == []
