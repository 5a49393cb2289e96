"""Evolution stores for tests: in memory with a clock that stands still, and on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.testing.clock import ManualClock


@pytest.fixture
def opened(clock: ManualClock) -> Iterator[Store]:
    with sharedctx.open("memory://", clock=clock) as store:
        yield store


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKEND", "MAX_SIZE", "TTL", "COMPRESSION"):
        monkeypatch.delenv(f"CONTEXT_STORE_{name}", raising=False)
