"""As much of a project as a budget allows: whole values by priority, and references to the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import InvalidValue
from ..tokens import TokenCounter
from .state import State, canonical, joined, quoted

PRIORITIES: Final[Mapping[str, float]] = {
    "currentTask": 10,
    "recentChanges": 9,
    "projectStructure": 8,
    "dependencies": 7,
    "completedTasks": 6,
    "documentation": 5,
    "history": 4,
    "metadata": 3,
}
LEAST_TOKENS: Final = 50
REST: Final = "..."
_SUMMARY = 120

Locate = Callable[[str | None], str]
"""Where a value of the context can be fetched; with None, where all of it can."""


@dataclass(frozen=True)
class ProjectWindow:
    """A part of a context: ``pairs`` as JSON, of which ``references`` names stand for what they lead to."""

    pairs: Mapping[str, bytes]
    included: tuple[str, ...]
    references: tuple[str, ...]
    tokens: int

    @property
    def encoded(self) -> bytes:
        """The context of the window as JSON."""
        return joined(self.pairs)


def project_window(
    state: State,
    max_tokens: Any,
    locate: Locate,
    count: TokenCounter,
    priorities: Mapping[str, float] = PRIORITIES,
) -> ProjectWindow:
    """Return the highest priorities whole while they fit ``max_tokens`` (from 50 up), and references to the rest.

    Where not even the references fit, one of the name ``...`` leads to all of the context; it has more dots where the
    context has that name itself. Nothing is changed by it. Raises ``InvalidValue``.
    """
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < LEAST_TOKENS:
        raise InvalidValue(f"maxTokens {max_tokens!r:.40} is no number from {LEAST_TOKENS} up: references need room")
    sizes = {name: count(data.decode()) + 1 for name, data in state.pairs.items()}
    if sum(sizes.values()) <= max_tokens:
        return ProjectWindow(state.pairs, tuple(state.pairs), (), sum(sizes.values()))
    order = sorted(state.pairs, key=lambda name: (-priorities.get(name, 0), sizes[name], name))
    rest_name = REST
    while rest_name in state.pairs:
        rest_name += "."
    rest = _reference(rest_name, locate(None), f"{len(order)} names, read the context whole")
    room = max_tokens - count(rest.decode()) - 1
    chosen: dict[str, bytes] = {}
    included: list[str] = []
    references = {name: _reference(name, locate(name), _summary(state.value(name), sizes[name])) for name in order}
    costs = {name: count(data.decode()) + 1 for name, data in references.items()}
    owed = sum(costs.values())
    if owed <= room:  # every name has a place, whole or as a reference
        for name in order:
            if owed - costs[name] + sizes[name] <= room or sizes[name] <= costs[name]:
                owed += sizes[name] - costs[name]
                chosen[name] = state.pairs[name]
                included.append(name)
            else:
                chosen[name] = references[name]
        return ProjectWindow(chosen, tuple(included), tuple(name for name in order if name not in included), owed)
    spent = 0
    for name in order:
        if spent + sizes[name] <= room:
            chosen[name], spent = state.pairs[name], spent + sizes[name]
            included.append(name)
        elif spent + costs[name] <= room:
            chosen[name], spent = references[name], spent + costs[name]
    referred = tuple(name for name in chosen if name not in included)
    if len(chosen) < len(order):
        chosen[rest_name] = rest
        spent += max_tokens - room
        referred += (rest_name,)
    return ProjectWindow(chosen, tuple(included), referred, spent)


def _reference(name: str, location: str, summary: str) -> bytes:
    value = {"type": "reference", "location": location, "summary": summary}
    return b"%b:%b" % (quoted(name), canonical(value, "a reference"))


def _summary(data: bytes, tokens: int) -> str:
    """A value in a few words: what it is, how large, and how it begins."""
    value: Any = json.loads(data)
    if isinstance(value, dict):
        shown = f"object of {len(value)}: {', '.join(list(value)[:12])}"
    elif isinstance(value, list):
        shown = f"array of {len(value)}: {canonical(value[:1], 'an item').decode()}"
    else:
        shown = " ".join(str(value).split())
    short = shown if len(shown) <= _SUMMARY else f"{shown[: _SUMMARY - 1]}…"
    return f"{short} ({tokens} tokens)"
