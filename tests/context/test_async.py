"""AsyncSharedContext: the same promises from coroutines, and commits of many tasks together."""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, SharedContext
from sharedctx.errors import BackendUnavailable, VersionConflict
from sharedctx.snapshot import AsyncSnapshot, Snapshot


def test_the_verbs_do_what_they_do_for_threads(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("s", path=tmp_path / "store") as ctx:
            first = await ctx.put("k", {"a": 1}, agent="me")
            await ctx.put("k", {"a": 2})
            assert first.agent == "me"
            assert await ctx.get("k", full=True) == {"a": 2}
            assert await ctx.get("k", full=True, version=1) == {"a": 1}
            with pytest.raises(VersionConflict):
                await ctx.put("k", "x", expect=1)
            assert (await ctx.rollback("k", 1)).version == 3
            assert [entry.version for entry in await ctx.history("k")] == [3, 2, 1]
            assert await ctx.keys() == ["k"]
            assert await ctx.delete("k") == 3
            assert await ctx.get("k") is None
            assert [event.op for event in await ctx.changes()] == ["put", "put", "put", "delete"]
            big = "line of text\n" * 20_000
            await ctx.put("big", big)
            assert await ctx.get("big", full=True) == big
            assert "line of text" in await ctx.expand("big", "lines:5000")
            assert (await ctx.stats()).entries == 1
            assert await ctx.bind("x").get_entry("big") is not None

    asyncio.run(main())


INSIDE = {"agent", "run", "served"}
"""What adapters stand on, beside the verbs."""


def verbs(face: type) -> dict[str, list[inspect.Parameter]]:
    """The public methods of a face with their arguments."""
    methods = {name: found for name, found in inspect.getmembers(face, callable) if not name.startswith("_")}
    return {name: list(inspect.signature(found).parameters.values())[1:] for name, found in methods.items()}


def test_both_faces_have_the_same_verbs_with_the_same_arguments() -> None:
    threads, coroutines = verbs(SharedContext), verbs(AsyncSharedContext)
    assert threads.keys() - coroutines.keys() <= INSIDE
    assert coroutines.keys() - threads.keys() == {"over"}
    assert {name: coroutines[name] for name in threads.keys() & coroutines.keys() - INSIDE} == {
        name: threads[name] for name in threads.keys() & coroutines.keys() - INSIDE
    }
    assert verbs(AsyncSnapshot) == {name: each for name, each in verbs(Snapshot).items() if not name.endswith("_steps")}


def test_each_verb_is_there_for_coroutines(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("s", path=tmp_path / "store") as ctx:
            await ctx.configure(ttl=3600)
            assert (await ctx.configuration()).ttl == 3600
            await ctx.put("plan", "the first words " * 30)
            rev = await ctx.rev()
            await ctx.put("plan", "other words")
            assert await ctx.as_of(rev).get("plan", full=True) == "the first words " * 30
            assert await ctx.as_of(rev).keys() == ["plan"]
            assert await ctx.nearest("plam") == ["plan"]
            assert "other" in (await ctx.window(100, query="words")).text
            assert "other" in (await ctx.packet(for_agent="coder", task="words", max_tokens=300)).text
            assert (await ctx.search("other words"))[0].key == "plan"
            assert "words" in await ctx.expand("plan", "lines:1", max_tokens=100)
            assert isinstance(await ctx.diff("plan", 1, 2), str)
            await ctx.grant("coder", read=["plan"])
            assert (await ctx.grants()).rules["coder"]["read"] == ("plan",)
            coder = ctx.bind("coder")
            assert await coder.get("plan") == "other words"
            await ctx.put("plan", "third")
            assert [each.key for each in await coder.stale()] == ["plan"]
            assert (await ctx.revoke("coder")).rules == {}
            assert {each.kind for each in await ctx.savings()} >= {"read", "window", "packet", "expand"}
            assert await ctx.savings_by_minute()
            assert await ctx.trim("plan", 1) == 2
            assert await ctx.sweep() == 0
            assert await ctx.evicted() == []
            assert await ctx.clear() == 1
            assert await ctx.erase("plan") >= 1

    asyncio.run(main())


def test_many_tasks_on_one_key_lose_no_write_and_number_densely(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("s", path=tmp_path / "store") as ctx:
            text = "x" * 5000
            entries = await asyncio.gather(*(ctx.put("k", f"{text}{n}") for n in range(100)))
            assert sorted(entry.version for entry in entries) == list(range(1, 101))
            for n, entry in enumerate(entries):
                assert await ctx.get("k", full=True, version=entry.version) == f"{text}{n}"
            assert ctx.sync.store.doctor() == []

    asyncio.run(main())


def test_tasks_that_expect_lose_no_update() -> None:
    async def add(ctx: AsyncSharedContext) -> None:
        for _ in range(5):
            while True:
                head = await ctx.get_entry("n")
                value = await ctx.get("n", full=True, version=head.version) if head else 0
                try:
                    await ctx.put("n", str(int(value) + 1), expect=head.version if head else 0)
                    break
                except VersionConflict:
                    continue

    async def main() -> None:
        async with AsyncSharedContext("s", url="memory://") as ctx:
            await asyncio.gather(*(add(ctx) for _ in range(6)))
            assert await ctx.get("n") == "30"

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["put", "rollback"])
def test_the_loop_runs_on_while_the_budget_of_a_session_is_judged(verb: str, turning_count: Any) -> None:
    async def main() -> None:
        with sharedctx.open("memory://") as store:
            plain = store.session("s")
            plain.put("large", "a line\n" * 20_000)
            plain.put("k", "small")
            ctx = AsyncSharedContext.over(store.session("s", max_store_tokens=10**9, count_tokens=turning_count))
            turning_count.watch()
            entry = await (ctx.put("k", "small too") if verb == "put" else ctx.rollback("k", 1))
            assert entry.version == 2

    asyncio.run(main())


def test_a_watch_sees_what_another_task_writes(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("s", path=tmp_path / "store") as ctx:
            start = await ctx.rev()

            async def follow() -> list[str]:
                seen = []
                async for event in ctx.watch(start, timeout=5):
                    seen.append(event.key)
                    if len(seen) == 3:
                        break
                return seen

            watching = asyncio.create_task(follow())
            for key in "abc":
                await ctx.put(key, "v")
            assert await asyncio.wait_for(watching, 5) == ["a", "b", "c"]

    asyncio.run(main())


def test_a_cancelled_put_leaves_the_store_usable(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("s", path=tmp_path / "store") as ctx:
            tasks = [asyncio.create_task(ctx.put("k", str(n))) for n in range(20)]
            await asyncio.gather(tasks[0])
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            last = (await ctx.put("k", "after")).version
            assert [entry.version for entry in await ctx.history("k")] == list(range(last, 0, -1))
            assert await ctx.get("k") == "after"

    asyncio.run(main())


def test_after_close_everything_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        store = sharedctx.open(tmp_path / "store")
        ctx = AsyncSharedContext.over(store.session("s"))
        await ctx.put("k", "v")
        store.close()
        with pytest.raises(BackendUnavailable):
            await ctx.put("k", "v")

    asyncio.run(main())


def test_many_watchers_of_one_session_share_a_thread_and_leave_reads_free(tmp_path: Path) -> None:
    async def follow(ctx: AsyncSharedContext, since: int) -> str:
        async for event in ctx.watch(since, timeout=20):
            return event.key
        return "nothing"

    async def main() -> None:
        async with AsyncSharedContext("shared-thread", path=tmp_path) as ctx:
            start = await ctx.rev()
            tasks = [asyncio.create_task(follow(ctx, start)) for _ in range(60)]
            await asyncio.sleep(0)
            await ctx.put("k", "v" * 100_000)
            assert await asyncio.wait_for(asyncio.gather(*tasks), 20) == ["k"] * 60
            assert [thread.name for thread in threading.enumerate()].count("sharedctx-watch-session:shared-thread") <= 1

    asyncio.run(main())


def test_a_watch_ends_after_its_quiet_seconds_whatever_other_sessions_do(tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with AsyncSharedContext("a", path=tmp_path) as ctx:
            other = AsyncSharedContext("b", path=tmp_path)

            async def noise() -> None:
                while True:
                    await other.put("k", "v")

            noisy = asyncio.create_task(noise())
            found = [event.key async for event in ctx.watch(timeout=0.2)]
            noisy.cancel()
            await other.close()
            return found

    assert asyncio.run(asyncio.wait_for(main(), 20)) == []
