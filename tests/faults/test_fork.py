"""A forked child works at once, whatever the parent's threads held when it was made."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import sharedctx
from sharedctx import AsyncSharedContext

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(work: Callable[[], bool]) -> int:
    """Fork, run ``work`` in the child for at most 20 s and return the exit code: 0 when it returned True."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_does_not_wait_for_what_the_parents_threads_hold() -> None:
    # In memory: SQLite itself may be locked for ever in a child that is forked while another thread is inside it.
    with sharedctx.open("memory://") as store:
        ctx = store.session()
        ended = threading.Event()

        def work(name: str) -> None:
            n = 0
            while not ended.is_set():
                ctx.put(name, f"{name} {n} " * 700)
                ctx.get(name)
                n += 1

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(3)]
        for thread in threads:
            thread.start()

        def child() -> bool:
            ctx.put("child", "written by a child " * 300)
            return bool(ctx.get("child") and ctx.bind("me").get("child"))

        try:
            assert [in_child(child) for _ in range(12)] == [0] * 12
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def test_a_child_reads_and_writes_the_parents_store(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path) as store:
        ctx = store.session()
        ctx.put("k", "parent " * 500)
        assert ctx.search("parent")

        def child() -> bool:
            ctx.put("k", "child " * 500)
            return bool(ctx.search("child")) and not ctx.search("parent")

        assert in_child(child) == 0
        assert ctx.get("k", full=True) == "child " * 500
        assert store.doctor() == []


def test_a_child_has_an_event_loop_driver_of_its_own(tmp_path: Path) -> None:
    ctx = AsyncSharedContext(path=tmp_path)
    asyncio.run(ctx.put("k", "parent"))

    def child() -> bool:
        asyncio.run(ctx.put("k", "child"))
        return asyncio.run(ctx.get("k")) == "child"

    assert in_child(child) == 0
    assert asyncio.run(ctx.get("k")) == "child"
    asyncio.run(ctx.close())
