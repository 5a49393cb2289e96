"""On a terminal: tables and progress, with rich or without, and nothing stored can drive it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import click
import pytest

import sharedctx
from sharedctx_cli.display import waiting

from .shell import Terminal


def on_terminal(place: str, *words: str, rich: bool = True, env: dict[str, str] | None = None) -> str:
    """Run a command that ends by itself in a pseudo-terminal and return what it shows."""
    terminal = Terminal(place, *words, rich=rich, env=env)
    assert terminal.end() == 0, terminal.shown
    return terminal.shown


@pytest.fixture
def place(tmp_path: Path) -> str:
    with sharedctx.open(tmp_path / "store") as store:
        context = store.session()
        context.put("plan", "first", agent="planner")
        context.put("evil", "red \x1b[31m alert \x07 \u202e gnp.exe \u061c\u2028 [bold]not markup[/bold]")
    return str(tmp_path / "store")


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_a_list_is_a_table_with_or_without_rich(place: str, rich: bool) -> None:
    shown = on_terminal(place, "ls", rich=rich)
    assert "planner" in shown
    assert "writer" in shown


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_a_stored_text_cannot_drive_the_terminal(place: str, rich: bool) -> None:
    for command in (["get", "evil"], ["get", "evil", "--full"], ["expand", "evil", "all"]):
        shown = on_terminal(place, *command, rich=rich)
        assert r"red \x1b[31m alert \x07 \x202e gnp.exe \x61c\x2028 [bold]not markup[/bold]" in shown
        assert "\x07" not in shown


def test_watch_shows_what_is_committed_until_ctrl_c(place: str) -> None:
    terminal = Terminal(place, "watch", "--from-rev", "0")
    terminal.until("plan v1  planner")
    with sharedctx.open(place) as store:
        store.session().bind("coder").put("news", "\x1b]0;owned\x07")
        terminal.until("news v1  coder")
        store.session().delete("news")
    terminal.until("delete  news v2")
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "Traceback" not in terminal.shown


def test_top_shows_who_works_and_gives_the_terminal_back(place: str) -> None:
    terminal = Terminal(place, "top", "--interval", "0.05")
    terminal.until("session default")
    with sharedctx.open(place) as store:
        coder = store.session().bind("coder")
        coder.put("news", "v")
        coder.get("plan")
    terminal.until("news v1")
    terminal.until("coder")
    terminal.type("\x03")
    assert terminal.end() == 0
    first, _, last = terminal.shown.rpartition("\x1b[?1049l")
    assert first.startswith("\x1b[?1049h\x1b[?25l")
    assert "coder" in last
    assert "Traceback" not in terminal.shown


def test_top_ends_after_its_rounds(place: str) -> None:
    shown = on_terminal(place, "top", "--interval", "0.05", "--rounds", "3")
    assert shown.count("session default") == 4  # the last one is left on the terminal


def test_lines_of_top_stay_within_the_terminal(place: str) -> None:
    with sharedctx.open(place) as store:
        store.session().put("a" * 300, "v")
    terminal = Terminal(place, "top", "--interval", "0.05", "--rounds", "2", env={"COLUMNS": "40", "LINES": "6"})
    assert terminal.end() == 0
    screens = terminal.shown.partition("\x1b[?25h")[0].split("\x1b[H\x1b[J")[1:]
    assert len(screens) == 2
    assert all(len(line) <= 40 for screen in screens for line in screen.split("\r\n"))
    assert all(screen.count("\r\n") < 6 for screen in screens)


def test_json_on_a_terminal_is_whole_and_cannot_drive_it(place: str) -> None:
    with sharedctx.open(place) as store:
        store.session().put("odd", "\x9b31m \u202e end")
    shown = on_terminal(place, "get", "odd", "--full", "--json")
    assert shown.isascii()
    assert json.loads(shown)["value"] == "\x9b31m \u202e end"


def test_messages_cannot_drive_the_terminal(place: str) -> None:
    terminal = Terminal(place, "get", "a\x1b[31mb")
    assert terminal.end() == 2
    assert "\x1b[31m" not in terminal.shown
    terminal = Terminal(place, "no\x1b]0;such\x07")
    assert terminal.end() == 2
    assert "\x1b]0" not in terminal.shown


def test_a_terminal_that_knows_few_letters_shows_the_others_spelled_out(place: str) -> None:
    with sharedctx.open(place) as store:
        store.session().put("鍵", "v")
    assert "\\u9375" in on_terminal(place, "ls", env={"PYTHONIOENCODING": "latin-1"})


def test_no_color_is_kept(place: str) -> None:
    for words in (["ls"], ["history", "plan"], ["--help"]):
        shown = on_terminal(place, *words, env={"NO_COLOR": "1"})
        assert "\x1b[3" not in shown
        assert "\x1b[9" not in shown


def test_what_takes_long_tells_how_long(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    echo = click.echo

    def heard(text: str, **options: Any) -> None:
        echo(text, **options)
        if "working: 1 s" in text:
            told.set()

    monkeypatch.setattr("sharedctx_cli.display.click.echo", heard)
    with waiting("working"):
        assert told.wait(30)
    assert capsys.readouterr().err.endswith("\r\x1b[K")
    with waiting("quick"):
        pass
    assert "quick" not in capsys.readouterr().err
