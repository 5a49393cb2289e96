"""A session that holds everything, and empty stores on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.notes import SharedContextStore
from sharedctx.testing import ManualClock

KINDS = ("memory", "disk", "redis")


@pytest.fixture
def source(clock: ManualClock) -> Iterator[SharedContext]:
    with sharedctx.open("memory://", clock=clock) as store:
        ctx = store.session("team")
        for n in range(40):
            clock.advance(1)
            ctx.bind(f"agent{n % 3}").put("plan", "shared words " * 900 + f"step {n}")
        ctx.put("data", {"a": [1, 2.5, None], "ä": "ö"}, ttl=5000)
        ctx.put("raw", bytes(range(256)))
        ctx.put("gone", "x")
        ctx.delete("gone", agent="lead")
        ctx.put("erased", "secret")
        ctx.erase("erased")
        ctx.trim("plan", 8)
        ctx.rollback("plan", 30)
        ctx.grant("coder", read=["plan"])
        with SharedContextStore("team", store=store) as notes:
            notes.write("scope", "only the parser", readable_by=["lead"])
        yield ctx


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue("redis_url"))()
    with sharedctx.open(address, clock=clock) as store:
        yield store
