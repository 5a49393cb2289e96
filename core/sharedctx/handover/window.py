"""A window on a session: as much of it as a budget allows, and the way to the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..backends.steps import Steps
from ..entries.arguments import check_number, check_words
from ..entries.verbs import Verbs
from ..errors import DecodeError, InvalidValue, KeyNotFound
from ..tokens import TokenCounter
from ..tracing import handed
from ..versions.log import Version
from ..views.plain import LEAST_TOKENS, as_text
from .selection import Candidate, Part, Selection, select

if TYPE_CHECKING:
    from ..views import View

REST = "## Not included; read it by"
_LISTED = 16
"""Tokens kept for the line that tells how many have no line of their own."""


@dataclass(frozen=True)
class Window:
    """Entries within a budget: ``text`` for a model, with ``tokens`` by the session's counter; the selection tells what
    is in or out and why. ``replay_tokens`` is what all of it would have cost whole."""

    text: str
    tokens: int
    budget: int
    replay_tokens: int
    selection: Selection

    @property
    def reasons(self) -> dict[str, str]:
        """Why each entry is in or out."""
        return self.selection.reasons

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "text": self.text,
            "tokens": self.tokens,
            "budget": self.budget,
            "replay_tokens": self.replay_tokens,
            "entries": [part.to_dict() for part in self.selection.parts],
        }


def window(
    verbs: Verbs,
    participant: str | None,
    max_tokens: int,
    *,
    priorities: Mapping[str, float] | None = None,
    query: str | None = None,
    prefix: str = "",
) -> Steps[Window]:
    """Return the readable live entries within ``max_tokens``; raises ``InvalidValue`` below 50."""
    return handed(verbs.place, participant, query, _window(verbs, participant, max_tokens, priorities, query, prefix))


def _window(
    verbs: Verbs,
    participant: str | None,
    max_tokens: int,
    priorities: Mapping[str, float] | None,
    query: str | None,
    prefix: str,
) -> Steps[Window]:
    check_number("max_tokens", max_tokens, LEAST_TOKENS)
    material = yield from gather(verbs, (participant,), priorities, query, prefix)
    selection = yield from material.choose(max_tokens)
    text, tokens, selection = bound(selection, max_tokens, material.count, render)
    material.note(verbs, participant, selection)
    return Window(text, tokens, max_tokens, material.replay_tokens(selection), selection)


@dataclass(frozen=True)
class Material:
    """What may be handed over: entries, those that are damaged, and what is asked for first."""

    candidates: list[Candidate]
    damaged: list[Part]
    count: TokenCounter
    wanted: list[str]
    priorities: Mapping[str, float]

    def choose(self, budget: int) -> Steps[Selection]:
        """Return the selection for a budget."""
        room = max(budget - self.count(REST) - _LISTED, 0)
        found = yield from select(
            self.candidates, room, count=self.count, wanted=self.wanted, priorities=self.priorities
        )
        return replace(found, listed=(*found.listed, *self.damaged))

    def note(self, verbs: Verbs, participant: str | None, selection: Selection) -> None:
        """Remember what the participant has read by this, so that it hears of changes."""
        if participant is None:
            return
        verbs.session.reads.begin(participant)
        expires = {candidate.key: candidate.expires for candidate in self.candidates}
        for part in selection.included:
            verbs.session.reads.read(participant, part.key, part.version, expires[part.key], newest=True)

    @staticmethod
    def replay_tokens(selection: Selection) -> int:
        """The tokens of all entries whole."""
        return sum(part.tokens for part in selection.parts)


def check_priorities(priorities: Any) -> None:
    """Raise ``InvalidValue`` unless these are numbers by patterns of keys."""
    if not isinstance(priorities, Mapping):
        raise InvalidValue(f"the priorities {priorities!r:.60} map no patterns to numbers: write {{'plan/*': 9}}")
    for pattern, number in priorities.items():
        check_words("a pattern of keys", pattern)
        try:
            odd = isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number)
        except OverflowError:
            odd = True
        if odd:
            raise InvalidValue(f"the priority {number!r:.60} of {pattern!r} is no number: higher goes first")


def gather(
    verbs: Verbs,
    readers: Sequence[str | None],
    priorities: Mapping[str, float] | None,
    query: str | None,
    prefix: str,
) -> Steps[Material]:
    """Return what all ``readers`` may read; raises ``InvalidValue`` for priorities or a query that are none."""
    check_priorities({} if priorities is None else priorities)
    from ..views.pieces import words

    wanted = [] if query is None else words(check_words("the query", query))
    candidates, damaged = yield from _candidates(verbs, readers, prefix, query)
    return Material(candidates, damaged, verbs.session.settings.count_tokens, wanted, priorities or {})


def _candidates(
    verbs: Verbs, readers: Sequence[str | None], prefix: str, query: str | None
) -> Steps[tuple[list[Candidate], list[Part]]]:
    session = verbs.session
    found, damaged = [], []
    for key in (yield from _readable(verbs, readers, prefix)):
        try:
            version = yield from session.log.head(key)
            if version is None:
                continue
            text = as_text((yield from session.value(version)))
        except KeyNotFound:  # removed meanwhile
            continue
        except DecodeError as error:
            damaged.append(Part(key, 0, None, 0, "listed", 0, f"damaged: {error.message}", ""))
            continue
        view = _viewer(verbs, version, query)
        agent = version.blob.agent or None
        found.append(Candidate(key, version.number, agent, version.rev, text, view, version.expires))
    return found, damaged


def _readable(verbs: Verbs, readers: Sequence[str | None], prefix: str) -> Steps[list[str]]:
    """The keys that each of the readers may read, in order."""
    first, *others = dict.fromkeys(readers)
    keys = yield from verbs.keys(first, prefix)
    for other in others:
        allows = yield from verbs.session.rights.judge(other)
        keys = [key for key in keys if allows("read", key)]
    return keys


def _viewer(verbs: Verbs, version: Version, query: str | None) -> Callable[[int | None], Steps[View]]:
    def view(max_tokens: int | None) -> Steps[View]:
        asked = None if max_tokens is None else query
        return (yield from verbs.session.views.view(version, max_tokens, asked))

    return view


def render(included: Sequence[Part], references: Sequence[Part], listed: int) -> str:
    """The parts as text: sections in the order given, then how to read the rest."""
    sections = [f"{part.heading}\n{part.text}" for part in included]
    rest = [part.reference for part in references]
    if listed:
        rest.append(f"- {listed} more: list() names them")
    if rest:
        sections.append("\n".join([REST, *rest]))
    return "\n\n".join(sections)


def bound(
    selection: Selection,
    budget: int,
    count: TokenCounter,
    draw: Callable[[Sequence[Part], Sequence[Part], int], str],
) -> tuple[str, int, Selection]:
    """Draw a selection, less of it while it is over the budget; return the text, its tokens and what was drawn.

    By a counter for which even the number of what is left out is too much, nothing of it is said.
    """
    while True:
        text = draw(selection.included, selection.references, len(selection.listed))
        tokens = count(text)
        if tokens <= budget:
            return text, tokens, selection
        if not (selection.included or selection.references):
            text = draw((), (), 0)
            return text, count(text), selection
        selection = selection.without_last()
