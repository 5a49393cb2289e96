"""On PYTHONPATH it makes the packages that HIDDEN names look as if they were not installed, in all child processes."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec

_HIDDEN = frozenset(os.environ.get("HIDDEN", "").split())
_find = importlib.util.find_spec


def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
    """What is installed and not hidden."""
    return None if name in _HIDDEN else _find(name, package)


importlib.util.find_spec = find_spec
sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]
