"""Commits of a group that build on others of it: they fail where those failed, whatever their own conditions say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ConditionFailed
from .base import Commit, Committed, Grounds


def groundless(grounds: Grounds, at: int, results: Sequence[Committed | Exception | None]) -> ConditionFailed | None:
    """Return the error of the commit at ``at`` if one that it builds on failed, else None."""
    for ground in grounds[at] if grounds else ():
        if isinstance(results[ground], Exception):
            return ConditionFailed(
                "a write that this one builds on was refused: read again, then repeat it", pk=None, actual=None
            )
    return None


def in_waves(
    commits: Sequence[Commit],
    grounds: Grounds,
    send: Callable[[Sequence[Commit]], list[Committed | Exception]],
) -> list[Committed | Exception]:
    """Send a group in order, in as few calls as go: what builds on another is sent once that is known to stand."""
    results: list[Committed | Exception | None] = [None] * len(commits)
    at = 0
    while at < len(commits):
        wave: list[int] = []
        while at < len(commits) and all(results[ground] is not None for ground in (grounds[at] if grounds else ())):
            results[at] = groundless(grounds, at, results)
            if results[at] is None:
                wave.append(at)
            at += 1
        for place, result in zip(wave, send([commits[place] for place in wave]), strict=True):
            results[place] = result
    return [result for result in results if result is not None]
