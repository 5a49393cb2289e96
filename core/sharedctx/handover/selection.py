"""Which entries go into a budget of tokens, in what form, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..access import matches
from ..backends.steps import Steps
from ..tokens import TokenCounter
from ..views.plain import LEAST_TOKENS

if TYPE_CHECKING:
    from ..views import View

Form = Literal["whole", "compressed", "reference", "listed"]

_REFERENCES = 0.3
"""The share of a budget that references may take; what has no line of its own is named by its number."""
_SHARE = 0.5
"""How much of what is left an entry may take, unless it is of the highest priority."""


class Candidate(NamedTuple):
    """An entry that may be handed over; ``view(max_tokens)`` makes its view, whose ``original_tokens`` are its size."""

    key: str
    version: int
    agent: str | None
    rev: int
    text: str
    view: Callable[[int | None], Steps[View]]
    expires: float | None = None

    def as_part(self) -> Part:
        """The whole of it."""
        return _part(self, "whole", 0, "", self.text)


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one entry: ``text`` is what is handed over of it, ``tokens`` what it has as a whole."""

    key: str
    version: int
    agent: str | None
    rev: int
    form: Form
    tokens: int
    reason: str
    text: str

    @property
    def heading(self) -> str:
        """The line above its text."""
        by = f" by {self.agent}" if self.agent else ""
        cut = f", compressed from {self.tokens} tokens" if self.form == "compressed" else ""
        return f"## {self.key} v{self.version}{by}{cut}"

    @property
    def reference(self) -> str:
        """The line that says how to read it."""
        call = f'expand({json.dumps(self.key, ensure_ascii=False)}, "v{self.version}:all")'
        return f"- {self.key} v{self.version}, {self.tokens} tokens: {call}"

    def to_dict(self) -> dict[str, object]:
        """All but the text, as JSON values."""
        return {
            "key": self.key,
            "version": self.version,
            "agent": self.agent,
            "form": self.form,
            "tokens": self.tokens,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """The parts in the order of their rank: ``included`` (whole or compressed), ``references``, and those that only a
    listing of all keys names."""

    included: tuple[Part, ...]
    references: tuple[Part, ...]
    listed: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them."""
        return (*self.included, *self.references, *self.listed)

    @property
    def reasons(self) -> dict[str, str]:
        """Why each entry is in or out."""
        return {part.key: part.reason for part in self.parts}

    def without_last(self) -> Selection:
        """This selection with one included part less, which becomes a reference, or with one reference less."""
        if self.included:
            *kept, last = self.included
            moved = _as(last, "reference", f"{last.reason}, but the whole was over the budget")
            return Selection(tuple(kept), (moved, *self.references), self.listed)
        *kept, last = self.references
        return Selection((), tuple(kept), (_as(last, "listed", "no room for a reference"), *self.listed))


def priority(key: str, priorities: Mapping[str, float]) -> float:
    """The highest priority of the patterns that a key fits (``*`` stands for any text); 0 for none."""
    return max((value for pattern, value in priorities.items() if matches(pattern, key)), default=0.0)


def select(
    candidates: Sequence[Candidate],
    budget: int,
    *,
    count: TokenCounter,
    wanted: Sequence[str] = (),
    priorities: Mapping[str, float] | None = None,
) -> Steps[Selection]:
    """Choose for ``budget`` tokens: the highest priority whole if it fits at all, others whole or compressed within
    half of what is left (whole where all that follow fit, too), the rest as references, for which a share is kept.

    Ranked by priority, then by how many of the ``wanted`` words an entry has, then the newest first. Deterministic.
    """
    ranked = _rank(candidates, wanted, priorities or {})
    sized = []
    for candidate, weight, words in ranked:
        sized.append((candidate, weight, words, (yield from candidate.view(None)).original_tokens))
    bare = [_part(candidate, "reference", tokens, "", "") for candidate, _, _, tokens in sized]
    costs = [count(part.reference) + 1 for part in bare]
    following = sum(
        tokens + count(f"{part.heading}\n\n\n") for part, (_, _, _, tokens) in zip(bare, sized, strict=True)
    )
    waiting, most = sum(costs), int(budget * _REFERENCES)
    reserve = min(waiting, most)
    left = budget - reserve
    top = sized[0][1] if sized else 0.0
    included: list[Part] = []
    references: list[Part] = []
    listed: list[Part] = []
    for (candidate, weight, words, tokens), cost, own in zip(sized, costs, bare, strict=True):
        first = weight == top and (top > 0 or len(sized) == 1)
        why = _why(weight, words)
        part = None
        if first or following <= left + reserve:
            part = _whole(candidate, tokens, left + reserve, count, why)
        following -= tokens + count(f"{own.heading}\n\n\n")
        if part is None:
            part = yield from _fit(candidate, tokens, left if first else int(left * _SHARE), count, why)
        if part is not None:
            included.append(part)
            waiting -= cost
            room = left + reserve - count(f"{part.heading}\n{part.text}\n\n")
            reserve = max(min(waiting, most, room), 0)
            left = room - reserve
            continue
        waiting -= cost
        lowest = f"{why}, {tokens} tokens do not fit"
        if cost <= reserve:
            reserve, most = reserve - cost, most - cost
            references.append(_part(candidate, "reference", tokens, lowest, ""))
        else:
            listed.append(_part(candidate, "listed", tokens, f"{lowest}, nor does a reference", ""))
    return Selection(tuple(included), tuple(references), tuple(listed))


def _rank(
    candidates: Sequence[Candidate], wanted: Sequence[str], priorities: Mapping[str, float]
) -> list[tuple[Candidate, float, int]]:
    ranked = []
    for candidate in candidates:
        low = f"{candidate.key}\n{candidate.text}".lower() if wanted else ""
        ranked.append((candidate, priority(candidate.key, priorities), sum(word in low for word in wanted)))
    return sorted(ranked, key=lambda found: (-found[1], -found[2], -found[0].rev, found[0].key))


def _why(weight: float, words: int) -> str:
    asked = f", has {words} of the words asked for" if words else ""
    return f"priority {weight:g}{asked}"


def _fit(candidate: Candidate, tokens: int, room: int, count: TokenCounter, why: str) -> Steps[Part | None]:
    """The entry whole or compressed within its room, or None."""
    whole = _whole(candidate, tokens, room, count, why)
    if whole is not None:
        return whole
    cut = _part(candidate, "compressed", tokens, "", "")
    most = room - count(f"{cut.heading}\n\n\n")
    if most < LEAST_TOKENS:
        return None
    view = yield from candidate.view(most)
    if view.tokens > most or view.tokens >= tokens:
        return None
    return _part(candidate, "compressed", tokens, f"{why}, compressed to {view.tokens} of {tokens} tokens", view.text)


def _whole(candidate: Candidate, tokens: int, room: int, count: TokenCounter, why: str) -> Part | None:
    whole = _part(candidate, "whole", tokens, f"{why}, fits whole", candidate.text)
    return whole if tokens + count(f"{whole.heading}\n\n\n") <= room else None


def _part(candidate: Candidate, form: Form, tokens: int, reason: str, text: str) -> Part:
    return Part(candidate.key, candidate.version, candidate.agent, candidate.rev, form, tokens, reason, text)


def _as(part: Part, form: Form, reason: str) -> Part:
    return Part(part.key, part.version, part.agent, part.rev, form, part.tokens, reason, "")
