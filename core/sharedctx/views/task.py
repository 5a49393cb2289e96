"""One original on its way to a view: drafts, their check, and what is done where none fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from ..errors import InvalidValue
from ..tokens import ForModel, TokenCounter
from . import registry, text
from .critical import Critical
from .fulltext import Unit
from .kind import Bounded, Brief, Draft, Kind, Source
from .lossless import pack
from .originals import read
from .pieces import fold
from .plain import LEAST_TOKENS
from .text import word_end, word_start
from .view import Marks, View
from .wrapped import wrapped

_NOT_WORTH_IT = 0.95
"""A standard view that keeps more of the tokens than this gives way to the original, and so does a lossless one of a
kind that has none of its own."""
_AS_GOOD = 1.1
"""A lossless view may cost this many times what the standard one does and is still preferred."""
_HOPEFUL = 0.25
"""A lossless view is tried beside a standard one that keeps at least this much."""
_ADDED = 0.1
"""How much of the original's tokens may be added to a view that lacks what is critical."""
_ASKED = 0.6
"""How much of a budget may go to what the query asks for and the view lacks."""
_SHORTEST = 12
"""Characters: a piece is not cut to fewer."""
_REMEMBERED = 2000
"""Characters from which on a text's count is kept: a draft is counted wherever it is weighed."""
_HEADING = "[[from what was left out:]]"


class Once:
    """A counter that counts a long text, the original or a draft, once only."""

    def __init__(self, count: TokenCounter, text: str) -> None:
        self._count = count.ready if isinstance(count, ForModel) else count
        self.original = count(text)
        self._known = {text: self.original}

    @property
    def name(self) -> str:
        """The name of the counter inside."""
        return self._count.name

    def __call__(self, text: str) -> int:
        if len(text) < _REMEMBERED:
            return self._count(text)
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._count(text)
        return known


