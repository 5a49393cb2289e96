"""Keeping and removing: what goes goes, and what stays reads as before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import sharedctx
from sharedctx.backends.base import Row
from sharedctx.testing import ManualClock
from sharedctx_langgraph import ContextSaver

from .made import Chain, checkpoint, config

LONG = "the quick brown fox " * 300


def ids(saver: ContextSaver, thread: str = "t") -> list[str]:
    return [each.checkpoint["id"] for each in saver.list(config(thread))]


def grow(chain: Chain, count: int, **metadata: Any) -> None:
    start = len(list(chain.saver.list(config())))
    for number in range(start, start + count):
        chain.put(f"{number:03d}", {"text": [LONG, *(f"line {each}" for each in range(number))]}, **metadata)


def values(saver: ContextSaver) -> dict[str, Any]:
    return {each.checkpoint["id"]: each.checkpoint["channel_values"] for each in saver.list(config())}


@pytest.mark.parametrize("keep", [1, 7, 20])
def test_the_last_ones_are_kept_as_they_were(saver: ContextSaver, chain: Chain, keep: int) -> None:
    grow(chain, 40)
    before = values(saver)
    would = saver.retain(keep_last=keep, dry_run=True)
    assert values(saver) == before
    removed = saver.retain(keep_last=keep)
    assert (removed.checkpoints, removed.kept) == (would.checkpoints, would.kept) == (40 - keep, keep)
    with ContextSaver(saver.store) as fresh:
        assert values(fresh) == {id: before[id] for id in sorted(before)[-keep:]}
        grow(Chain(fresh), 3)
        assert fresh.retain(keep_last=1).kept == 1


def interrupted(saver: ContextSaver, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let something happen once, after the saver's next read of rows."""
    scan, left = saver.store.backend.scan, [meanwhile]

    def first(*args: Any, **options: Any) -> list[Row]:
        rows = scan(*args, **options)
        if rows and left:
            left.pop()()
        return rows

    monkeypatch.setattr(saver.store.backend, "scan", first)


@pytest.mark.parametrize("listed", [False, True])
def test_a_read_that_another_process_thins_out_the_thread_under_finds_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    clock = ManualClock()
    with (
        sharedctx.open(tmp_path / "s", clock=clock) as one,
        sharedctx.open(tmp_path / "s", clock=clock) as another,
        ContextSaver(one) as saver,
        ContextSaver(another) as cold,
    ):
        grow(Chain(saver), 12)
        newest = values(saver)["011"]
        interrupted(cold, monkeypatch, lambda: saver.retain(keep_last=1))
        if listed:
            assert values(cold)["011"] == newest
        else:
            found = cold.get_tuple(config())
            assert found is not None
            assert found.checkpoint["channel_values"] == newest
        grow(Chain(saver, "other"), 12)
        interrupted(cold, monkeypatch, lambda: saver.delete_thread("other"))
        assert cold.get_tuple(config("other")) is None


def test_nothing_is_left_of_what_was_removed(saver: ContextSaver, chain: Chain) -> None:
    grow(chain, 30)
    saver.put_writes(chain.config, [("a", LONG)], "task")
    before = saver.stats()
    saver.prune(["t"])
    after = saver.stats()
    assert (after["threads"], after["checkpoints"], after["writes"]) == (1, 1, 1)
    assert after["bytes"] < before["bytes"]
    saver.prune(["t"], strategy="delete")
    assert saver.stats() == {"threads": 0, "checkpoints": 0, "writes": 0, "bytes": 0}


def test_old_ones_go_and_old_threads_whole() -> None:
    clock = ManualClock(1_735_689_600.0 + 3600)  # 2025-01-01, an hour later
    with sharedctx.open("memory://", clock=clock) as store, ContextSaver(store) as saver:
        for thread, minutes in (("new", (0, 30, 50)), ("old", (0, 10))):
            at: Any = config(thread)
            for minute in minutes:
                made = {**checkpoint(f"{minute:02d}", {"a": 1}), "ts": f"2025-01-01T00:{minute:02d}:00+00:00"}
                at = saver.put(at, made, {}, made["channel_versions"])
        would = saver.retain(max_age=35 * 60, dry_run=True)
        assert (would.threads, would.checkpoints) == (1, 3)
        assert saver.retain(max_age=35 * 60) == would
        assert ids(saver, "new") == ["50", "30"]
        assert list(saver.threads()) == ["new"]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as here:
        here.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_a_time_without_a_zone_is_utc_and_one_that_cannot_be_read_is_no_reason_to_remove(in_tokyo: None) -> None:
    clock = ManualClock(1_735_689_600.0 + 3600)  # 2025-01-01 in UTC, an hour later
    with sharedctx.open("memory://", clock=clock) as store, ContextSaver(store) as saver:
        at: Any = config()
        for id, ts in (("1", "soon"), ("2", "2025-01-01T00:10:00"), ("3", "2025-01-01T00:30:00")):
            at = saver.put(at, {**checkpoint(id, {"a": 1}), "ts": ts}, {"run_id": "r"}, {"a": id})
        assert saver.retain(max_age=35 * 60).checkpoints == 1
        assert ids(saver) == ["3", "1"]
        assert saver.retain(max_age=0).threads == 1
        assert store.backend.spaces() == []


