"""The audit log tells who did what to which version, and shows what was changed afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, Store
from sharedctx.errors import ConfigError, Forbidden, KeyNotFound, VersionConflict
from sharedctx.testing import ManualClock

KEY = b"sixteen or more bytes"


def told(store: Store) -> list[tuple[str | None, str, str, int | None]]:
    found = store.session("team").audit()
    return [(each.participant, each.action, each.key, each.version) for each in found]


def test_a_session_made_again_keeps_no_log_until_it_is_told_to(store: Store) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    ctx.put("plan", "first")
    ctx.put("plan", "second", expect=1)
    store.delete_session("team")
    with pytest.raises(VersionConflict, match="not there"):
        ctx.put("plan", "third", expect=2)
    assert ctx.configuration().audit is None
    assert ctx.put("plan", "anew", expect=0).version == 1
    assert told(store) == []
    ctx.configure(audit=True)
    assert ctx.put("plan", "again", expect=1).version == 2
    assert [act for _, act, _, _ in told(store)] == ["begin", "configure", "put"]
    assert store.verify_audit() == []
    assert [record.action for record in store.audit()] == ["begin", "delete_session"]


def test_what_others_do_at_the_same_time_is_told_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with sharedctx.open("memory://", audit_key=KEY, clock=ManualClock(1.0)) as store:
        ctx = store.session("team")
        ctx.configure(audit=True)
        verbs = (
            lambda: ctx.put("plan", "first"),
            lambda: ctx.put("plan", "second", expect=1),
            lambda: ctx.rollback("plan", 1),
            lambda: ctx.trim("plan", 1),
            lambda: ctx.grant("coder", read=["plan"]),
            lambda: ctx.configure(ttl=60.0),
            lambda: ctx.run(ctx.verbs.evict("plan", "spent")),
        )
        commit = store.backend.commit
        for verb in verbs:

            def late(*given: Any, **options: Any) -> Any:
                monkeypatch.undo()
                ctx.put("other", "meanwhile")
                return commit(*given, **options)

            monkeypatch.setattr(store.backend, "commit", late)
            verb()
        acts = [act for _, act, key, _ in told(store) if key != "other"]
        assert acts == ["begin", "configure", "put", "put", "rollback", "trim", "grant", "configure", "evict"]
        assert len([key for _, _, key, _ in told(store) if key == "other"]) == len(verbs)
        assert store.verify_audit() == []


def test_every_change_is_told_with_who_made_it_and_to_which_version(store: Store) -> None:
    ctx = store.session("team", max_entries=3)
    ctx.put("early", "before the log")
    ctx.configure(audit=True)
    coder = ctx.bind("coder")
    entry = coder.put("plan", {"step": 1})
    coder.put("plan", {"step": 2}, expect=1)
    with pytest.raises(VersionConflict):
        coder.put("plan", {"step": 9}, expect=1)
    ctx.bind("lead").rollback("plan", 1)
    coder.delete("plan")
    ctx.put("plan", "again", agent="writer")
    ctx.trim("plan", 1)
    ctx.erase("plan")
    for key in "abc":
        ctx.put(key, "v")
    assert told(store) == [
        (None, "begin", "", None),
        (None, "configure", "", None),
        ("coder", "put", "plan", 1),
        ("coder", "put", "plan", 2),
        ("lead", "rollback", "plan", 3),
        ("coder", "delete", "plan", 4),
        ("writer", "put", "plan", 5),
        (None, "trim", "plan", 4),
        (None, "erase", "plan", 6),
        (None, "put", "a", 1),
        (None, "put", "b", 1),
        (None, "put", "c", 1),
        (None, "evict", "early", 2),
    ]
    assert next(each.hash for each in ctx.audit() if each.key == "plan") == entry.hash
    assert ctx.verify_audit() == [] == store.verify_audit() == store.doctor()


def test_who_was_refused_is_told(store: Store) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    ctx.grant("coder", read=["*"], write=["code/*"])
    coder = ctx.bind("coder")
    ctx.put("plan", "v")
    for attempt in (
        lambda: coder.put("plan", "mine"),
        lambda: coder.delete("plan"),
        lambda: coder.rollback("plan", 1),
        lambda: coder.grant("coder", write=["*"]),
        lambda: coder.configure(audit=False),
        lambda: coder.audit(),
    ):
        with pytest.raises(Forbidden):
            attempt()
    refused = [(each.participant, each.key, each.detail) for each in ctx.audit() if each.action == "denied"]
    assert refused == [
        ("coder", "plan", "write"),
        ("coder", "plan", "delete"),
        ("coder", "plan", "rollback"),
        ("coder", "", "grant coder: write *"),
        ("coder", "", "configure"),
        ("coder", "", "read the audit log"),
    ]
    assert [each.detail for each in ctx.audit() if each.action == "grant"] == ["coder: read *; write code/*"]


def test_a_log_with_a_key_is_not_written_without_it(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path, audit_key=KEY) as store:
        store.session("team").configure(audit=True)
    with sharedctx.open(tmp_path) as store:
        ctx = store.session("team")
        with pytest.raises(ConfigError, match="SHAREDCTX_AUDIT_KEY"):
            ctx.put("plan", "v")
        assert "was not given: only links were checked" in ctx.verify_audit()[0]
    with sharedctx.open(tmp_path, audit_key=KEY[::-1]) as store, pytest.raises(ConfigError, match="kept with the key"):
        store.session("team").put("plan", "v")
    with pytest.raises(ConfigError, match="16 bytes"):
        sharedctx.open(tmp_path, audit_key="short")


def test_the_log_ends_and_begins_again_as_the_settings_say(store: Store, clock: ManualClock) -> None:
    store.configure(audit=True)
    ctx, own = store.session("team"), store.session("own")
    ctx.put("a", "v")
    own.configure(audit=False)
    own.put("a", "v")
    clock.advance(10)
    store.configure(audit=False)
    ctx.put("b", "unseen")
    clock.advance(10)
    store.configure(audit=True)
    ctx.put("c", "v")
    assert [action for _, action, _, _ in told(store)] == ["begin", "put", "end", "resume", "put"]
    assert [each.action for each in own.audit()] == ["begin", "configure", "end"]
    assert store.doctor() == []


def test_tasks_of_one_loop_share_commits_and_one_chain(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("team", path=tmp_path) as ctx:
            await ctx.configure(audit=True)
            await asyncio.gather(*(ctx.bind(f"agent{n % 5}").put(f"key{n % 7}", f"v{n}") for n in range(100)))
            records = await ctx.audit()
            assert [each.number for each in records] == [1, *range(1, 102)]
            assert await ctx.verify_audit() == []
            assert (await ctx.audit_head()).number == 101  # type: ignore[union-attr]

    asyncio.run(main())


def test_processes_that_write_at_once_make_one_chain(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path) as store:
        store.configure(audit=True)
        script = (
            "import sys, sharedctx\n"
            "ctx = sharedctx.SharedContext('team', path=sys.argv[1]).bind(sys.argv[2])\n"
            "for n in range(60): ctx.put('plan', f'{n}')\n"
        )
        running = [subprocess.Popen([sys.executable, "-c", script, tmp_path, f"p{n}"]) for n in range(3)]
        assert [each.wait() for each in running] == [0, 0, 0]
        ctx = store.session("team")
        assert sorted(each.version or 0 for each in ctx.audit() if each.action == "put") == list(range(1, 181))
        assert ctx.verify_audit() == []


def test_admin_is_every_right_on_its_keys_and_that_of_sharing_them(store: Store) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    ctx.grant("lead", admin=["code/*"])
    ctx.grant("coder", read=["code/a"])
    ctx.grant("writer", read=["code/*", "prose/*"])
    lead, coder = ctx.bind("lead"), ctx.bind("coder")
    lead.put("code/a", "v")
    ctx.put("prose/a", "v")
    lead.grant("coder", read=["code/*"], write=["code/b"])
    coder.put("code/b", "v")
    for name, keys in (("coder", ["*"]), ("coder", ["prose/a"]), ("writer", ["code/*"]), ("newcomer", ["code/*"])):
        with pytest.raises(Forbidden):
            lead.grant(name, read=keys)
    with pytest.raises(Forbidden):
        lead.revoke("coder")
    with pytest.raises(KeyNotFound):
        lead.expand("prose/a")
    assert {each.key for each in lead.audit()} == {"code/a", "code/b"}
    ctx.grant("chief", admin=["*"])
    ctx.bind("chief").grant("newcomer", read=["code/*"])
    ctx.bind("chief").revoke("coder")
    ctx.bind("chief").configure(ttl=60)
    with pytest.raises(Forbidden):  # no rule names it: it may do everything but administer
        ctx.bind("stranger").grant("stranger", admin=["*"])
    assert ctx.verify_audit() == []
