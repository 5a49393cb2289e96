"""Whether anything changed is found in passing: a read or write asks the store nothing more for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx.testing import ManualClock
from sharedctx.tools import call


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1.0)


@pytest.fixture
def ctx(clock: ManualClock) -> SharedContext:
    return sharedctx.open("memory://", clock=clock).session()


def counting(ctx: SharedContext, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that the store is asked from now on."""
    asked: list[str] = []

    def counted(name: str, do: Any) -> Any:
        return lambda *given, **more: (asked.append(name), do(*given, **more))[1]

    for name in ("rev", "scan", "newest", "changes", "pks", "now", "commit"):
        monkeypatch.setattr(ctx.store.backend, name, counted(name, getattr(ctx.store.backend, name)))
    return asked


def test_while_nothing_changes_it_asks_the_store_one_question(
    ctx: SharedContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = ctx.bind("me")
    for number in range(20):
        ctx.put(f"key{number}", "a")
        me.get(f"key{number}")
    assert me.stale() == []
    asked = counting(ctx, monkeypatch)
    assert me.stale() == []
    assert asked == ["rev"]
    ctx.put("key7", "b")
    assert [each.key for each in me.stale()] == ["key7"]


def test_what_a_read_or_write_found_costs_no_question_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sharedctx.open(tmp_path) as store:
        ctx = store.session()
        me, other = ctx.bind("me"), ctx.bind("other")
        ctx.put("plan", "a")
        asked = counting(ctx, monkeypatch)
        me.get("plan")
        alone = list(asked)
        assert me.stale(ask=False) == []
        me.put("own", "mine")
        assert me.stale(ask=False) == []
        me.put("own", "mine again")
        assert me.stale(ask=False) == []
        assert "rev" not in asked
        assert "changes" not in asked
        asked.clear()
        me.get("plan")
        assert asked == alone
        other.put("own", "theirs")
        assert me.stale(ask=False) == []  # as things were at the read
        assert [str(each) for each in me.stale(ask=False)] == ["own v2 -> v3 by other"]  # that was told: ask
        other.put("plan", "b")
        me.get("own")
        assert [str(each) for each in me.stale(ask=False)] == ["plan v1 -> v2 by other"]


def test_expiry_is_told_in_passing_and_nothing_is_asked_before(
    ctx: SharedContext, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = ctx.bind("me")
    ctx.put("soon", "a", ttl=5)
    ctx.put("late", "b", ttl=60)
    me.get("late")
    me.get("soon")
    asked = counting(ctx, monkeypatch)
    me.put("own", "c", ttl=30)
    me.get("own")
    alone = list(asked)
    assert me.stale(ask=False) == []
    assert asked == alone
    clock.advance(5)
    me.get("late")
    assert [str(each) for each in me.stale(ask=False)] == ["soon v1 is gone"]
    me.put("late", "d")  # which has no end
    clock.advance(60)
    assert [str(each) for each in me.stale()] == ["own v1 is gone"]


def test_a_read_that_is_denied_or_shows_many_leaves_nothing_older(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", "a")
    ctx.put("secret", "b")
    ctx.grant("me", read=["plan"])
    for read in (
        lambda: me.get("secret"),
        lambda: me.get_entry("secret"),
        lambda: me.get("missing"),
        lambda: me.window(100, prefix="none"),
    ):
        me.get("plan")
        entry = ctx.put("plan", "c")
        read()
        assert [each.version for each in me.stale(ask=False)] == [entry.version]


def test_a_write_after_anothers_tells_of_it(ctx: SharedContext) -> None:
    me, other = ctx.bind("me"), ctx.bind("other")
    me.put("plan", "a")
    other.put("plan", "b")
    me.put("own", "c")
    assert [str(each) for each in me.stale(ask=False)] == ["plan v1 -> v2 by other"]


def test_a_tool_call_tells_what_changed_since_the_last_read_of_another_kind(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", "a")
    me.get("plan")
    ctx.put("plan", "b")
    assert "[a key that you read has changed: plan v1 -> v2]" in call(me, "list").text
