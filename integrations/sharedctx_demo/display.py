"""What a person sees while the agents are at work: who is at what, on a terminal; nothing in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Any

import click

from sharedctx_cli.display import clean

from .cast import Member

_ERASE = "\r\x1b[K"
_PAUSE = 0.2
"""Seconds between two tellings of the latest step."""


class Display:
    """A live table of the agents by rich; without it a line when one ends, and one with the latest step.

    A context manager.
    """

    def __init__(self, *, hidden: bool = False) -> None:
        self._shown = not hidden and sys.stderr.isatty()
        self._lines: dict[str, tuple[str, str, int, str]] = {}
        self._since = time.monotonic()
        self._live: Any = None
        self._latest = ""
        self._told = 0.0

    def __enter__(self) -> Display:
        if self._shown:
            try:
                from rich.console import Console
                from rich.live import Live
            except ImportError:
                return self
            console = Console(stderr=True)
            self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        elif self._shown:
            click.echo(_ERASE, err=True, nl=False, color=True)

    def tick(self) -> None:
        """Time has passed."""
        now = time.monotonic()
        if self._shown and self._live is None and now - self._told >= _PAUSE:
            self._told = now
            wide = shutil.get_terminal_size().columns - 1
            click.echo(_ERASE + f"{self._seconds()}  {self._latest}"[:wide], err=True, nl=False, color=True)

    def starts(self, member: Member) -> None:
        """An agent's process was started."""
        steps = self._lines[member.role][2] if member.role in self._lines else 0
        self._set(member, "at work", steps, "")

    def step(self, member: Member, what: str) -> None:
        """An agent did something."""
        state, steps = self._lines[member.role][1:3]
        self._set(member, state, steps + 1, what)

    def killed(self, member: Member) -> None:
        """An agent's process was killed, and is started again."""
        self._set(member, "killed, resumes", self._lines[member.role][2], "kill -9")

    def ends(self, member: Member, well: bool) -> None:
        """An agent's process ended."""
        was, steps = self._lines[member.role][1:3]
        again = " again" if was.startswith("killed") else ""
        self._set(member, f"done{again}" if well else "FAILED", steps, "")

    def _set(self, member: Member, state: str, steps: int, what: str) -> None:
        self._lines[member.role] = (member.title, state, steps, what)
        if self._shown and self._live is None:
            self._latest = clean(f"{member.title}, {steps:,} steps: {what or state}")
            if not what and state != "at work":
                line = clean(f"{self._seconds()}  {member.title}: {state}, {steps:,} steps")
                click.echo(_ERASE + line, err=True, color=True)

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._since:5.1f} s"

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for title, state, steps, what in self._lines.values():
            style = "red" if state == "FAILED" else "green" if state.startswith("done") else "yellow"
            table.add_row(Text(title), Text(state, style=style), Text(f"{steps} steps"), Text(clean(what)[:60]))
        table.add_row(Text(f"{time.monotonic() - self._since:.0f} s", style="dim"))
        return table
