"""Stores on every backend, with a key for audit logs and a clock of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.testing import ManualClock

KEY = b"sixteen or more bytes"
KINDS = ("memory", "disk", "redis", "dynamodb")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue(f"{request.param}_url"))()
    with sharedctx.open(address, audit_key=KEY, clock=clock) as store:
        yield store
