"""The bundle for a hand-over: what the next agent should know, the same bytes for the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends.steps import Steps
from ..entries.names import check_participant
from ..entries.verbs import Verbs
from ..errors import InvalidValue
from .selection import Part
from .window import Window, bound, choose, render

_COMMON = 120
"""Characters from which a paragraph that stood before is not written again."""


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
    for_agent: str,
    task: str,
    max_tokens: int,
    *,
    priorities: Mapping[str, float] | None = None,
    prefix: str = "",
) -> Steps[Packet]:
    """Return what ``for_agent`` may read, within ``max_tokens``, with what the words of ``task`` ask for first.

    Raises ``InvalidValue`` below 50 tokens, or for a task that leaves no room; ``ConfigError`` for a bad name.
    """
    check_participant(for_agent)
    if not isinstance(task, str):
        raise InvalidValue(f"the task is {type(task).__name__}: write what {for_agent!r} is to do")
    count = verbs.session.settings.count_tokens
    head = f"# Shared context for {for_agent}" + (f"\nTask: {task}" if task else "")
    spent = count(f"{head}\n\n")
    if spent + 50 > max_tokens:
        raise InvalidValue(f"the task needs {spent} of {max_tokens} tokens: raise max_tokens, or shorten the task")

    def draw(included: Sequence[Part], references: Sequence[Part], listed: int) -> str:
        known: dict[str, str] = {}
        steady = sorted(included, key=lambda part: (part.rev, part.key))
        parts = [_factored(part, known) for part in steady]
        rest = sorted(references, key=lambda part: part.key)
        return f"{head}\n\n{render(parts, rest, listed)}".rstrip("\n")

    selection, replay = yield from choose(verbs, for_agent, max_tokens, priorities, task or None, prefix, spent)
    text, tokens, selection = bound(selection, max_tokens, count, draw)
    return Packet(text, tokens, max_tokens, replay, selection, for_agent, task)


def _factored(part: Part, known: dict[str, str]) -> Part:
    """The part with paragraphs that stood in an earlier one replaced by where they stand."""
    paragraphs = part.text.split("\n\n")
    for at, paragraph in enumerate(paragraphs):
        if len(paragraph) < _COMMON:
            continue
        before = known.setdefault(paragraph, part.key)
        if before != part.key:
            start = " ".join(paragraph[:60].split())
            paragraphs[at] = f"[[as in {before} above: {start}...]]"
    text = "\n\n".join(paragraphs)
    return Part(part.key, part.version, part.agent, part.rev, part.form, part.tokens, part.reason, text)
