"""Rows that another program wrote into the store: they hide nothing, are told, and go when asked to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import sharedctx
from sharedctx.backends.disk.keys import partition, version_key
from sharedctx.errors import Compacted, UnsafeRow
from sharedctx.evolution import EvolutionStore
from sharedctx.testing import ManualClock

from .rows import change


def plant(path: Path, key: str, end: str, value: object, tag: object = None) -> None:
    """Write a row as another program would."""
    sql = "INSERT INTO Cache(key, raw, mode, tag, value) VALUES (?, 1, 1, ?, ?)"
    change(path, sql, (f"session:s-{key}{end}", tag, value))


@pytest.mark.parametrize(
    "end",
    ["-zzz", "-5abc", "-5000000000000010000", "-000000000000001", "-999999999999999", "-~abc", "-~-500000000000001"],
)
def test_a_planted_key_hides_nothing_is_told_and_is_removed_by_repair(path: Path, end: str) -> None:
    plant(path, "k03", end, b"\0")
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        assert ctx.get("k03", full=True) == "value 3 " * 300
        assert ctx.put("k03", "second", expect=1).version == 2
        assert ctx.put("k03", "third").version == 3
        assert [entry.version for entry in ctx.history("k03")] == [3, 2, 1]
        assert len(ctx.keys()) == 20
        assert [event.key for event in ctx.changes()] == [*(f"k{n:02}" for n in range(20)), "k03", "k03"]
        assert len(store.doctor()) == 1
        assert f"k03{end}" in store.doctor()[0]
        assert [f"k03{end}" in gone for gone in store.repair()] == [True]
        assert store.doctor() == store.repair() == []
        assert ctx.erase("k03") == 3
        assert ctx.put("k03", "anew").version == 5


@pytest.mark.parametrize(
    "value", [b"{nope", b"5", b"\xff", b'[["k03", {}]]', b'[["k03", 1, 2]]', b"[" * 100_000, "text", 7]
)
def test_a_planted_row_of_the_feed_sends_its_followers_back_to_the_state(path: Path, value: object) -> None:
    with sharedctx.open(path) as store:
        store.session("s").delete("k05")
    plant(path, "", "-d000000000000999", value)
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        ctx.put("k06", "second")
        with pytest.raises(Compacted) as told:
            list(ctx.changes())
        assert [event.key for event in ctx.changes(since=told.value.oldest)] == ["k06"]
        assert len(store.doctor()) == len(store.repair()) == 1
        assert store.doctor() == []
        with pytest.raises(Compacted):  # who had not come that far still hears of it
            list(ctx.changes())
        assert [event.key for event in ctx.changes(since=told.value.oldest)] == ["k06"]


@pytest.mark.parametrize("value", ["zz", b"zz", 1e300, 2**62, -1, None])
def test_a_planted_compaction_mark_stops_neither_followers_nor_housekeeping(path: Path, value: object) -> None:
    plant(path, "", "-m000000000000999", value, tag="x")
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        ctx.put("k06", "second")
        with pytest.raises(Compacted) as told:
            list(ctx.changes())
        assert [event.key for event in ctx.changes(since=told.value.oldest)] == ["k06"]
        assert len(store.doctor()) == 1
        assert ctx.erase("k06") == 2  # which writes the mark anew
        assert store.doctor() == []
        assert store.delete_session("s") > 0


@pytest.mark.parametrize("tag", ["junk", "9" * 30, 5, b"\xff", "1 x"])
def test_a_row_that_says_nonsense_of_itself_is_one_damaged_version(path: Path, tag: object) -> None:
    plant(path, "k03", "-500000000000004", b"\0", tag=tag)
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        with pytest.raises(UnsafeRow, match=r"'k03' version 5.*doctor --repair"):
            ctx.get("k03")
        assert [entry.kind for entry in ctx.history("k03")] == ["damaged", "text"]
        assert ctx.changes()[-1].key == "k03"
        assert len(store.repair()) == 1
        assert ctx.get("k03", full=True) == "value 3 " * 300
        assert ctx.put("k03", "next").version > 5  # the planted number stays taken


def test_a_clock_that_is_none_is_passed_by(path: Path) -> None:
    change(path, "INSERT OR REPLACE INTO Cache(key, raw, mode, value) VALUES ('-clock', 1, 1, 'noon')")
    with sharedctx.open(path) as store:
        assert store.session("s").put("k03", "second").version == 2


def test_trim_keeps_what_reads_beside_a_damaged_newest_version(path: Path) -> None:
    plant(path, "k03", "-500000000000004", b"\0")
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        assert ctx.trim("k03", 1) == 0
        assert ctx.get("k03", full=True, version=1) == "value 3 " * 300


def take(path: Path, space: str, key: str, number: int) -> None:
    """Have another program's row take a number of a partition, and be removed by the next repair."""
    sql = "INSERT INTO Cache(key, raw, mode, tag, value) VALUES (?, 1, 1, 'junk', x'00')"
    change(path, sql, (version_key(partition(space, key), number),))


@pytest.mark.parametrize("limit", ["ttl", "max_entries", "by name"])
def test_what_the_store_removes_is_gone_though_a_foreign_row_took_the_next_number(path: Path, limit: str) -> None:
    clock = ManualClock(4e9)
    with sharedctx.open(path, clock=clock) as store:
        ctx = store.session("s", scope="brief", max_entries=1 if limit == "max_entries" else None)
        ctx.put("brief", "old", ttl=5 if limit == "ttl" else None)
        take(path, "session:s", "brief", 4)
        store.repair()
        clock.advance(10)
        if limit == "ttl":
            assert ctx.sweep() == 1
        elif limit == "max_entries":
            ctx.put("briefly", "new")
        else:
            assert ctx.run(ctx.verbs.evict("brief", "spent"))
        assert ctx.get("brief") is None
        assert [(gone.key, gone.version) for gone in ctx.evicted()] == [("brief", 1)]
        assert store.doctor() == []
        assert ctx.put("brief", "again").version == 6


def test_the_audit_log_tells_what_was_done_though_a_foreign_row_took_its_next_number(path: Path) -> None:
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        ctx.configure(audit=True)
        ctx.put("k00", "one")
        take(path, "session:s", "\x01audit", 3)
        assert len(store.repair()) == 1
        ctx.put("k00", "two")
        ctx.delete("k00")
        ctx.configure(ttl=60.0)
        told = [(act.number, act.action) for act in ctx.audit()]
        assert told[2:] == [(2, "put"), (4, "put"), (5, "delete"), (6, "configure")]
        assert [fault for fault in ctx.verify_audit() if "3 to 3" not in fault] == []


def test_an_evolution_keeps_what_it_stores_though_foreign_rows_took_its_next_numbers(path: Path) -> None:
    async def run() -> None:
        async with EvolutionStore(path=path) as store:
            own = await store.create_context("src", ["speed"])
            for section in ("metrics_before", "original_analysis", "state"):
                take(path, f"evolution:{own}", section, 3)
            assert len(store.store.repair()) == 3
            assert await store.store_original_analysis(["a.py"], {"lines": 9}, [], [])
            assert await store.update_phase("plan")
            found = await store.get_context()
            assert found is not None
            assert (found.metrics_before, found.current_phase) == ({"lines": 9}, "plan")
            assert found.original_analysis["files_analyzed"] == ["a.py"]
            assert store.store.doctor() == []

    asyncio.run(run())
