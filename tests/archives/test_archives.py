"""A session leaves as one file and comes back with all versions, times and participants; bad files change nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, SharedContext, Store
from sharedctx.errors import ConfigError, SessionExists
from sharedctx.notes import SharedContextStore
from sharedctx.testing import ManualClock


def told(ctx: SharedContext) -> dict[str, Any]:
    found: dict[str, Any] = {"keys": ctx.keys(), "grants": ctx.grants(), "evicted": ctx.evicted()}
    for key in [*ctx.keys(), "gone", "erased"]:
        for entry in ctx.history(key):
            value = ctx.get(key, full=True, version=entry.version) if entry.kind != "gone" else None
            facts = (entry.kind, entry.agent, entry.hash, entry.timestamp, entry.expires_at, entry.note, value)
            found[f"{key}@{entry.version}"] = facts
    return found


def test_a_session_comes_back_as_it_was(source: SharedContext, target: Store, tmp_path: Path) -> None:
    before = told(source)
    made = source.export(tmp_path / "team.zip")
    assert (made.session, made.keys, made.bytes) == ("team", 6, (tmp_path / "team.zip").stat().st_size)
    assert stat.S_IMODE((tmp_path / "team.zip").stat().st_mode) == 0o600
    done = target.import_session(tmp_path / "team.zip")
    assert (done.session, done.versions) == ("team", made.versions)
    ctx = target.session("team")
    assert told(ctx) == before
    assert target.doctor() == []
    assert ctx.put("plan", "next").version == source.put("plan", "next").version
    again = target.import_session(tmp_path / "team.zip", "twin")
    assert told(target.session("twin")) == before
    assert again.session == "twin"
    with SharedContextStore("team", store=target) as notes:
        assert notes.read("scope")["value"] == "only the parser"


def test_what_was_true_at_a_moment_is_so_in_the_copy(source: SharedContext, target: Store, tmp_path: Path) -> None:
    source.export(tmp_path / "team.zip")
    target.import_session(tmp_path / "team.zip")
    ctx = target.session("team")
    at = ctx.history("plan")[3].rev
    assert ctx.as_of(at).get("plan", full=True) == ctx.get("plan", full=True, version=ctx.history("plan")[3].version)
    assert ctx.as_of(at).get("raw", full=True) is None


def test_settings_come_along_and_bind_at_once(
    source: SharedContext, target: Store, tmp_path: Path, clock: ManualClock
) -> None:
    source.configure(ttl=60.0)
    source.export(tmp_path / "team.zip")
    ctx = target.session("team")
    assert ctx.configuration().ttl is None
    target.import_session(tmp_path / "team.zip")
    assert ctx.configuration().ttl == 60.0
    assert ctx.put("brief", "v").expires_at == clock() + 60


def test_an_export_of_a_participant_holds_what_it_may_read(source: SharedContext, tmp_path: Path) -> None:
    made = source.bind("coder").export(tmp_path / "coder.zip")
    assert made.keys == 1
    with zipfile.ZipFile(tmp_path / "coder.zip") as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"parser" not in whole
    assert b"lead" not in whole
    assert json.loads(zipfile.ZipFile(tmp_path / "coder.zip").read("manifest.json"))["grants"] == {}


def test_nothing_is_overwritten(source: SharedContext, target: Store, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    os.symlink(tmp_path / "there", tmp_path / "link")
    for name in ("there", "link"):
        with pytest.raises(ConfigError, match="already there"):
            source.export(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be written"):
        source.export(tmp_path / "no" / "folder.zip")
    assert (tmp_path / "there").read_text() == "mine"
    source.export(tmp_path / "team.zip")
    target.session("team").put("plan", "mine")
    with pytest.raises(SessionExists, match="another id"):
        target.import_session(tmp_path / "team.zip")
    assert target.session("team").get("plan") == "mine"
    for name in ("../evil", "", "a/b"):
        with pytest.raises(ConfigError):
            target.import_session(tmp_path / "team.zip", name)


def test_an_import_that_broke_off_is_begun_anew(source: SharedContext, tmp_path: Path, clock: ManualClock) -> None:
    source.export(tmp_path / "team.zip")
    with sharedctx.open(tmp_path / "store", clock=clock) as store:
        commit_many, calls = store.backend.commit_many, []

        class Killed(BaseException):
            pass

        def dying(commits: Any) -> Any:
            calls.append(commits)
            done = commit_many(commits[:5])
            store.backend.reclaim = lambda *_: 0  # type: ignore[method-assign]  # nothing is tidied up
            raise Killed(done)

        store.backend.commit_many = dying  # type: ignore[method-assign]
        with pytest.raises(Killed):
            store.import_session(tmp_path / "team.zip")
        assert store.session("team").keys()
        del store.backend.commit_many, store.backend.reclaim
        store.import_session(tmp_path / "team.zip")
        assert told(store.session("team")) == told(source)


def test_coroutines_export_too_and_the_audit_log_goes_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSharedContext("team", path=tmp_path / "store") as ctx:
            await ctx.configure(audit=True)
            await ctx.put("plan", "v")
            await ctx.export(tmp_path / "team.zip")
            assert [each.action for each in await ctx.audit()] == ["begin", "configure", "put", "export"]

    asyncio.run(main())
    with zipfile.ZipFile(tmp_path / "team.zip") as archive:
        rows = [json.loads(line) for line in archive.read("audit.jsonl").splitlines()]
    assert len(rows) == 3
    prev = bytes(32)
    for row in rows:
        prev = hashlib.sha256(prev + row["row"].encode()).digest()
        assert prev.hex() == row["digest"]
    with sharedctx.open("memory://") as store:
        store.import_session(tmp_path / "team.zip")
        ctx = store.session("team")
        assert [each.action for each in ctx.audit()] == ["begin", "import"]  # it was on, so it is on
        ctx.put("plan", "w")
        assert ctx.verify_audit() == []
