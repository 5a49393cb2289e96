"""The bundle for a hand-over: what the next agent should know, the same bytes for the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends.steps import Steps
from ..entries.arguments import check_number
from ..entries.names import check_participant
from ..entries.verbs import Verbs
from ..errors import InvalidValue
from ..views.plain import LEAST_TOKENS
from .factoring import factored
from .selection import Part
from .window import Window, bound, gather, render

_ROUNDS = 3
"""How often what factoring spared is given to more entries."""


@dataclass(frozen=True)
class Packet(Window):
    """What ``for_agent`` is handed for ``task``: a window on what it may read.

    Entries stand in the order of their last change, so that what stayed the same stays at the front, where prompt
    caches find it.
    """

    for_agent: str
    task: str

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"for_agent": self.for_agent, "task": self.task, **super().to_dict()}

    def messages(self, role: str = "user") -> list[dict[str, str]]:
        """The packet as one chat message."""
        return [{"role": role, "content": self.text}]


def packet(
    verbs: Verbs,
    participant: str | None,
    for_agent: str,
    task: str,
    max_tokens: int,
    *,
    priorities: Mapping[str, float] | None = None,
    prefix: str = "",
) -> Steps[Packet]:
    """Return what ``for_agent`` and the ``participant`` who hands over may both read, within ``max_tokens``, with what
    the words of ``task`` ask for first.

    Raises ``InvalidValue`` below 50 tokens, or for a task that leaves no room; ``ConfigError`` for a bad name.
    """
    check_participant(for_agent)
    check_number("max_tokens", max_tokens, LEAST_TOKENS)
    if not isinstance(task, str):
        raise InvalidValue(f"the task is {type(task).__name__}: write what {for_agent!r} is to do")
    count = verbs.session.settings.count_tokens
    head = f"# Shared context for {for_agent}" + (f"\nTask: {task}" if task else "")
    spent = count(f"{head}\n\n")
    if spent + LEAST_TOKENS > max_tokens:
        raise InvalidValue(f"the task needs {spent} of {max_tokens} tokens: raise max_tokens, or shorten the task")

    def draw(included: Sequence[Part], references: Sequence[Part], listed: int) -> str:
        parts = factored(sorted(included, key=lambda part: (part.rev, part.key)))
        rest = sorted(references, key=lambda part: part.key)
        return f"{head}\n\n{render(parts, rest, listed)}".rstrip("\n")

    material = yield from gather(verbs, (participant, for_agent), priorities, task or None, prefix)
    selection = yield from material.choose(max_tokens - spent)
    text, tokens, selection = bound(selection, max_tokens, count, draw)
    for _ in range(_ROUNDS):  # what entries have in common is counted once more in each, and left room
        spared = count(f"{head}\n\n{render(selection.included, selection.references, len(selection.listed))}") - tokens
        if spared <= LEAST_TOKENS or len(selection.included) == len(material.candidates):
            break
        more = yield from material.choose(max_tokens - spent + spared)
        drawn = bound(more, max_tokens, count, draw)
        if drawn[1] <= tokens:
            break
        text, tokens, selection = drawn
    return Packet(text, tokens, max_tokens, material.replay_tokens(selection), selection, for_agent, task)
