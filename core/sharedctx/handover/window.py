"""A window on a session: as much of it as a budget allows, and the way to the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..backends.steps import Steps
from ..entries.arguments import check_number
from ..entries.verbs import Verbs
from ..errors import DecodeError
from ..tokens import TokenCounter
from ..versions.log import Version
from ..views.plain import LEAST_TOKENS, as_text
from .selection import Candidate, Part, Selection, select

if TYPE_CHECKING:
    from ..views import View

REST = "## Not included; read it by"


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
    count = verbs.session.settings.count_tokens
    selection, replay = yield from choose(verbs, participant, max_tokens, priorities, query, prefix)
    text, tokens, selection = bound(selection, max_tokens, count, render)
    return Window(text, tokens, max_tokens, replay, selection)


def choose(
    verbs: Verbs,
    participant: str | None,
    max_tokens: int,
    priorities: Mapping[str, float] | None,
    query: str | None,
    prefix: str,
    spent: int = 0,
) -> Steps[tuple[Selection, int]]:
    """Return the selection for a budget of which ``spent`` tokens are gone, and the tokens of all entries whole."""
    check_number("max_tokens", max_tokens, LEAST_TOKENS)  # references need room
    from ..views.pieces import words

    wanted = words(query)
    candidates, damaged = yield from _candidates(verbs, participant, prefix, query)
    count = verbs.session.settings.count_tokens
    room = max(max_tokens - spent - count(REST) - 16, 0)
    selection = yield from select(candidates, room, count=count, wanted=wanted, priorities=priorities)
    return replace(selection, listed=(*selection.listed, *damaged)), sum(part.tokens for part in selection.parts)


def _candidates(
    verbs: Verbs, participant: str | None, prefix: str, query: str | None
) -> Steps[tuple[list[Candidate], list[Part]]]:
    session = verbs.session
    found, damaged = [], []
    for key in (yield from verbs.keys(participant, prefix)):
        try:
            version = yield from session.log.head(key)
            if version is None:
                continue
            text = as_text((yield from session.value(version)))
        except DecodeError as error:
            damaged.append(Part(key, 0, None, 0, "listed", 0, f"damaged: {error.message}", ""))
            continue
        view = _viewer(verbs, version, query)
        found.append(Candidate(key, version.number, version.blob.agent or None, version.rev, text, view))
    return found, damaged


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
    """Draw a selection, less of it while it is over the budget; return the text, its tokens and what was drawn."""
    while True:
        text = draw(selection.included, selection.references, len(selection.listed))
        tokens = count(text)
        if tokens <= budget or not (selection.included or selection.references):
            return text, tokens, selection
        selection = selection.without_last()
