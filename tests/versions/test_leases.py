"""A version that is used lives on, without a new one; what it was leased for ends with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sharedctx
from sharedctx.backends import steps
from sharedctx.errors import VersionConflict
from sharedctx.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ctx(clock: ManualClock) -> Iterator[sharedctx.SharedContext]:
    with sharedctx.open("memory://", clock=clock) as store:
        yield store.session()


def renew(ctx: sharedctx.SharedContext, key: str) -> None:
    def renewing() -> steps.Steps[None]:
        log = ctx.verbs.session.log
        version = yield from log.newest(key)
        assert version is not None
        op = log.leases.renew(version, (yield from steps.now()))
        yield from steps.commit(log.space, () if op is None else (op,))

    ctx.run(renewing())


def test_every_verb_sees_a_leased_version_to_its_end(ctx: sharedctx.SharedContext, clock: ManualClock) -> None:
    rev = ctx.put("k", "a word", ttl=10).rev
    clock.advance(8)
    renew(ctx, "k")
    clock.advance(9)
    assert ctx.get("k") == "a word"
    assert ctx.get("k", full=True, version=1) == "a word"
    assert ctx.keys() == ["k"]
    assert ctx.search("word")[0].key == "k"
    assert ctx.as_of(rev).get("k") == "a word"
    assert ctx.sweep() == 0
    with pytest.raises(VersionConflict):
        ctx.put("k", "b", expect=0)
    clock.advance(1)
    assert ctx.get("k") is None
    assert ctx.keys() == []
    assert ctx.sweep() == 1
    assert [(gone.key, gone.at) for gone in ctx.evicted()] == [("k", clock())]


def test_a_lease_is_no_event_and_no_version(ctx: sharedctx.SharedContext) -> None:
    entry = ctx.put("k", "v", ttl=10)
    renew(ctx, "k")
    assert ctx.changes(since=entry.rev) == []
    assert [each.version for each in ctx.history("k")] == [1]


def test_a_lease_is_for_its_version_alone(ctx: sharedctx.SharedContext, clock: ManualClock) -> None:
    ctx.put("k", "v", ttl=100)
    renew(ctx, "k")
    ctx.put("k", "w", ttl=10)
    clock.advance(10)
    assert ctx.get("k") is None


def test_what_has_no_end_needs_no_lease(ctx: sharedctx.SharedContext, clock: ManualClock) -> None:
    ctx.put("k", "v")
    renew(ctx, "k")
    clock.advance(1e9)
    assert ctx.get("k") == "v"


def test_leases_leave_nothing_behind(ctx: sharedctx.SharedContext, clock: ManualClock) -> None:
    ctx.put("k", "v", ttl=10)
    renew(ctx, "k")
    clock.advance(20)
    ctx.sweep()
    assert "\x01leases" not in ctx.store.backend.pks(ctx.verbs.space)
    assert ctx.store.doctor() == []