@pytest.mark.parametrize("interrupted", ["removal", "put"])
@pytest.mark.parametrize("how", ["expired", "old"])
def test_a_chat_that_goes_on_while_its_thread_is_removed_loses_nothing(
    address: str, how: str, interrupted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(1_735_689_600.0)  # when the checkpoints say that they were made
    with sharedctx.open(address, clock=clock) as store, ContextSaver(store, ttl=60) as saver:
        asked = 0
        waiting: list[Callable[[], object]] = []

        def interrupting(method: str) -> None:
            call = getattr(store.backend, method)

            def counted(*args: Any, **options: Any) -> Any:
                nonlocal asked
                asked -= 1
                if asked == 0:
                    waiting.pop()()
                return call(*args, **options)

            monkeypatch.setattr(store.backend, method, counted)

        for method in ("commit", "reclaim", "scan", "rev", "pks", "changes"):
            interrupting(method)
        for number in range(1, 1000):
            thread = f"t{number}"
            with ContextSaver(store, ttl=60) as another:
                chain, inner = Chain(another, thread), Chain(another, thread, "inner")
                for id in ("1", "2", "3"):
                    chain.put(id, {"text": [LONG, id]}, run_id="first")
                    another.put_writes(chain.config, [("text", [LONG, "more"])], "task")
                inner.put("1", {"text": [LONG]})
                clock.advance(61 if how == "expired" else 30)

                def go_on(saver: ContextSaver = another, config: Any = chain.config) -> None:
                    made = checkpoint("4", {"text": [LONG, "more", "new"]})
                    made["ts"] = datetime.fromtimestamp(clock(), UTC).isoformat()
                    saver.put(config, made, {"run_id": "second"}, made["channel_versions"])

                def remove(thread: str = thread) -> None:
                    saver.retain(max_age=None if how == "expired" else 10, thread_ids=[thread])

                first, second = (remove, go_on) if interrupted == "removal" else (go_on, remove)
                waiting, asked = [second], number
                first()
                asked = 0
                if waiting:
                    break
            with ContextSaver(store, ttl=60) as fresh:
                found = fresh.get_tuple(config(thread))
                assert found is not None, f"lost when the other came before request {number}"
                assert found.checkpoint["channel_values"] == {"text": [LONG, "more", "new"]}
                fresh.delete_for_runs(["second"])
                assert "4" not in ids(fresh, thread), f"not found by its run, request {number}"
        assert number > 3


def test_a_thread_lives_from_its_last_checkpoint() -> None:
    clock = ManualClock()
    with sharedctx.open("memory://", clock=clock) as store, ContextSaver(store, ttl=60) as saver:
        chain = Chain(saver)
        chain.put("1", {"a": 1})
        Chain(saver, namespace="inner").put("1", {"a": 1})
        clock.advance(40)
        chain.put("2", {"a": 2})
        clock.advance(40)
        assert ids(saver) == ["2", "1"]
        assert saver.get_tuple(config(namespace="inner")) is not None
        assert saver.retain().checkpoints == 0
        clock.advance(20)
        assert saver.get_tuple(config()) is None
        assert saver.get_tuple(config(id="1")) is None
        assert ids(saver) == []
        assert saver.get_delta_channel_history(config=config(), channels=["a"]) == {"a": {"writes": []}}
        assert saver.retain(dry_run=True).threads == 1
        assert saver.retain().threads == 1
        assert saver.threads() == {}
        chain.config = config()
        chain.put("3", {"a": 3})
        assert ids(saver) == ["3"]


def test_runs_are_removed_wherever_they_wrote(saver: ContextSaver, chain: Chain) -> None:
    grow(chain, 3, run_id="one")
    grow(chain, 3, run_id="two")
    Chain(saver, "other").put("x", {"a": 1}, run_id="one")
    Chain(saver, "third").put("y", {"a": 1}, run_id="two")
    before = values(saver)
    saver.delete_for_runs(["one", "never"])
    assert values(saver) == {id: before[id] for id in ("003", "004", "005")}
    assert sorted(saver.threads()) == ["t", "third"]
    saver.copy_thread("third", "fourth")
    saver.delete_for_runs(["two"])
    assert saver.threads() == {}


def deltas(saver: ContextSaver, *, counted: bool) -> None:
    """A thread with a channel that is stored as writes but for a snapshot at 2."""
    at: Any = config()
    for number in range(6):
        values: dict[str, Any] = {"plain": number, **({"delta": [0, 1]} if number == 2 else {})}
        versions = {"plain": f"{number}", "delta": f"{number}"}
        counters = {"counters_since_delta_snapshot": {"delta": [1, number]}} if counted and number != 2 else {}
        at = saver.put(at, checkpoint(f"{number}", values, versions), {"run_id": f"r{number}", **counters}, versions)
        saver.put_writes(at, [("delta", number)], "task")


@pytest.mark.parametrize("counted", [True, False])
def test_what_a_channel_is_rebuilt_from_stays(saver: ContextSaver, counted: bool) -> None:
    deltas(saver, counted=counted)
    before = saver.get_delta_channel_history(config=config(), channels=["delta"])
    assert before == {"delta": {"seed": [0, 1], "writes": [("task", "delta", number) for number in (2, 3, 4)]}}
    saver.delete_for_runs(["r1", "r4"])
    assert ids(saver) == ["5", "4", "3", "2", "0"]
    saver.prune(["t"])
    assert ids(saver) == ["5", "4", "3", "2"]
    assert saver.get_delta_channel_history(config=config(), channels=["delta"]) == before


def test_copies_are_whole_and_independent(saver: ContextSaver, chain: Chain) -> None:
    grow(chain, 40, run_id="r")
    saver.put_writes(chain.config, [("a", LONG)], "task")
    Chain(saver, "copy").put("zzz", {"a": "gone"})
    before = values(saver)
    saver.copy_thread("t", "copy")
    saver.delete_thread("t")
    copied = {each.checkpoint["id"]: each for each in saver.list(config("copy"))}
    assert {id: each.checkpoint["channel_values"] for id, each in copied.items()} == before
    assert copied["039"].pending_writes == [("task", "a", LONG)]
    assert saver.store.doctor() == []
