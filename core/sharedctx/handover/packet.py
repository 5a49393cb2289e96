"""The bundle for a hand-over: what the next agent should know, the same bytes for the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends.steps import Steps
from ..entries.arguments import check_encodable, check_number
from ..entries.names import check_participant
from ..entries.verbs import Verbs
from ..errors import InvalidValue
from ..tracing import handed
from ..views.plain import LEAST_TOKENS
from .factoring import factored
from .selection import Part, Selection
from .window import Material, Window, bound, gather, render

_HEAD = "# Shared context for "
_LONGEST = 8
"""Characters for each token of the budget up to which an entry is looked at for repetitions."""
_SHARED = 1.05
"""From how many times its size without repetitions on the room of a packet is planned larger than it is."""


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


def is_packet(text: Any) -> bool:
    """Whether a message says what a packet does, which need not be kept again."""
    return isinstance(text, str) and text.startswith(_HEAD)


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
    work = _packet(verbs, participant, for_agent, task, max_tokens, priorities, prefix)
    return handed(verbs.place, participant, task, work)


def _packet(
    verbs: Verbs,
    participant: str | None,
    for_agent: str,
    task: str,
    max_tokens: int,
    priorities: Mapping[str, float] | None,
    prefix: str,
) -> Steps[Packet]:
    check_participant(for_agent)
    check_number("max_tokens", max_tokens, LEAST_TOKENS)
    if not isinstance(task, str):
        raise InvalidValue(f"the task is {type(task).__name__}: write what {for_agent!r} is to do")
    check_encodable("the task", task)
    count = verbs.session.settings.count_tokens
    head = f"{_HEAD}{for_agent}" + (f"\nTask: {task}" if task else "")
    spent = count(f"{head}\n\n")
    if spent + LEAST_TOKENS > max_tokens:
        raise InvalidValue(f"the task needs {spent} of {max_tokens} tokens: raise max_tokens, or shorten the task")

    def draw(included: Sequence[Part], references: Sequence[Part], listed: int) -> str:
        parts = factored(sorted(included, key=lambda part: (part.rev, part.key)))
        rest = sorted(references, key=lambda part: part.key)
        return f"{head}\n\n{render(parts, rest, listed)}".rstrip("\n")

    material = yield from gather(verbs, (participant, for_agent), priorities, task or None, prefix)
    room = max_tokens - spent
    drawn = bound((yield from material.choose(room)), max_tokens, count, draw)
    shared = _shared(material, max_tokens)
    for factor in (shared, shared**0.5) if shared > _SHARED else ():  # what is said once leaves room for more
        other = bound((yield from material.choose(int(room * factor))), max_tokens, count, draw)
        drawn = max(drawn, other, key=_told)
    text, tokens, selection = drawn
    material.note(verbs, for_agent, selection)
    return Packet(text, tokens, max_tokens, material.replay_tokens(selection), selection, for_agent, task)


def _shared(material: Material, max_tokens: int) -> float:
    """How many times larger the entries that could go in whole are than what they say without repetitions."""
    whole = [each.as_part() for each in sorted(material.candidates, key=lambda each: (each.rev, each.key))]
    whole = [part for part in whole if len(part.text) <= _LONGEST * max_tokens]
    size = sum(len(part.text) for part in whole)
    return size / max(sum(len(part.text) for part in factored(whole)), 1) if size else 1.0


def _told(drawn: tuple[str, int, Selection]) -> int:
    """Characters of entries that a packet holds, counting each repetition."""
    return sum(len(part.text) for part in drawn[2].included)
