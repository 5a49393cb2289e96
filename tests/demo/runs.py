"""The demo, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FRAMEWORKS = ("langgraph", "langchain", "agents", "crewai")
ALONE = (*FRAMEWORKS, "quicktok", "tiktoken")
"""No framework and no tokenizer, which each of the demo's processes would load: tokens are estimated."""
COMMAND = [sys.executable, "-c", "from sharedctx_cli import main; main()"]


def environment(*hidden: str, first: Path | None = None) -> dict[str, str]:
    """The environment of a machine on which these packages are not installed; those in ``first`` are found first."""
    folders = [Path(__file__).with_name("hidden"), *([] if first is None else [first])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "HIDDEN": " ".join(hidden)}


def demo(
    *words: str, hidden: tuple[str, ...] = ALONE, before: tuple[str, ...] = (), first: Path | None = None
) -> tuple[int, Any, str]:
    """Run it with --json; returns the exit code, what it printed, and what it said of errors."""
    done = subprocess.run(
        [*COMMAND, "--json", *before, "demo", *words],
        capture_output=True,
        check=False,
        timeout=300,
        env=environment(*hidden, first=first),
    )
    return done.returncode, json.loads(done.stdout or b"null"), done.stderr.decode()


def material(folder: Path) -> Path:
    """A few files of different kinds, one of them large."""
    folder.mkdir()
    (folder / "a.log").write_text("".join(f"line {n} of the log\n" for n in range(3000)) + "ERROR disk full\n")
    (folder / "b.bin").write_bytes(bytes(range(256)))
    (folder / "empty.txt").write_text("")
    (folder / "program.py").write_text("".join(f"def step_{n}():\n    return {n}\n\n\n" for n in range(200)))
    (folder / "<b>odd.md").write_text("# Title\n\n<script>alert(1)</script>\n" * 30)
    return folder
