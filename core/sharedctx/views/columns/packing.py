"""Lossless views of JSON values: the legend, and the value as packed JSON."""

from __future__ import annotations

from typing import Any

from ...errors import DecodeError
from .legend import legend
from .planner import Planner
from .pool import Pool
from .reader import Reader
from .writer import Writer


def pack_value(name: str, what: str, value: Any, alone: bool = False, pool: Pool | None = None) -> str | None:
    """The lossless view of a value, or None for what is no JSON or is nested too deeply; ``pool``: that of the value,
    if there is one already."""
    try:
        pool = pool or Pool(value)
        writer = Writer(pool, Planner(pool), alone)
        body = writer.finish(writer.value(value, 0))
    except (TypeError, ValueError, RecursionError):
        return None
    return f"{legend(name, what, writer.used)}\n{body}"


def unpack_value(name: str, text: str, alone: bool = False) -> Any:
    """The value of a lossless view. Raises ``DecodeError``."""
    head, found, _ = text.partition("\n")
    if not found or not head.startswith(f"[[{name}: "):
        raise DecodeError(f"no lossless view of {name}: the first line is no legend")
    return Reader(text, len(head) + 1, alone).whole()
