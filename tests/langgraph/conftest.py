"""Stores to save threads in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sharedctx

from .made import Chain

if TYPE_CHECKING:
    from sharedctx_langgraph import ContextSaver


@pytest.fixture
def saver(address: str) -> Iterator[ContextSaver]:
    """A saver over a store of its own."""
    from sharedctx_langgraph import ContextSaver

    with ContextSaver.from_url(address) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sharedctx.Store]:
    """A store on disk."""
    with sharedctx.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def chain(saver: ContextSaver) -> Chain:
    """A thread to grow."""
    return Chain(saver)
