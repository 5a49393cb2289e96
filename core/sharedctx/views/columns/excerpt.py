"""The telling lines of one long string: start, end, and signs of trouble."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..pieces import score, units_with

NOTABLE = re.compile(
    r"(?i:\b(?:err(?:or|no)|fatal|panic|exception|traceback|fail(?:ed|ure|ing|s)|crit(?:ical)?\b|denied|refused|rejected|"
    r"time(?:d.)?out|invalid|unreachable|unavailable|aborted|cancell?ed|corrupt|degraded))|"
    r"(?:Error|Exception|Failure|BackOff|OOMKilled|NotReady|Unhealthy|Evicted)\b"
)
"""Signs of trouble."""
STEMS = (
    "err", "fatal", "panic", "exception", "traceback", "fail", "crit", "denied", "refused", "rejected",
    "timeout", "timed", "invalid", "unreachable", "unavailable", "aborted", "cancel", "corrupt", "degraded",
    "backoff", "oomkilled", "notready", "unhealthy", "evicted",
)  # fmt: skip
"""In lower case a part of every sign of trouble."""
_SCANNED = 2000
_LONGEST_LINE = 400
_MOST_LINES = 20_000


def notable(text: str) -> bool:
    """Whether the start of a text has signs of trouble."""
    return NOTABLE.search(text, 0, _SCANNED) is not None


def suspects(texts: Sequence[str]) -> list[int]:
    """Return the places of the texts that may be notable, in order: the others are not."""
    return units_with(texts, STEMS, any_case=True)


def excerpt(text: str, limit: int, wanted: Sequence[str]) -> list[str]:
    """Pieces of a text that together have about ``limit`` characters, in order; something is missing between them."""
    lines = text.split("\n") if text.count("\n") < _MOST_LINES else [text]
    if len(lines) < 4:
        return [part for part in (start(text, limit * 3 // 4), end(text, limit // 4)) if part]
    kept: set[int] = set()

    def take(places: Sequence[int], room: int) -> None:
        for at in places:
            cost = min(len(lines[at]), _LONGEST_LINE) + 1
            if at not in kept and cost > room:
                break
            if at not in kept:
                kept.add(at)
                room -= cost

    scores = [score(line, wanted) for line in lines] if wanted else [0] * len(lines)
    for at in suspects(lines):
        scores[at] += notable(lines[at])
    telling = sorted((-found, at) for at, found in enumerate(scores) if found)
    take(range(len(lines)), limit * 2 // 5)
    take(range(len(lines) - 1, -1, -1), limit // 5)
    take([at for _, at in telling], limit * 2 // 5)
    if not kept:
        return [start(text, limit)]
    pieces: list[list[str]] = []
    last = -2
    for at in sorted(kept):
        line = lines[at] if len(lines[at]) <= _LONGEST_LINE else f"{start(lines[at], _LONGEST_LINE)}…"
        if at == last + 1:
            pieces[-1].append(line)
        else:
            pieces.append([line])
        last = at
    return ["\n".join(piece) for piece in pieces]


def start(text: str, limit: int) -> str:
    """The start of a text, cut between words."""
    if len(text) <= limit:
        return text
    at = max(limit, 0)
    least = max(at - 200, 0)
    while (
        at > least and (text[at - 1].isalnum() or text[at - 1] in "_-.") and (text[at].isalnum() or text[at] in "_-.")
    ):
        at -= 1
    return text[:at] if at > least else ""


def end(text: str, limit: int) -> str:
    """The end of a text, cut between words."""
    return start(text[::-1], limit)[::-1]
