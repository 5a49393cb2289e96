"""Writes queued by one event loop build on each other; a writer elsewhere may come between at any moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, SharedContext, Store
from sharedctx.errors import DecodeError, VersionConflict
from sharedctx.testing.clock import ManualClock
from sharedctx.versions import codec


def large(word: str) -> str:
    """A value that is stored as its difference from another of these."""
    return "\n".join(f"{word} line {n} " + "x" * 20 for n in range(400))


async def put_all(context: SharedContext, values: list[str], **named: Any) -> list[Any]:
    face = AsyncSharedContext.over(context)
    return await asyncio.gather(*(face.put("k", value, **named) for value in values), return_exceptions=True)


def test_values_are_whole_when_another_writer_takes_the_number_of_a_queued_version(
    stores: tuple[Store, Store], before_the_first_group: Callable[[Store, Callable[[], object]], None]
) -> None:
    one, two = (store.session("s") for store in stores)
    one.put("k", large("base"))
    before_the_first_group(stores[0], lambda: two.put("k", large("foreign")))
    values = [large(f"base{n}") for n in range(6)]
    entries = asyncio.run(put_all(one, values))
    assert sorted(entry.version for entry in entries) == [3, 4, 5, 6, 7, 8]
    for context in (one, two):
        for entry, value in zip(entries, values, strict=True):
            assert context.get("k", full=True, version=entry.version) == value
        assert context.get("k", full=True, version=2) == large("foreign")
    assert stores[1].doctor() == []


def test_the_audit_log_holds_when_another_writer_comes_between(
    stores: tuple[Store, Store], before_the_first_group: Callable[[Store, Callable[[], object]], None]
) -> None:
    one, two = (store.session("s") for store in stores)
    one.configure(audit=True)
    one.put("k", "first")
    two.get("k")
    before_the_first_group(stores[0], lambda: two.put("other", "foreign"))
    entries = asyncio.run(put_all(one, [f"value {n}" for n in range(5)]))
    assert sorted(entry.version for entry in entries) == [2, 3, 4, 5, 6]
    assert two.verify_audit() == []
    assert [record.version for record in two.audit() if record.key == "k"] == [1, 2, 3, 4, 5, 6]


def test_of_writes_that_expect_one_version_one_wins(
    stores: tuple[Store, Store], before_the_first_group: Callable[[Store, Callable[[], object]], None]
) -> None:
    one, two = (store.session("s") for store in stores)
    one.put("k", large("base"))
    before_the_first_group(stores[0], lambda: two.put("k", large("foreign")))
    results = asyncio.run(put_all(one, [large("a"), large("b")], expect=1))
    assert [type(result) for result in results] == [VersionConflict, VersionConflict]
    assert one.get("k", full=True) == large("foreign")


def test_a_difference_from_another_content_does_not_read() -> None:
    """Both contents are as long, and the difference would fit either."""
    bound = codec.binding("store", "s", "k", 2)
    base, value = large("base").encode(), large("basis").encode()
    blob = codec.seal(bound, codec.Kind.TEXT, value, timestamp=0.0, base=(1, base))
    version = codec.parse(bound, blob)
    assert codec.content(version, base) == value
    with pytest.raises(DecodeError):
        codec.content(version, large("face").encode())


def test_loops_of_many_threads_write_one_key_and_nothing_is_refused(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        face = AsyncSharedContext.over(store.session("s"))

        def work(name: int) -> None:
            for number in range(20):
                asyncio.run(face.put("k", f"{name} {number}"))

        with ThreadPoolExecutor(5) as threads:
            for done in [threads.submit(work, name) for name in range(5)]:
                done.result()
        values = [store.session("s").get("k", version=version, full=True) for version in range(1, 101)]
        assert sorted(values) == sorted(f"{name} {number}" for name in range(5) for number in range(20))


def test_a_loop_that_is_busy_does_not_hold_up_another(stores: tuple[Store, Store]) -> None:
    face = AsyncSharedContext.over(stores[0].session("s"))
    queued, written = threading.Event(), threading.Event()

    async def busy() -> None:
        task = asyncio.create_task(face.put("k", "first"))
        await asyncio.sleep(0)
        queued.set()
        assert written.wait(30)
        await task

    async def other() -> None:
        await asyncio.wait_for(face.put("k", "second"), 20)

    thread = threading.Thread(target=lambda: asyncio.run(busy()))
    thread.start()
    assert queued.wait(30)
    try:
        asyncio.run(other())
    finally:
        written.set()
        thread.join()
    assert [stores[0].session("s").get("k", version=n, full=True) for n in (1, 2)] == ["first", "second"]


def test_a_loop_that_was_broken_off_does_not_stop_the_clock(tmp_path: Path) -> None:
    clock = ManualClock()

    async def broken_off(face: AsyncSharedContext) -> None:
        asyncio.get_running_loop().create_task(face.put("k", "first"))
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    with sharedctx.open(tmp_path / "store", clock=clock) as store:
        face = AsyncSharedContext.over(store.session("s"))
        loop = asyncio.new_event_loop()
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(broken_off(face))
        clock.advance(60)
        assert asyncio.run(face.put("other", "second")).timestamp == clock()
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
        loop.close()
        assert store.session("s").get("k", full=True) == "first"
