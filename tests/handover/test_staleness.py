"""A participant hears of changes to what it read: each once, with what changed, and not of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, SharedContext
from sharedctx.errors import Forbidden
from sharedctx.testing import ManualClock
from sharedctx.tools import call


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1.0)


@pytest.fixture
def ctx(clock: ManualClock) -> SharedContext:
    return sharedctx.open("memory://", clock=clock).session()


def test_a_change_since_the_read_is_told_once_with_its_writer(ctx: SharedContext) -> None:
    me, other = ctx.bind("me"), ctx.bind("other")
    ctx.put("plan", "a")
    ctx.put("unread", "a")
    me.get("plan")
    assert me.stale() == []
    other.put("plan", "b")
    other.put("plan", "c")
    other.put("unread", "b")
    (found,) = me.stale()
    assert (found.key, found.read_version, found.version, found.agent) == ("plan", 1, 3, "other")
    assert str(found) == "plan v1 -> v3 by other"
    assert me.stale() == []
    other.put("plan", "d")
    assert [(each.read_version, each.version) for each in me.stale()] == [(1, 4)]
    me.get("plan")
    assert me.stale() == []


def test_ones_own_writes_are_known(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    me.put("plan", "a")
    me.put("plan", "b")
    assert me.stale() == []
    me.delete("plan")
    assert me.stale() == []


def test_removed_and_expired_keys_are_told(ctx: SharedContext, clock: ManualClock) -> None:
    me = ctx.bind("me")
    ctx.put("a", "v")
    ctx.put("b", "v", ttl=10)
    for key in ("a", "b"):
        me.get(key)
    ctx.delete("a")
    assert [str(each) for each in me.stale()] == ["a v1 is gone"]
    clock.advance(9)
    assert me.stale() == []
    clock.advance(1)
    assert [str(each) for each in me.stale()] == ["b v1 is gone"]
    assert me.stale() == []
    ctx.put("b", "again")
    assert [str(each) for each in me.stale()] == ["b v1 -> v2"]


def test_a_key_that_is_removed_again_is_told_again(ctx: SharedContext) -> None:
    me, other = ctx.bind("me"), ctx.bind("other")
    other.put("plan", "a")
    me.get("plan")
    for _ in range(3):
        other.delete("plan")
        assert [(each.key, each.version) for each in me.stale()] == [("plan", None)]
        other.put("plan", "b")
        me.get("plan")
        assert me.stale() == []


def test_a_key_that_is_removed_while_its_end_is_looked_at_is_forgotten(
    ctx: SharedContext, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, other = ctx.bind("me"), ctx.bind("other")
    for key in ("plan", "known"):
        other.put(key, "a")
        me.get(key)
    other.put("plan", "b", ttl=5)
    peek = ctx.verbs.peek

    def late(*given: Any) -> Any:
        entry = yield from peek(*given)
        monkeypatch.undo()
        me.delete("plan")  # another thread of the participant's
        return entry

    monkeypatch.setattr(ctx.verbs, "peek", late)
    me.stale()
    clock.advance(10)
    assert me.stale() == []


def test_what_changes_while_a_slow_read_is_on_its_way_is_told(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a store on another machine, whose reads may be overtaken by another task of the participant's."""
    store = sharedctx.open(redis_url)
    ctx = store.session()
    me, other = ctx.bind("me"), ctx.bind("other")
    other.put("plan", "a")
    other.put("known", "a")
    me.get("known")
    me.stale()
    scan = store.backend.scan

    def slow(*given: Any, **more: Any) -> Any:
        rows = scan(*given, **more)
        if given[1] == "plan":
            monkeypatch.undo()
            other.put("plan", "b")
            assert me.stale() == []
        return rows

    monkeypatch.setattr(store.backend, "scan", slow)
    assert me.get("plan") == "a"
    assert [each.key for each in me.stale()] == ["plan"]
    store.close()


