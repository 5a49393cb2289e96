"""What models were served against full replay is measured where it is served, and added up over processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import sharedctx
from sharedctx import AsyncSharedContext
from sharedctx.backends.base import Put
from sharedctx.backends.steps import run
from sharedctx.testing import ManualClock
from sharedctx.tools import call

ROWS = [{"id": n, "state": "open", "title": f"issue number {n}"} for n in range(500)]


def test_reads_are_measured_by_participant_and_face() -> None:
    with sharedctx.open("memory://") as store:
        ctx = store.session()
        ctx.put("rows", ROWS)
        ctx.put("small", "x" * 40)
        entry = ctx.get_entry("rows")
        assert entry is not None
        coder = ctx.bind("coder", face="langgraph")
        coder.get("rows")
        coder.get("rows")
        ctx.get("small")
        ctx.get("rows", full=True)
        ctx.get("nothing")
        rows = {(found.participant, found.face, found.kind): found for found in ctx.savings()}
        read = rows["coder", "langgraph", "read"]
        assert (read.calls, read.served_tokens) == (2, 2 * entry.compressed_tokens)
        assert read.replay_tokens == 2 * entry.original_tokens
        assert rows[None, "sharedctx", "read"][3:6] == (1, 10, 10)
        assert len(rows) == 2
        assert store.session("other").savings() == []


def test_expansions_windows_and_packets_count() -> None:
    with sharedctx.open("memory://") as store:
        ctx = store.session()
        ctx.put("rows", ROWS)
        text = ctx.expand("rows", "rows:0-9")
        window = ctx.window(500)
        packet = ctx.packet(for_agent="a", task="t", max_tokens=500)
        call(ctx, "read", {"key": "rows", "max_tokens": 100})
        found = {each.kind: each for each in ctx.savings()}
        assert (found["expand"].served_tokens, found["expand"].replay_tokens) == (ctx.settings.count_tokens(text), 0)
        assert found["window"].served_tokens == window.tokens <= 500 < found["window"].replay_tokens
        assert found["packet"].served_tokens == packet.tokens
        assert 0 < found["read"].served_tokens <= 100


def test_a_hand_over_tells_who_gave_to_whom() -> None:
    with sharedctx.open("memory://") as store:
        ctx = store.session()
        ctx.put("rows", ROWS)
        lead = ctx.bind("lead", face="crewai")
        packets = [lead.packet(for_agent="coder", task="t", max_tokens=500) for _ in range(2)]
        lead.packet(for_agent="lead", task="t", max_tokens=500)
        ctx.packet(for_agent="coder", task="t", max_tokens=500)
        found = {(each.giver, each.participant, each.face): each for each in ctx.savings()}
        assert set(found) == {("lead", "coder", "crewai"), (None, "lead", "crewai"), (None, "coder", "sharedctx")}
        given = found["lead", "coder", "crewai"]
        assert (given.kind, given.calls, given.served_tokens) == ("packet", 2, sum(each.tokens for each in packets))
        assert given.replay_tokens == sum(each.replay_tokens for each in packets)


def test_notes_of_changes_count_as_served() -> None:
    ctx = sharedctx.open("memory://").session()
    me = ctx.bind("me", face="langchain")
    ctx.put("plan", "a")
    call(me, "read", {"key": "plan"})
    ctx.put("plan", "b")
    call(me, "list")
    (changes,) = [each for each in ctx.savings() if each.kind == "changes"]
    assert (changes.participant, changes.face, changes.calls, changes.replay_tokens) == ("me", "langchain", 1, 0)
    assert changes.served_tokens > 10


def test_a_store_adds_up_its_sessions_by_face_and_kind(tmp_path: Path) -> None:
    for session in ("a", "b"):
        with sharedctx.open(tmp_path) as store:
            store.session(session).put("small", "x" * 40)
            store.session(session).bind("me", face="crewai").get("small")
    with sharedctx.open(tmp_path) as store:
        store.session("c").put("small", "x" * 40)
        store.session("c").get("small")
        totals = run(store.backend, store.savings.totals())
        assert totals == {("crewai", "read"): [2, 20, 20], ("sharedctx", "read"): [1, 10, 10]}


def test_sums_of_processes_add_up_and_stay_after_close(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path) as store:
        store.session().put("small", "x" * 40)
    script = f"""
