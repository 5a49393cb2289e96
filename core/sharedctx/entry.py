"""What callers hold: entries, statistics, events and evictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .lazy import lazy

if TYPE_CHECKING:
    from .served.savings import Saving
    from .views import View


@dataclass(frozen=True)
class ContextEntry:
    """One version of one key. Token figures are counted when first asked for, by ``counter``.

    ``timestamp`` and ``expires_at`` are seconds since the epoch, ``size`` is bytes of the original, ``hash`` the
    sha256 of the original's bytes in hex (of canonical JSON for JSON), ``rev`` the revision of the write.
    """

    key: str
    version: int
    agent: str | None
    kind: str
    size: int
    hash: str
    timestamp: float
    expires_at: float | None
    rev: int
    note: str = ""
    _measure: Callable[[], tuple[View, str]] | None = field(default=None, repr=False, compare=False)

    @lazy
    def _measured(self) -> tuple[View | None, str]:
        return self._measure() if self._measure is not None else (None, "")

    @property
    def original_tokens(self) -> int:
        """Tokens of the original as text."""
        view = self._measured[0]
        return view.original_tokens if view else 0

    @property
    def compressed_tokens(self) -> int:
        """Tokens of the view that ``get`` gives."""
        view = self._measured[0]
        return view.tokens if view else 0

    @property
    def savings_percent(self) -> float:
        """How much smaller the view is, in percent of tokens, to one decimal; 0.0 for an empty value."""
        before = self.original_tokens
        return round(100 * (before - self.compressed_tokens) / before, 1) if before else 0.0

    @property
    def transforms(self) -> list[str]:
        """What was done for the view, as ``kind:strategy:ratio``; empty for an untouched value."""
        view = self._measured[0]
        return list(view.transforms) if view else []

    @property
    def counter(self) -> str:
        """The token counter's name."""
        return self._measured[1]

    def to_dict(self, *, tokens: bool = True) -> dict[str, Any]:
        """Return all fields as JSON values; ``tokens=False`` leaves out those that cost a view."""
        plain: dict[str, Any] = {
            "key": self.key,
            "version": self.version,
            "agent": self.agent,
            "kind": self.kind,
            "size": self.size,
            "hash": self.hash,
            "timestamp": self.timestamp,
            "expires_at": self.expires_at,
            "rev": self.rev,
        }
        if self.note:
            plain["note"] = self.note
        if tokens and self._measure is not None:
            plain |= {
                "original_tokens": self.original_tokens,
                "compressed_tokens": self.compressed_tokens,
                "savings_percent": self.savings_percent,
                "transforms": self.transforms,
                "counter": self.counter,
            }
        return plain


@dataclass(frozen=True, slots=True)
class Event:
    """One change of the session: ``version`` of ``key`` was written; ``op`` is "delete" for a removal of any sort."""

    rev: int
    key: str
    version: int
    op: Literal["put", "delete"]
    agent: str | None


@dataclass(frozen=True, slots=True)
class Evicted:
    """An entry that the store removed by itself: ``why`` is "max_entries", "budget" or "expired"."""

    key: str
    version: int
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a search found: ``expand(key, ref)`` gives it whole; ``score`` is higher for a better fit."""

    key: str
    version: int
    ref: str
    score: float
    snippet: str


@dataclass(frozen=True, slots=True)
class Stats:
    """Measured savings of a session: of the views of its live entries, and of what models were ``served`` by
    participant, face and kind of hand-over."""

    entries: int
    total_original_tokens: int
    total_compressed_tokens: int
    counter: str
    served: tuple[Saving, ...] = ()

    @property
    def total_tokens_saved(self) -> int:
        """Original minus compressed."""
        return self.total_original_tokens - self.total_compressed_tokens

    @property
    def savings_percent(self) -> float:
        """Saved tokens in percent, to one decimal."""
        before = self.total_original_tokens
        return round(100 * self.total_tokens_saved / before, 1) if before else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON values."""
        return {
            "entries": self.entries,
            "total_original_tokens": self.total_original_tokens,
            "total_compressed_tokens": self.total_compressed_tokens,
            "total_tokens_saved": self.total_tokens_saved,
            "savings_percent": self.savings_percent,
            "counter": self.counter,
            "served": [saving._asdict() for saving in self.served],
        }
