"""The stage: starts the agents as processes, follows what they report, kills the one that is to die and starts it
again."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from .cast import Member
from .display import Display

PATIENCE = 300.0
"""Seconds that the agents together may take."""


class Death(NamedTuple):
    """When a process was killed, in seconds since the epoch, in the middle of which step, and when it went on."""

    role: str
    at: float
    step: int
    resumed: float


class Stage:
    """Runs agents on one session. ``sums`` adds up what each reported, ``failed`` are the roles that did not end well.

    ``folder`` is for what the processes are given; ``log`` is written by all of them.
    """

    def __init__(self, folder: Path, address: str, session: str, log: Path, display: Display) -> None:
        self.log = log
        self.sums: dict[str, Counter[str]] = {}
        self.failed: list[str] = []
        self.deaths: list[Death] = []
        self._folder = folder
        self._setup = {"address": address, "session": session, "log": str(log)}
        self._display = display

    def run(self, parts: Sequence[tuple[Member, Mapping[str, Any]]]) -> None:
        """Play all these parts at once and return when all have ended."""
        running: dict[str, subprocess.Popen[str]] = {}
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
            while waiting.get_map():
                ready = waiting.select(max(ends - time.monotonic(), 0.0))
                if not ready:
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
                        self.deaths.append(Death(member.role, at, report["halfway"], time.time()))

    def _heard(self, member: Member, report: dict[str, Any]) -> None:
        sums = self.sums.setdefault(member.role, Counter())
        sums.update({name: value for name, value in report.items() if isinstance(value, int) and name != "halfway"})
        sums["steps"] += 1
        self._display.step(member, report["step"])

    def _kill(self, member: Member, process: subprocess.Popen[str]) -> float:
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._display.killed(member)
        return time.time()

    def _ended(self, member: Member, process: subprocess.Popen[str]) -> None:
        well = process.wait() == 0
        if not well:
            self.failed.append(member.role)
        self._display.ends(member, well)

    def _give_up(self, running: Mapping[str, subprocess.Popen[str]]) -> None:
        for role, process in running.items():
            if process.poll() is None:
                process.kill()
                self.failed.append(role)
            process.wait()
