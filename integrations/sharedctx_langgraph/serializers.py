"""LangGraph's serializers, judged where they are given."""

from __future__ import annotations

from typing import Any

from sharedctx.errors import ConfigError


def check_serde(serde: Any) -> Any:
    """Return a serializer, or None for LangGraph's own; raises ``ConfigError`` for what is none."""
    if serde is not None and not any(hasattr(serde, name) for name in ("dumps_typed", "dumps")):
        raise ConfigError(
            f"serde {serde!r:.80} is no serializer: pass one of LangGraph's, such as JsonPlusSerializer()"
        )
    return serde
