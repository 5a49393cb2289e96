"""The views benchmark runs and every kind gives a row; how good the figures are is nobody's test."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).with_name("views.py")
CONTESTANTS = {"sharedctx standard", "sharedctx lossless", "untouched", "minified JSON"}
KINDS = {
    "code", "csv", "diff", "grep", "html", "json-api", "json-k8s", "json-rows", "log", "markdown", "metrics", "openapi",
    "pytest", "trajectory",
}  # fmt: skip


def run(*options: str) -> str:
    roots = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, str(BENCH), *options],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": roots, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kind_gives_a_row_and_the_page_takes_the_tables(tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    page.write_text("before\n<!-- views: begin -->\nold\n<!-- views: end -->\nafter\n", encoding="utf-8")
    out = run("--quick", "--json", str(figures), "--markdown", str(page))
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert {(each["contestant"], each["kind"]) for each in found["figures"]} == {
        (name, kind) for name in CONTESTANTS for kind in KINDS
    }
    for each in found["figures"]:
        assert each["tokens"] > 0, each
        assert math.isfinite(each["ms"]), each
        assert each["critical"] + each["lookup"] > 0, each
        assert not each["failure"], each
    text = page.read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"\n{kind} " in out
        assert f"\n| {kind} |" in text
    assert text.startswith("before\n<!-- views: begin -->")
    assert text.endswith("<!-- views: end -->\nafter\n")
    assert "old" not in text
    assert found["targets"]


def test_a_given_folder_takes_the_place_of_the_own_material(tmp_path: Path) -> None:
    lines = [f"2026-01-01 00:00:{at:02} INFO worker {at} is ready" for at in range(50)]
    (tmp_path / "a.log").write_bytes("\r\n".join([*lines, "ERROR disk sdb4 is full"]).encode())
    (tmp_path / "manifest.json").write_text(json.dumps([{"name": "a.log", "kind": "stacktrace"}]), encoding="utf-8")
    needle = {"item": "a.log", "cat": "error", "crit": True, "near": ["sdb4", "full"], "any": ["disk"], "win": 600}
    needles, figures = tmp_path / "needles.json", tmp_path / "figures.json"
    needles.write_text(json.dumps([needle]), encoding="utf-8")
    run("--corpus", str(tmp_path), "--needles", str(needles), "--json", str(figures))
    found = json.loads(figures.read_text(encoding="utf-8"))["figures"]
    assert {each["contestant"] for each in found} == CONTESTANTS
    assert {(each["item"], each["kind"], each["critical"], each["lookup"]) for each in found} == {
        ("a.log", "log", 1, 0)
    }
