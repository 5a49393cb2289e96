"""What the run cost: tokens of full replay against tokens served, by agent, and how the run went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sharedctx import SharedContext

from .cast import READERS, Member


@dataclass(frozen=True)
class Handover:
    """What one agent was handed: calls, tokens of the whole values, tokens in place of them, omissions expanded."""

    role: str
    title: str
    calls: int
    replay_tokens: int
    served_tokens: int
    expanded: int

    @property
    def saved_percent(self) -> float:
        """Tokens saved, to one decimal."""
        return round(100 * (1 - self.served_tokens / self.replay_tokens), 1) if self.replay_tokens else 0.0


@dataclass(frozen=True)
class Write:
    """One version that was written: when (seconds since the epoch), by whom, of which key."""

    at: float
    participant: str
    key: str
    version: int


def handovers(context: SharedContext, members: Sequence[Member]) -> list[Handover]:
    """The ledger of the session by agent, in order of appearance."""
    titles = {each.participant: each for each in READERS if each in members}
    found = []
    for participant, member in titles.items():
        rows = [saving for saving in context.savings() if saving.participant == participant]
        found.append(
            Handover(
                role=member.role,
                title=member.title,
                calls=sum(row.calls for row in rows),
                replay_tokens=sum(row.replay_tokens for row in rows),
                served_tokens=sum(row.served_tokens for row in rows),
                expanded=sum(row.calls for row in rows if row.kind == "expand"),
            )
        )
    return found


def writes(context: SharedContext) -> list[Write]:
    """Every version of every live key, oldest first."""
    keys = context.keys()
    found = [
        Write(entry.timestamp, entry.agent or "", key, entry.version)
        for key in keys
        for entry in context.history(key, limit=1000)
    ]
    return sorted(found, key=lambda one: one.at)


def as_rows(found: Sequence[Handover]) -> list[tuple[object, ...]]:
    """Rows of the final table, the sum last."""
    rows: list[tuple[object, ...]] = [
        (each.title, each.calls, each.replay_tokens, each.served_tokens, f"{each.saved_percent}%", each.expanded)
        for each in found
    ]
    every = total(found)
    return [
        *rows,
        ("all", every.calls, every.replay_tokens, every.served_tokens, f"{every.saved_percent}%", every.expanded),
    ]


def total(found: Sequence[Handover]) -> Handover:
    """The sum."""
    return Handover(
        role="all",
        title="all",
        calls=sum(each.calls for each in found),
        replay_tokens=sum(each.replay_tokens for each in found),
        served_tokens=sum(each.served_tokens for each in found),
        expanded=sum(each.expanded for each in found),
    )


def as_json(found: Sequence[Handover]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{**asdict(each), "saved_percent": each.saved_percent} for each in found]
