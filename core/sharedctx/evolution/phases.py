"""How long phases took, from the history of the states of evolutions."""

from __future__ import annotations

from collections.abc import Iterable

from .context import Found, finished
from .live import Update


def durations(states: Iterable[Update], times: Iterable[float]) -> dict[str, float]:
    """Return seconds by phase; a phase ends when another one begins or the evolution finishes.

    ``times`` are those of the states. A phase that still runs is left out, one that ran twice counts both.
    """
    found: dict[str, float] = {}
    phase, since = None, 0.0
    for state, at in zip(states, times, strict=True):
        running = None if finished(state.data["status"]) else state.data["current_phase"]
        if running != phase:
            if phase is not None:
                found[phase] = found.get(phase, 0.0) + at - since
            phase, since = running, at
    return found


def spread(runs: Iterable[dict[str, float]]) -> dict[str, Found]:
    """Return ``{phase: {count, total, mean}}`` in seconds over many evolutions."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for phase, seconds in run.items():
            found.setdefault(phase, []).append(seconds)
    return {
        phase: {"count": len(all_), "total": sum(all_), "mean": sum(all_) / len(all_)} for phase, all_ in found.items()
    }
