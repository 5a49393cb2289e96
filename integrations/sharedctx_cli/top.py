"""``sharedctx top``: who works on a session now, and what it spares them."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from sharedctx import SharedContext
from sharedctx.entry import Event
from sharedctx.errors import Compacted

from .display import clean, columned
from .target import Target

_LATEST = 10
_LONGEST = 86400.0


class Watcher:
    """What happens in a session between one look and the next."""

    def __init__(self, context: SharedContext) -> None:
        self._context = context
        self._rev = context.rev()
        self._at = time.monotonic()
        self._writes: Counter[str] = Counter()
        self._latest: deque[Event] = deque(maxlen=_LATEST)

    def look(self) -> dict[str, Any]:
        """Return the session's figures: those of each participant, and what was written last."""
        fresh = Counter(event.agent or "-" for event in self._news())
        now = time.monotonic()
        seconds, self._at = max(now - self._at, 1e-9), now
        self._writes += fresh
        served: dict[str, list[int]] = {}
        for saving in self._context.savings():
            sums = served.setdefault(saving.participant or "-", [0, 0, 0])
            for at, value in enumerate(saving[3:6]):
                sums[at] += value
        people = [
            {
                "participant": name,
                "writes": self._writes[name],
                "writes_per_second": round(fresh[name] / seconds, 1),
                **dict(zip(("calls", "served_tokens", "replay_tokens"), served.get(name, [0, 0, 0]), strict=True)),
            }
            for name in sorted({*self._writes, *served})
        ]
        return {
            "session": self._context.session,
            "store": self._context.store.address,
            "rev": self._rev,
            "keys": len(self._context.keys()),
            "participants": people,
            "latest": [
                {"rev": event.rev, "op": event.op, "key": event.key, "version": event.version, "agent": event.agent}
                for event in reversed(self._latest)
            ],
        }

    def _news(self) -> list[Event]:
        try:
            found = self._context.changes(self._rev, limit=10_000)
            self._rev = found[-1].rev if found else self._rev
        except Compacted:  # what was trimmed away meanwhile is not counted
            found, self._rev = [], self._context.rev()
        self._latest.extend(found)
        return found


def drawn(facts: dict[str, Any]) -> list[str]:
    """The figures as lines of text."""
    people = [
        (
            each["participant"],
            each["writes"],
            each["writes_per_second"],
            each["calls"],
            each["served_tokens"],
            each["replay_tokens"],
            f"{100 * (1 - each['served_tokens'] / each['replay_tokens']):.1f}%" if each["replay_tokens"] else "-",
        )
        for each in facts["participants"]
    ]
    latest = [
        (each["rev"], each["op"], f"{each['key']} v{each['version']}", each["agent"] or "-") for each in facts["latest"]
    ]
    return [
        f"session {facts['session']} of {facts['store']}: {facts['keys']} keys, revision {facts['rev']}",
        "",
        *columned(("participant", "writes", "a second", "reads", "served tokens", "full replay", "saved"), people),
        *(["", *columned(("revision", "change", "entry", "writer"), latest)] if latest else []),
    ]


@contextmanager
def _screen(live: bool) -> Iterator[None]:
    """The terminal's other screen, which leaves the first as it was."""
    if live:
        click.echo("\x1b[?1049h\x1b[?25l", nl=False, color=True)
    try:
        yield
    finally:
        if live:
            click.echo("\x1b[?25h\x1b[?1049l", nl=False, color=True)


@click.command()
@click.option(
    "--interval", type=click.FloatRange(0.05), default=2.0, show_default=True, metavar="SECONDS", help="Between looks."
)
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="End after so many looks; in a pipe after one.")
@click.pass_obj
def top(target: Target, interval: float, rounds: int | None) -> None:
    """Show who works on the session as it happens: writes, reads, tokens served against full replay.

    On a terminal until Ctrl-C, in a pipe once.
    """
    if not interval <= _LONGEST:
        raise click.BadParameter(f"{interval} is no number of seconds up to a day", param_hint="--interval")
    live = sys.stdout.isatty() and not target.as_json
    left = rounds if rounds is not None else None if live else 1
    with target.store() as store:
        watcher = Watcher(target.context(store))
        quiet = threading.Event()
        with _screen(live):
            try:
                while True:
                    _show(target, watcher.look(), live)
                    left = None if left is None else left - 1
                    if left == 0:
                        break
                    quiet.wait(interval)
            except KeyboardInterrupt:
                pass
        if live:
            _show(target, watcher.look(), False)


def _show(target: Target, facts: dict[str, Any], live: bool) -> None:
    lines = drawn(facts)
    if not live:
        target.emit(facts, "\n".join(lines))
        sys.stdout.flush()
        return
    width, height = shutil.get_terminal_size()
    shown = "\n".join(clean(line)[:width] for line in lines[: height - 1])
    click.echo(f"\x1b[H\x1b[J{shown}", nl=False, color=True)
    sys.stdout.flush()