@dataclass(frozen=True, slots=True)
class Task:
    """An original, its kind, the name of the kind to be shown, and what is wanted."""

    source: Source
    kind: Kind
    shown: str
    brief: Brief
    untouched: View

    @property
    def fits(self) -> bool:
        """Whether the original itself is within the budget."""
        return self.brief.budget is None or self.untouched.tokens <= self.brief.budget

    def lossless(self) -> View:
        """Return the lossless view or the original; where neither is within the budget, the standard view."""
        packed = pack(self.kind, self.source)
        if packed is None and (packed := pack(self.kind, self.source, general=True)) is not None:
            packed = packed if self.brief.count(packed) <= _NOT_WORTH_IT * self.untouched.tokens else None
        if packed is not None and self._allows(packed):
            return self._view(Draft(packed, "lossless"), lossless=True)
        return self.untouched if self.fits else self.standard()

    def own(self, strategy: Callable[[str], str]) -> View:
        """Return the view that the user's own strategy makes; over the budget, the standard one."""
        try:
            made = strategy(self.source.text)
        except Exception as error:
            raise InvalidValue(f"the compressor for {self.shown!r} raised {type(error).__name__}: {error}") from error
        if not isinstance(made, str):
            raise InvalidValue(f"the compressor for {self.shown!r} returned {type(made).__name__}: it must return text")
        if self._allows(made):
            return self._view(Draft(made, "own", (self.brief.marks.ref("all"),)))
        return self.untouched if self.fits else self.standard()

    def standard(self) -> View:
        """Return the standard view: the kind's own or the generic one, checked, or what is still smaller."""
        draft = self._draft(self.brief)
        if self.brief.wanted:
            draft = self._answering(draft)
        if draft is not None and self.brief.budget is None:
            draft = self._completed(draft, Critical(self.source).missing(draft.text))
            if self.brief.count(draft.text) > _NOT_WORTH_IT * self.untouched.tokens:
                draft = None
        kept = self.untouched.tokens if draft is None else self.brief.count(draft.text)
        if kept >= _HOPEFUL * self.untouched.tokens and self._may_pack(draft):
            packed = pack(self.kind, self.source, worth=lambda made: self._allows(made) and self._as_good(made, kept))
            if packed is not None:
                return self._view(Draft(packed, "lossless"), lossless=True)
        if draft is not None:
            return self._view(draft)
        return self.untouched if self.fits else self._view(next(filter(self._draftable, self._last_resorts())))

    def _allows(self, made: str) -> bool:
        """Whether a text may stand for the original: smaller, not empty, and within the budget."""
        if not made or len(made) >= len(self.source.text):
            return False
        tokens = self.brief.count(made)
        return tokens < self.untouched.tokens and (self.brief.budget is None or tokens <= self.brief.budget)

    def _may_pack(self, draft: Draft | None) -> bool:
        """Whether a lossless view may be about as short as a draft, as far as the kind can tell early."""
        kind = self.kind
        return draft is None or not isinstance(kind, Bounded) or kind.least(self.source) <= _AS_GOOD * len(draft.text)

    def _as_good(self, packed: str, kept: int) -> bool:
        """Whether a lossless view costs little more than the standard one that keeps so many tokens."""
        return self.brief.count(packed) <= _AS_GOOD * kept

    def _draftable(self, draft: Draft) -> bool:
        return self._allows(draft.text)

    def _draft(self, brief: Brief) -> Draft | None:
        """The kind's own draft, else the generic one, else None."""
        limited = replace(self, brief=brief)
        kinds = (self.kind,) if self.kind is text.KIND else (self.kind, text.KIND)
        drafts = chain([self._inner(brief)], (kind.shorten(self.source, brief) for kind in kinds))
        return next((draft for draft in drafts if draft is not None and limited._allows(draft.text)), None)

    def _inner(self, brief: Brief) -> Draft | None:
        """Of JSON that is a frame around one text the frame, and below it the text by its own kind."""
        found = wrapped(self.source) if self.kind is registry.DOCUMENT else None
        if found is None:
            return None
        marker = brief.marks.omitted(f"parts of the text at {found.path} (…, shortened below)", f"path:{found.path}")
        head = f"{marker}\n{found.frame}\n"
        budget = None if brief.budget is None else brief.budget - brief.count(head) - 1
        if budget is not None and budget < LEAST_TOKENS:
            return None
        source, _ = read(found.text)
        kind = registry.find(source) or text.KIND
        source = source if kind in registry.JSON else Source(source.text)
        made = kind.shorten(source, replace(brief, budget=budget, marks=Marks(None, None)))
        if made is None or len(made.text) >= len(found.text):
            return None
        return Draft(head + made.text, f"inner-{kind.name}", (brief.marks.ref(f"path:{found.path}"),))

    def _answering(self, draft: Draft | None) -> Draft | None:
        """The draft with the pieces that answer the query best; it is made smaller for them where it must."""
        if draft is None and self.fits:
            return None
        budget = self.brief.budget
        units = Critical(self.source).asked(draft.text if draft else "", self.brief.wanted)
        if budget is None:
            return draft and self._completed(draft, units)
        while units:
            note = self._note(units)
            rest = budget - self.brief.count(note) - 2
            if rest >= (1 - _ASKED) * budget:
                shorter = self._draft(replace(self.brief, budget=rest)) if rest >= LEAST_TOKENS else None
                for base in [shorter] if shorter else self._last_resorts():
                    made = replace(base, text=base.text + note)
                    if self._allows(made.text):
                        return made
            units = units[:-1] if len(units) > 1 else self._clipped(units[0])
        return draft

    def _clipped(self, unit: Unit) -> list[Unit]:
        """The unit cut to two thirds around the first word of the query; none where it is too short to be cut."""
        room = len(unit.text) * 2 // 3
        if room < _SHORTEST:
            return []
        low = fold(unit.text)
        at = max(min((place for place in map(low.find, self.brief.wanted) if place >= 0), default=0) - room // 3, 0)
        a = word_start(unit.text, at) if at else 0
        b = max(word_end(unit.text, min(a + room, len(unit.text))), a)
        return [Unit(unit.label, unit.text[a:b])] if b - a < len(unit.text) else []

    def _completed(self, draft: Draft, units: Sequence[Unit]) -> Draft:
        """The draft with as many of the pieces added as may be."""
        room = _ADDED * self.untouched.tokens
        chosen = []
        for unit in units:
            room -= self.brief.count(unit.text) + 4
            if room < 0:
                break
            chosen.append(unit)
        made = draft.text + self._note(chosen)
        return replace(draft, text=made) if chosen and self._allows(made) else draft

    def _note(self, units: Sequence[Unit]) -> str:
        return "\n".join(["", _HEADING, *(f"{unit.label}: {unit.text}" for unit in units)])

    def _last_resorts(self) -> Iterator[Draft]:
        """Descriptions in place of a view, the best first, for budgets that leave room for nothing else."""
        marks = self.brief.marks
        plain = Marks(None, marks.version)
        what = f"{self.shown} of {len(self.source.text)} characters, {self.untouched.tokens} tokens,"
        refs = (marks.ref("all"),)
        yield Draft(marks.omitted(what, "all"), "described", refs)
        bare = text.KIND.shorten(self.source, replace(self.brief, marks=plain))
        if bare is not None:
            yield bare
        yield Draft(plain.omitted(what, "all"), "described", refs)
        yield Draft("[[omitted]]", "described", refs)

    def _view(self, draft: Draft, *, lossless: bool = False) -> View:
        tokens, before = self.brief.count(draft.text), self.untouched.tokens
        done = f"{self.shown}:{draft.strategy}:{tokens / before:.2f}"
        refs = draft.refs if self.brief.marks.references else ()
        return View(draft.text, self.shown, tokens, before, (done,), refs, lossless)
