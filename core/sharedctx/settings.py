"""What a session may be told when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from .errors import ConfigError
from .tokens import TokenCounter, counter, counting
from .views.plain import LEAST_TOKENS

Policy = Literal["reject", "compress", "evict_oldest"]
_LONGEST_LIFE: Final = 2**53
_MOST: Final = 10**9


def check_bound(name: str, limit: object, least: int = 1) -> None:
    """Raise ``ConfigError`` unless the limit is a whole number from ``least`` up."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < least:
        raise ConfigError(f"{name} {limit!r} is not a whole number from {least} up")


def check_positive(name: str, given: object, unit: str) -> None:
    """Raise ``ConfigError`` unless this is a number of such units above 0."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= _MOST:
        raise ConfigError(f"{name} {given!r:.60} is not a number of {unit} above 0, to {_MOST}")


def check_duration(name: str, given: object) -> None:
    """Raise ``ConfigError`` unless these are seconds from 0 up that a thread can wait."""
    _check_seconds(name, given, _MOST)


def check_ttl(seconds: object) -> None:
    """Raise ``ConfigError`` unless an entry can live so many seconds."""
    _check_seconds("ttl", seconds, _LONGEST_LIFE)


def _check_seconds(name: str, given: object, most: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= most:
        raise ConfigError(f"{name} {given!r:.60} is not a number of seconds from 0 to {most}")


@dataclass(frozen=True)
class SessionSettings:
    """Limits and counting of one session object; none are stored, each opener brings its own (what ``configure`` stores
    is for all).

    ``ttl`` is seconds for entries put without one of their own; ``max_entries`` counts live entries;
    ``max_value_tokens`` and ``max_store_tokens`` count views, or with ``count_originals`` whole values; ``policy`` says
    what happens when a token budget is met: "reject" the write, "compress" the view further, or "evict_oldest" other
    entries. The limits bind, count and evict the keys that start with ``scope``, except notes, which
    have limits of their own. Raises
    ``ConfigError``.
    """

    ttl: float | None = None
    max_entries: int | None = None
    max_value_tokens: int | None = None
    max_store_tokens: int | None = None
    policy: Policy = "reject"
    count_tokens: TokenCounter = field(default_factory=counter)
    compressors: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    scope: str = ""
    count_originals: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "count_tokens", counting(self.count_tokens))
        check_compressors(self.compressors)
        if self.policy not in ("reject", "compress", "evict_oldest"):
            raise ConfigError(f"policy {self.policy!r} is not 'reject', 'compress' or 'evict_oldest'")
        if self.ttl is not None:
            check_ttl(self.ttl)
        for name in ("max_entries", "max_value_tokens", "max_store_tokens"):
            if getattr(self, name) is not None:
                check_bound(name, getattr(self, name))
        if self.policy == "compress" and self.count_originals:
            raise ConfigError("policy 'compress' shortens views: it cannot meet a budget that counts originals")
        if self.policy == "compress" and self.max_value_tokens is not None and self.max_value_tokens < LEAST_TOKENS:
            raise ConfigError(
                f"max_value_tokens {self.max_value_tokens} is below {LEAST_TOKENS}, which a view needs for its "
                "references: raise it, or use policy='reject'"
            )

    def covers(self, key: str) -> bool:
        """Whether the limits bind this key; notes have their own."""
        return key.startswith(self.scope) and (self.scope.startswith("notes/") or not key.startswith("notes/"))

    @property
    def bounded(self) -> bool:
        """Whether a put must know the other entries."""
        return self.max_entries is not None or self.max_store_tokens is not None

    @property
    def limited(self) -> bool:
        """Whether a put is judged by itself, so that a commit takes no other beside it."""
        return self.bounded or self.max_value_tokens is not None


def check_compressors(given: object) -> None:
    """Raise ``ConfigError`` unless these are functions by kind of content."""
    if not isinstance(given, Mapping) or not all(map(callable, given.values())):
        raise ConfigError(f"compressors {given!s:.60} are no functions by kind: pass {{'text': function}}")
