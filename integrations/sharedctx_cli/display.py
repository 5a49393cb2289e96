"""What people look at: text, tables and progress, drawn by rich on a terminal where it is installed."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text with control and direction characters spelled out, so that it cannot drive a terminal."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def show(text: str, *, newline: bool = True) -> None:
    """Print text: exact in a pipe, without control sequences on a terminal."""
    click.echo(clean(text) if sys.stdout.isatty() else text, nl=newline, color=True)


def alert(text: str) -> None:
    """Print text to stderr: exact in a pipe, without control sequences on a terminal."""
    click.echo(clean(text) if sys.stderr.isatty() else text, err=True)


def as_json(data: Any) -> str:
    """JSON on one line; on a terminal with everything beyond ASCII spelled out."""
    return json.dumps(data, ensure_ascii=sys.stdout.isatty())


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, headed: bool = False) -> None:
    """Print rows under their columns; in a pipe two spaces apart, and with a header only if ``headed``."""
    on_terminal = sys.stdout.isatty()
    if on_terminal and _draw(columns, rows):
        return
    for line in columned(columns if headed or on_terminal else (), rows):
        click.echo(clean(line) if on_terminal else line, color=True)


def columned(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows as lines under their columns' names, if any, two spaces apart; numbers stand to the right."""
    cells = [[str(cell).replace("\n", " ") for cell in row] for row in rows]
    everything = [list(columns), *cells] if columns else cells
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    right = [bool(rows) and isinstance(value, int | float) for value in (rows[0] if rows else columns)]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in everything
    ]


def _draw(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bool:
    try:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, column in enumerate(columns):
        number = bool(rows) and isinstance(rows[0][at], int | float)
        drawn.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(clean(str(cell)).replace("\n", " ")) for cell in row))
    Console().print(drawn)
    return True


@contextmanager
def progress(label: str, steps: int, *, hidden: bool = False) -> Iterator[Callable[[], None]]:
    """Show how far something has come, on stderr; what is yielded counts one step."""
    if not hidden and sys.stderr.isatty():
        try:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        except ImportError:
            pass
        else:
            columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            with Progress(*columns, console=Console(stderr=True)) as bars:
                task = bars.add_task(label, total=steps)
                yield lambda: bars.advance(task)
            return
    with click.progressbar(length=steps, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield lambda: bar.update(1)


@contextmanager
def growing(label: str, *, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how far something has come whose size is not known before; what is yielded is told (done, all)."""
    shown = [0]

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty() and not hidden and (done == of or done - shown[0] >= 100):
            shown[0] = 0 if done == of else done
            click.echo(f"\r{label}: {done} of {of} rows\x1b[K", err=True, nl=False)

    yield tell
    if sys.stderr.isatty() and not hidden:
        click.echo("\r\x1b[K", err=True, nl=False)


@contextmanager
def waiting(label: str, *, hidden: bool = False) -> Iterator[None]:
    """Show on stderr how long something takes of which it is not known how much there is, from one second on."""
    if hidden or not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    began = time.monotonic()

    def tell() -> None:
        pause = 1.0
        while not done.wait(pause):
            click.echo(f"\r{label}: {time.monotonic() - began:.0f} s\x1b[K", err=True, nl=False, color=True)
            pause = 0.25

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
        if time.monotonic() - began >= 1.0:
            click.echo("\r\x1b[K", err=True, nl=False, color=True)
