"""The command line on a store of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..forked import COUNTING
from .shell import Shell


@pytest.fixture
def shell(tmp_path: Path, fork_server: Callable[[str], Any]) -> Shell:
    return Shell(tmp_path / "store", fork_server(f"{COUNTING}; import sharedctx_cli.main"))
