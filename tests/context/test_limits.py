"""Budgets, entry limits and their three policies; what goes is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.errors import BudgetExceeded, ConfigError, ValueTooLarge
from sharedctx.testing import ManualClock


class Words:
    """One token for each word."""

    name = "words"

    def __call__(self, text: str) -> int:
        return len(text.split())


@pytest.fixture
def store(address: str) -> Iterator[sharedctx.Store]:
    with sharedctx.open(address, clock=ManualClock(1.0)) as opened:
        yield opened


def test_a_hundred_and_first_entry_evicts_nothing_unless_told_to(store: sharedctx.Store) -> None:
    ctx = store.session()
    for n in range(101):
        ctx.put(f"k{n}", "v")
    assert len(ctx.keys()) == 101
    assert ctx.evicted() == []


def test_max_entries_evicts_the_oldest_and_tells(store: sharedctx.Store) -> None:
    ctx = store.session(max_entries=3)
    for n in range(3):
        ctx.put(f"k{n}", "v")
    ctx.put("k0", "again")
    ctx.put("k3", "v")
    assert ctx.keys() == ["k0", "k2", "k3"]
    assert ctx.get_entry("k1") is None
    assert ctx.get("k1", version=1) is None
    assert [(gone.key, gone.version, gone.why) for gone in ctx.evicted()] == [("k1", 1, "max_entries")]
    assert [(entry.kind, entry.note) for entry in ctx.history("k1")] == [("gone", "max_entries")]


def test_many_evictions_at_once_go_in_several_commits(store: sharedctx.Store) -> None:
    plain = store.session()
    for n in range(120):
        plain.put(f"k{n:03}", "v")
    store.session(max_entries=5).put("new", "v")
    assert plain.keys() == ["k116", "k117", "k118", "k119", "new"]
    assert len(plain.evicted()) == 116


def test_reject_refuses_what_is_over_the_session_budget_and_keeps_the_rest(store: sharedctx.Store) -> None:
    ctx = store.session(max_store_tokens=10, count_tokens=Words())
    ctx.put("a", "one two three four five six")
    with pytest.raises(BudgetExceeded, match="'b'"):
        ctx.put("b", "one two three four five")
    ctx.put("a", "one two three four five six seven eight nine ten")
    assert ctx.keys() == ["a"]


def test_evict_oldest_makes_room(store: sharedctx.Store) -> None:
    ctx = store.session(max_store_tokens=10, policy="evict_oldest", count_tokens=Words())
    ctx.put("a", "1 2 3 4 5")
    ctx.put("b", "1 2 3 4 5")
    ctx.put("c", "1 2 3")
    assert ctx.keys() == ["b", "c"]
    assert [(gone.key, gone.why) for gone in ctx.evicted()] == [("a", "budget")]
    with pytest.raises(BudgetExceeded):
        ctx.put("d", " ".join("x" * 11))
    assert ctx.keys() == ["b", "c"]


@pytest.mark.parametrize("limit", ["max_value_tokens", "max_store_tokens"])
@pytest.mark.parametrize("tokens", [50, 100])
def test_compress_shortens_the_view_and_keeps_the_original(store: sharedctx.Store, limit: str, tokens: int) -> None:
    ctx = store.session(policy="compress", count_tokens=Words(), **{limit: tokens})
    text = "\n".join(f"line {n} with words" for n in range(500))
    entry = ctx.put("a", text)
    assert entry.compressed_tokens <= tokens
    assert ctx.get("a", full=True) == text


def test_a_value_over_its_limit_is_refused(store: sharedctx.Store) -> None:
    ctx = store.session(max_value_tokens=5, count_tokens=Words())
    with pytest.raises(ValueTooLarge, match="'a'"):
        ctx.put("a", "1 2 3 4 5 6")
    assert ctx.keys() == []
    ctx.put("b", "one-long-word-that-others-count-as-many " * 5)
    assert ctx.keys() == ["b"]


def test_expired_entries_take_no_place() -> None:
    clock = ManualClock(1.0)
    ctx = sharedctx.open("memory://", clock=clock).session(max_entries=1)
    ctx.put("a", "v", ttl=5)
    clock.advance(5)
    ctx.put("b", "v")
    assert [gone.why for gone in ctx.evicted()] == ["expired"]


def test_what_is_damaged_takes_no_place_and_hinders_no_write(store: sharedctx.Store) -> None:
    store.backend.commit("session:default", [Put("bad", b"no version at all")])
    ctx = store.session(max_entries=1, max_store_tokens=10, count_tokens=Words())
    ctx.put("a", "one two")
    assert ctx.get("a") == "one two"
    assert (ctx.evicted(), ctx.stats().entries) == ([], 1)


def test_a_view_limit_too_small_for_references_is_refused_at_opening(store: sharedctx.Store) -> None:
    with pytest.raises(ConfigError, match="max_value_tokens 20"):
        store.session(max_value_tokens=20, policy="compress")


@pytest.mark.parametrize("bad", [{"policy": "drop"}, {"ttl": -1}, {"max_entries": 0}, {"max_store_tokens": 1.5}])
def test_a_wrong_setting_is_named(store: sharedctx.Store, bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        store.session(**bad)
