"""Who read which entry, and up to which version, is kept: over processes, for a week."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sharedctx
from sharedctx import SharedContext
from sharedctx.served.readers import KEPT, Reader
from sharedctx.testing import ManualClock


def readers(ctx: SharedContext) -> list[Reader]:
    return ctx.run(ctx.store.savings.readers(ctx.session))


def test_a_read_is_told_with_the_newest_version_that_was_read() -> None:
    clock = ManualClock()
    with sharedctx.open("memory://", clock=clock) as store:
        ctx = store.session()
        for text in ("one", "two"):
            ctx.put("plan", text)
        coder, scout = ctx.bind("coder"), ctx.bind("scout")
        coder.get("plan")
        clock.advance(5)
        coder.get("plan", full=True, version=1)
        scout.window(500)
        scout.get("nothing")
        scout.get_entry("plan")
        ctx.get("plan")
        assert readers(ctx) == [Reader("coder", "plan", 2, clock()), Reader("scout", "plan", 2, clock())]
        assert readers(store.session("other")) == []


def test_writing_is_not_reading() -> None:
    with sharedctx.open("memory://") as store:
        coder = store.session().bind("coder")
        coder.put("plan", "one")
        coder.rollback("plan", 1)
        assert readers(coder) == []


def test_reads_outlive_their_process_for_a_week_and_go_with_the_session(tmp_path: Path) -> None:
    clock = ManualClock()
    with sharedctx.open(tmp_path, clock=clock) as store:
        store.session().put("plan", "one")
        store.session().bind("coder").get("plan")
    with sharedctx.open(tmp_path, clock=clock) as store:
        ctx = store.session()
        assert [(each.participant, each.key, each.version) for each in readers(ctx)] == [("coder", "plan", 1)]
        assert list(ctx.run(store.savings.totals())) == [("sharedctx", "read")]
        clock.advance(KEPT)
        assert readers(ctx) == []
        ctx.bind("scout").get("plan")
    with sharedctx.open(tmp_path, clock=clock) as store:
        assert [each.participant for each in readers(store.session())] == ["scout"]
        store.delete_session("default")
        store.session().put("plan", "again")
        assert readers(store.session()) == []


def test_reads_of_another_process_are_told(tmp_path: Path) -> None:
    with SharedContext(path=tmp_path) as ctx:
        ctx.put("plan", "one")
        program = "from sharedctx import SharedContext as S\nwith S(path='.') as c: c.bind('scout').get('plan')"
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
        assert [each[:3] for each in readers(ctx)] == [("scout", "plan", 1)]
