"""The names by which models are told of tools."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import ConfigError
from .table import TOOLS

_GOOD = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_tool_name(name: Any) -> str:
    """Return ``name`` if every API of models takes it for a tool; raises ``ConfigError``."""
    if not (isinstance(name, str) and _GOOD.fullmatch(name)):
        raise ConfigError(f"the tool's name {name!r:.100} is not 1 to 64 of A-Z a-z 0-9 _ -, which APIs of models want")
    return str(name)


def chosen(names: Any, prefix: Any = "") -> dict[str, str]:
    """Return the context's tools that were chosen, in order, each with its name after ``prefix``.

    Raises ``ConfigError`` for what is no list of tools, for one named twice and for a prefix that APIs would refuse.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ConfigError(f"names {names!r:.60} is no list of tools: choose from {', '.join(TOOLS)}")
    given = list(names)
    if unknown := [name for name in given if not isinstance(name, str) or name not in TOOLS]:
        raise ConfigError(f"there is no tool {', '.join(map(repr, unknown))}: choose from {', '.join(TOOLS)}")
    if twice := {name for name in given if given.count(name) > 1}:
        raise ConfigError(f"the tool {', '.join(map(repr, sorted(twice)))} is named twice")
    if not isinstance(prefix, str):
        raise ConfigError(f"prefix {prefix!r:.60} is not text")
    return {name: check_tool_name(prefix + name) for name in given}