import sharedctx
with sharedctx.open({str(tmp_path)!r}) as store:
    ctx = store.session().bind("a")
    for _ in range(600):
        ctx.get("small")
"""
    children = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    with sharedctx.open(tmp_path) as store:
        ctx = store.session().bind("a")
        ctx.get("small")
        (found,) = ctx.savings()
        assert found[3:6] == (1801, 18_010, 18_010)
        rows = store.backend.scan("savings", "default", "")
        assert len(rows) == 1
    with sharedctx.open(tmp_path) as store:
        assert store.session().savings()[0].calls == 1801
        assert store.sessions() == ["default"]
        store.delete_session("default")
        assert store.session().savings() == []


def test_a_process_that_ends_without_closing_its_store_is_counted(tmp_path: Path) -> None:
    script = f"""
from sharedctx import SharedContext
ctx = SharedContext(path={str(tmp_path)!r}).bind("a")
ctx.put("small", "x" * 40)
ctx.get("small")
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    with sharedctx.open(tmp_path) as store:
        assert [found[3:6] for found in store.session().savings()] == [(1, 10, 10)]


def test_coroutines_are_measured_too() -> None:
    async def main() -> list[tuple[str, int]]:
        async with AsyncSharedContext(url="memory://") as ctx:
            await ctx.put("rows", ROWS)
            await ctx.get("rows")
            await ctx.window(200)
            await ctx.packet(for_agent="a", task="", max_tokens=200)
            await ctx.expand("rows", "rows:1")
            return [(each.participant, each.kind, each.calls) for each in await ctx.savings()]

    counted = [(None, "expand", 1), (None, "read", 1), (None, "window", 1), ("a", "packet", 1)]
    assert asyncio.run(main()) == counted


def test_the_statistics_of_a_session_tell_what_was_served() -> None:
    ctx = sharedctx.open("memory://").session("s")
    ctx.put("k", "some words " * 500)
    ctx.bind("coder", face="langgraph").get("k")
    stats = ctx.stats()
    assert [(line.participant, line.face, line.kind) for line in stats.served] == [("coder", "langgraph", "read")]
    assert stats.to_dict()["served"][0]["replay_tokens"] == stats.total_original_tokens


def test_what_was_served_is_told_by_minute(tmp_path: Path) -> None:
    clock = ManualClock(60_000.0)
    with sharedctx.open(tmp_path, clock=clock) as store, sharedctx.open(tmp_path, clock=clock) as other:
        ctx = store.session()
        ctx.put("small", "x" * 40)
        ctx.bind("a").get("small")
        clock.advance(59)
        ctx.bind("b").get("small")
        clock.advance(1)
        other.session().bind("a").get("small")
        ctx.bind("a").get("small")
        other.close()
        mine = [(each.at, each.participant, each.calls, each.served_tokens) for each in ctx.savings_by_minute()]
        assert mine == [(60_000, "a", 1, 10), (60_000, "b", 1, 10), (60_060, "a", 2, 20)]
        assert [each.at for each in ctx.savings_by_minute(60_060.0)] == [60_060]
    with sharedctx.open(tmp_path, clock=clock) as store:
        assert [each.calls for each in store.session().savings_by_minute()] == [1, 1, 2]
        clock.advance(8 * 86_400)
        assert store.session().savings_by_minute() == []
        assert sum(each.calls for each in store.session().savings()) == 4


def test_a_foreign_row_hides_no_other() -> None:
    with sharedctx.open("memory://") as store:
        me = store.session("s").bind("me")
        me.put("plan", "a")
        me.get("plan")
        for partition, name in (("s", "x"), ("s", "[1, 2]"), ("s/minutes", "y"), ("s/readers", "{")):
            store.backend.commit("savings", [Put(partition, b"odd", name)])
        assert [(each.participant, each.kind) for each in me.savings()] == [("me", "read")]
        assert [each.participant for each in me.savings_by_minute()] == ["me"]
        readers = run(store.backend, store.savings.readers("s"))
        assert [(each.participant, each.key) for each in readers] == [("me", "plan")]
        assert len(me.stats().served) == 1