def test_a_key_that_was_listed_is_not_known_by_that(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", "a")
    call(me, "read", {"key": "plan"})
    ctx.put("plan", "b")
    answer = call(me, "list").text
    assert "plan  v2" in answer
    assert answer.endswith("[a key that you read has changed: plan v1 -> v2]")
    ctx.put("plan", "c")
    me.get("plan", version=1)
    me.diff("plan", 1, 3)
    assert [str(each) for each in me.stale()] == ["plan v1 -> v3"]


def test_what_a_window_or_a_packet_showed_was_read(ctx: SharedContext, clock: ManualClock) -> None:
    me, coder = ctx.bind("me"), ctx.bind("coder")
    ctx.put("plan", "a")
    ctx.put("large", [{"n": n, "words": "x" * 40} for n in range(2000)], ttl=5)
    me.window(1000)
    ctx.packet(for_agent="coder", task="t", max_tokens=1000)
    assert me.stale() == coder.stale() == []
    ctx.put("plan", "b")
    clock.advance(5)
    for each in (me, coder):
        assert [str(change) for change in each.stale()] == ["large v1 is gone", "plan v1 -> v2"]


def test_short_differences_are_told_along(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", {"step": 1, "note": "x" * 200})
    call(me, "read", {"key": "plan"})
    ctx.put("plan", {"step": 2, "note": "x" * 200})
    told = call(me, "list").text.splitlines()[-2:]
    assert told[0] == '[what changed in plan: [{"op": "replace", "path": "/step", "value": 2}]]'
    assert told[1] == "[a key that you read has changed: plan v1 -> v2]"
    ctx.put("plan", {"step": "x" * 1000})
    assert "what changed" not in call(me, "list").text


def test_what_changed_can_be_asked_for(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", {"step": 1, "note": "x" * 200})
    ctx.put("text", "one\ntwo\n")
    for key in ("plan", "text"):
        me.get(key)
    ctx.put("plan", {"step": 2, "note": "x" * 200})
    ctx.put("text", "one\n2\n")
    plan, text = me.stale(diffs=True)
    assert plan.diff == '[{"op": "replace", "path": "/step", "value": 2}]'
    assert text.diff is not None
    assert "-two" in text.diff
    ctx.put("plan", {"step": "x" * 10_000})
    (plan,) = me.stale(diffs=True)
    assert plan.diff is not None
    assert "more characters" in plan.diff


def test_a_key_that_may_no_longer_be_read_is_gone(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    ctx.put("plan", "a")
    me.get("plan")
    ctx.grant("me", read=["other/*"])
    ctx.put("plan", "secret")
    assert [str(each) for each in me.stale()] == ["plan v1 is gone"]


def test_an_unbound_context_remembers_nothing(ctx: SharedContext) -> None:
    with pytest.raises(Forbidden, match="bind"):
        ctx.stale()


def test_other_processes_changes_are_told(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path) as store:
        me = store.session().bind("me")
        me.put("plan", "a")
        with sharedctx.open(tmp_path, clock=ManualClock(1.0)) as second:
            second.session().bind("far").put("plan", "b")
        assert [str(each) for each in me.stale()] == ["plan v1 -> v2 by far"]


def test_every_tool_answer_tells_what_changed(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    for key in ("a", "b"):
        ctx.put(key, "v")
        assert "changed" not in call(me, "read", {"key": key}).text
    ctx.bind("other").put("a", "w")
    ctx.delete("b")
    answer = call(me, "read", {"key": "nothing"})
    assert answer.error == "KEY_NOT_FOUND"
    assert answer.text.endswith("\n[2 keys that you read have changed: a v1 -> v2 by other; b v1 is gone]")
    assert "changed" not in call(me, "list").text
    ctx.put("a", "x")
    assert "changed" not in call(me, "read", {"key": "a"}).text


def test_while_nothing_changes_coroutines_do_not_leave_the_event_loop(
    ctx: SharedContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        me = AsyncSharedContext.over(ctx.bind("me"))
        await me.put("plan", "a")
        await me.get("plan")
        monkeypatch.setattr(ctx.store.driver, "leave_loop", None)
        assert await me.stale() == []
        assert await me.stale(ask=False) == []
        assert await me.stale(diffs=True) == []
        monkeypatch.undo()
        ctx.put("plan", "b")
        assert [str(each) for each in await me.stale()] == ["plan v1 -> v2"]
        ctx.put("plan", "c")
        assert [each.diff is not None for each in await me.stale(diffs=True)] == [True]
        with pytest.raises(Forbidden):
            await AsyncSharedContext.over(ctx).stale()

    asyncio.run(main())


def test_a_key_that_is_read_again_and_again_is_remembered_among_thousands(ctx: SharedContext) -> None:
    me = ctx.bind("me")
    reads = ctx.verbs.session.reads
    ctx.put("plan", "a")
    me.get("plan")
    for number in range(12_000):
        reads.note("me", f"seen{number}", 1)
        if number % 3000 == 0:
            me.get("plan")
    me.stale()
    ctx.put("plan", "b")
    assert [each.key for each in me.stale()] == ["plan"]
