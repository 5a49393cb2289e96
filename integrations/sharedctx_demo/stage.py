"""The stage: starts the agents as processes, follows what they report, kills the one that is to die and starts it
again."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from .cast import Member
from .display import Display

PATIENCE = 300.0
"""Seconds that the agents together may take."""
_TICK = 0.25


class Death(NamedTuple):
    """When a process was killed, in seconds since the epoch, in which step; when a new one did it."""

    role: str
    at: float
    step: int
    resumed: float | None = None


class Stage:
    """Runs agents on one session. ``reports`` is what they said, ``failed`` why those roles did not end well.

    ``folder`` is for what the processes are given; ``log`` is written by all of them.
    """

    def __init__(self, folder: Path, address: str, session: str, log: Path, display: Display) -> None:
        self.log = log
        self.reports: list[dict[str, Any]] = []
        self.failed: dict[str, str] = {}
        self.deaths: list[Death] = []
        self._folder = folder
        self._setup = {"address": address, "session": session, "log": str(log)}
        self._display = display

    def run(self, parts: Sequence[tuple[Member, Mapping[str, Any]]]) -> None:
        """Play all these parts at once and return when all have ended.

        None outlives this: a signal to stop is passed on once all that was started has been killed.
        """
        running: dict[str, subprocess.Popen[str]] = {}
        with _held() as signals:
            try:
                self._run(parts, running, signals)
            finally:
                for process in running.values():
                    process.kill()
                    process.wait()
        if signals:
            signal.raise_signal(signals[0])

    def _run(
        self,
        parts: Sequence[tuple[Member, Mapping[str, Any]]],
        running: dict[str, subprocess.Popen[str]],
        signals: Sequence[int],
    ) -> None:
        setups: dict[str, dict[str, Any]] = {}
        ends = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as waiting:

            def start(member: Member, setup: dict[str, Any]) -> None:
                setups[member.role] = setup
                path = self._folder / f"{member.role}.json"
                path.write_text(json.dumps({**self._setup, **setup}), "utf-8")
                command = [sys.executable, "-m", "sharedctx_demo.agents", member.role, str(path)]
                process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
                running[member.role] = process
                assert process.stdout is not None
                waiting.register(process.stdout, selectors.EVENT_READ, member)

            for member, setup in parts:
                self._display.starts(member)
                start(member, dict(setup))
            while waiting.get_map() and not signals:
                ready = waiting.select(_TICK)
                self._display.tick()
                if time.monotonic() > ends:
                    self._give_up(running)
                    return
                for key, _ in ready:
                    stream: IO[str] = key.fileobj  # type: ignore[assignment]
                    member = key.data
                    line = stream.readline()
                    if not line:
                        waiting.unregister(stream)
                        self._ended(member, running[member.role])
                        continue
                    report = json.loads(line)
                    self._heard(member, report)
                    if "halfway" in report:
                        waiting.unregister(stream)
                        at = self._kill(member, running[member.role])
                        start(member, {**setups[member.role], "dies_at": None})
                        self.deaths.append(Death(member.role, at, report["halfway"]))

    def _heard(self, member: Member, report: dict[str, Any]) -> None:
        self.reports.append(report)
        if "error" in report:
            self.failed[member.role] = report["error"]
            return
        self.deaths = [
            death._replace(resumed=time.time()) if death.role == member.role and death.resumed is None else death
            for death in self.deaths
        ]
        self._display.step(member, report["step"])

    def _kill(self, member: Member, process: subprocess.Popen[str]) -> float:
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._display.killed(member)
        return time.time()

    def _ended(self, member: Member, process: subprocess.Popen[str]) -> None:
        well = (code := process.wait()) == 0
        if not well:
            self.failed.setdefault(member.role, f"its process ended with {code}")
        self._display.ends(member, well)

    def _give_up(self, running: Mapping[str, subprocess.Popen[str]]) -> None:
        for role, process in running.items():
            if process.poll() is None:
                self.failed[role] = f"not done within {PATIENCE:.0f} seconds"


@contextmanager
def _held() -> Iterator[list[int]]:
    """Collect signals to stop instead of being interrupted by them, while a process may be half started."""
    signals: list[int] = []
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(each, lambda number, _: signals.append(number))
    try:
        yield signals
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
