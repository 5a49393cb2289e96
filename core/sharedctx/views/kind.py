"""The seam between the router and the kinds of content: one module for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..lazy import lazy
from ..tokens import TokenCounter
from .view import Marks

if TYPE_CHECKING:
    from .columns.pool import Pool


@dataclass(frozen=True)
class Source:
    """What is to be viewed: ``text`` as a model would read it whole, ``value`` the JSON array or object it spells."""

    text: str
    value: Any = None

    @lazy
    def lines(self) -> list[str]:
        """The text divided at ``\\n`` alone, as ``lines:`` references count."""
        return self.text.split("\n")

    @lazy
    def pool(self) -> Pool:
        """The equal parts of the value, which both views of it ask for."""
        from .columns.pool import Pool

        return Pool(self.value)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a view should be.

    ``budget`` is tokens by ``count``, or None for as much as the kind thinks right; ``wanted`` are the query's words in
    lower case; ``marks`` spells omission markers with references.
    """

    budget: int | None
    count: TokenCounter
    wanted: Sequence[str]
    marks: Marks


@dataclass(frozen=True, slots=True)
class Draft:
    """A shortened text, the name of the strategy, and the references of its markers (none: nothing was left out)."""

    text: str
    strategy: str
    refs: tuple[str, ...] = ()


class Kind(Protocol):
    """A kind of content: how it is recognised and shortened. Deterministic and linear in the text's length."""

    @property
    def name(self) -> str:
        """The kind as transforms and ``kind=`` spell it: ``log``."""
        ...

    def fits(self, source: Source) -> float:
        """How sure this kind is that the source is of it: 0.0 (no) to 1.0; the surest kind gets it. Cheap: it may
        look at a bounded sample."""
        ...

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Return the standard view, or None where this kind has nothing better than the generic one.

        Within ``brief.budget`` where that can be done: the router tightens what is over. Every omission carries a
        reference that ``expand`` redeems.
        """
        ...


@runtime_checkable
class Reversible(Protocol):
    """The capability of a kind with a lossless view, one that gives the data back by itself."""

    def pack(self, source: Source) -> str | None:
        """Return the lossless view, or None where it would not be shorter. Its first line is a legend that starts with
        ``[[name: `` and tells a model how to read the rest."""
        ...

    def unpack(self, text: str) -> Any:
        """Return the data of a lossless view: the exact text, or for a JSON kind the value. Raises ``DecodeError``."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """The capability of a kind to tell early, in a fraction of the time it takes, that its lossless view is long."""

    def least(self, source: Source) -> int:
        """Return about how many characters the lossless view has at least."""
        ...
