"""A session's limits: what a value weighs, and what must go for it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import BudgetExceeded, ValueTooLarge
from ..settings import SessionSettings
from ..views.plain import LEAST_TOKENS, as_text
from .eviction import Victim
from .ledger import Line


class Weight(NamedTuple):
    """Tokens of a value, and the limit its view was compressed to, if it was."""

    tokens: int
    view: int | None


class Limits:
    """Weighs values and makes room for them, by a session's settings."""

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings

    def bind(self, key: str) -> bool:
        """Whether a limit applies to writes of this key."""
        return self._settings.limited and self._settings.covers(key)

    def weigh(self, key: str, value: Any, room: int | None) -> Weight:
        """Return what the value costs within ``room`` tokens; raises ``ValueTooLarge``."""
        settings = self._settings
        if settings.count_originals:
            tokens = settings.count_tokens(as_text(value))
        else:
            from ..views import compress

            view = compress(value, key=key, version=1, count=settings.count_tokens, compressors=settings.compressors)
            tokens = view.tokens
        if room is None or tokens <= room:
            return Weight(tokens, None)
        if settings.policy == "compress" and room >= LEAST_TOKENS:
            return Weight(room, room)
        if settings.max_value_tokens is not None and tokens > settings.max_value_tokens:
            what = "the value" if settings.count_originals else "the view"
            raise ValueTooLarge(
                f"{what} of {key!r} has {tokens} tokens, at most {settings.max_value_tokens} are allowed: shorten "
                "the value, raise max_value_tokens, or use policy='compress'"
            )
        return Weight(tokens, None)

    def make_room(self, key: str, value: Any, lines: dict[str, Line]) -> tuple[list[Victim], Weight]:
        """Return who must go, and the value's weight then; raises ``ValueTooLarge`` and ``BudgetExceeded``."""
        settings = self._settings
        weight = self.weigh(key, value, settings.max_value_tokens)
        others = sorted(
            (line for pk, line in lines.items() if pk != key),
            key=lambda line: (line.version.blob.timestamp, line.version.rev),
        )
        victims: list[Victim] = []
        if settings.max_entries is not None and key not in lines:
            spare = max(len(others) + 1 - settings.max_entries, 0)
            victims = [(line.version, "max_entries") for line in others[:spare]]
            others = others[spare:]
        if settings.max_store_tokens is None:
            return victims, weight
        room = settings.max_store_tokens - sum(line.tokens for line in others)
        if weight.tokens > room and settings.policy == "compress" and room >= LEAST_TOKENS:
            weight = self.weigh(key, value, room)
        if settings.policy == "evict_oldest" and weight.tokens <= settings.max_store_tokens:
            for line in others:
                if weight.tokens <= room:
                    break
                victims.append((line.version, "budget"))
                room += line.tokens
        if weight.tokens > room:
            raise BudgetExceeded(
                f"{key!r} needs {weight.tokens} tokens and {max(room, 0)} of {settings.max_store_tokens} are left: "
                "delete entries, raise max_store_tokens, or let the policy compress or evict_oldest"
            )
        return victims, weight
