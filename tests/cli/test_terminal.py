"""On a terminal: tables and progress, with rich or without, and nothing stored can drive it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import sharedctx

_RUN = "import sys; {before}from sharedctx_cli.main import main; main(sys.argv[1:])"


def on_terminal(*args: str, rich: bool = True) -> str:
    """Run the command line in a pseudo-terminal and return what it shows."""
    ours, theirs = pty.openpty()
    code = _RUN.format(before="" if rich else "sys.modules['rich'] = None; ")
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as child:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        assert child.wait() == 0
    return shown.decode()


@pytest.fixture
def place(tmp_path: Path) -> str:
    with sharedctx.open(tmp_path / "store") as store:
        context = store.session()
        context.put("plan", "first", agent="planner")
        context.put("evil", "red \x1b[31m alert \x07 \u202e gnp.exe [bold]not markup[/bold]")
    return str(tmp_path / "store")


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_a_list_is_a_table_with_or_without_rich(place: str, rich: bool) -> None:
    shown = on_terminal("--path", place, "ls", rich=rich)
    assert "planner" in shown
    assert ("writer" in shown) is rich


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_a_stored_text_cannot_drive_the_terminal(place: str, rich: bool) -> None:
    for command in (["get", "evil"], ["get", "evil", "--full"], ["expand", "evil", "all"]):
        shown = on_terminal("--path", place, *command, rich=rich)
        assert r"red \x1b[31m alert \x07 \x202e gnp.exe [bold]not markup[/bold]" in shown
        assert "\x07" not in shown
