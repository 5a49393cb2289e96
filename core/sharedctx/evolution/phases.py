"""How long phases took, followed from state to state as an evolution goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .context import Found, finished


class Phases(NamedTuple):
    """The phases up to a version of the state: which one runs and since when, and the seconds of those that ended.

    A phase ends when another one begins or the evolution finishes; one that ran twice counts both.
    """

    version: int = 0
    running: str | None = None
    since: float = 0.0
    seconds: Mapping[str, float] = {}

    def after(self, version: int, at: float, state: Mapping[str, str]) -> Phases:
        """Return the phases with the next version of the state, written ``at``."""
        running = None if finished(state["status"]) else state["current_phase"]
        if running == self.running:
            return self._replace(version=version)
        seconds = dict(self.seconds)
        if self.running is not None:
            seconds[self.running] = seconds.get(self.running, 0.0) + at - self.since
        return Phases(version, running, at, seconds)


def spread(runs: Iterable[Mapping[str, float]]) -> dict[str, Found]:
    """Return ``{phase: {count, total, mean}}`` in seconds over many evolutions."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for phase, seconds in run.items():
            found.setdefault(phase, []).append(seconds)
    return {
        phase: {"count": len(all_), "total": sum(all_), "mean": sum(all_) / len(all_)} for phase, all_ in found.items()
    }
