"""What expires, is evicted or erased goes with its bytes, and whoever still holds a reference is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import ConfigError, KeyNotFound
from sharedctx.testing import ManualClock

BIG = "\n".join(f"line {n} of a long text that no view shows whole" for n in range(3000))


@pytest.fixture(params=["memory", "disk", "redis"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[SharedContext]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue("redis_url"))()
    with sharedctx.open(address, clock=clock) as store:
        yield store.session("team", max_entries=2)


def test_a_sweep_frees_expired_history_whatever_lives_now(ctx: SharedContext, clock: ManualClock) -> None:
    for n in range(5):
        ctx.put("live", f"{n}", ttl=5)
    ctx.put("live", "stays")
    ctx.put("gone", "goes", ttl=5)
    clock.advance(5)
    assert [entry.version for entry in ctx.history("live")] == [6, 5, 4, 3, 2, 1]
    assert ctx.sweep() == 1
    assert [entry.version for entry in ctx.history("live")] == [6]
    assert [(entry.version, entry.kind) for entry in ctx.history("gone")] == [(2, "gone")]
    assert ctx.get("live") == "stays"
    assert ctx.put("gone", "again").version == 3
    assert ctx.store.doctor() == []


@pytest.mark.parametrize("how", ["evicted", "expired", "erased", "trimmed"])
def test_a_reference_to_what_is_gone_says_so(how: str, ctx: SharedContext, clock: ManualClock) -> None:
    ctx.put("log", BIG, ttl=60 if how == "expired" else None)
    (ref,) = set(re.findall(r'expand\("log", "(v1:lines:\d+-\d+)"\)', ctx.get("log") or ""))
    assert "of a long text" in ctx.expand("log", ref)
    clock.advance(60)
    if how == "evicted":
        ctx.put("a", "v")
        ctx.put("b", "v")
    if how == "erased":
        ctx.erase("log")
    if how == "trimmed":
        ctx.put("log", "new")
        ctx.trim("log", 1)
    with pytest.raises(KeyNotFound, match="has no version 1 any more"):
        ctx.expand("log", ref)


def test_a_reference_outlives_an_overwrite_and_a_deletion(ctx: SharedContext) -> None:
    ctx.put("log", BIG)
    ctx.put("log", "new")
    assert ctx.expand("log", "v1:lines:7") == BIG.split("\n")[6]
    ctx.delete("log")
    assert ctx.expand("log", "v1:lines:7") == BIG.split("\n")[6]


def test_erased_bytes_are_not_left_in_the_file(tmp_path: Path) -> None:
    with SharedContext("team", path=tmp_path) as ctx:
        ctx.put("secret", b"\x00PRIVATE-DATA\x00" * 10)
        ctx.put("other", "stays")
        ctx.erase("secret")
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert not [data for data in files if b"PRIVATE-DATA" in data]
    assert [data for data in files if b"stays" in data]


def test_a_stored_time_to_live_binds_every_opener(ctx: SharedContext, clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match="ttl"):
        ctx.configure(ttl=-1)
    with pytest.raises(ConfigError, match="colour"):
        ctx.configure(colour="red")
    ctx.configure(ttl=10)
    other = ctx.store.session("team")
    other.put("a", "v")
    other.put("b", "v", ttl=100)
    own = ctx.store.session("team", ttl=50)
    own.put("c", "v")
    assert [entry.expires_at for key in "abc" for entry in other.history(key)] == [clock() + n for n in (10, 100, 50)]
    assert own.configuration().ttl == 10
    ctx.store.configure(ttl=1000)
    ctx.configure(ttl=None)
    assert other.put("d", "v").expires_at == clock() + 1000
    ctx.store.configure(ttl=None)
    assert other.put("d", "v").expires_at is None
