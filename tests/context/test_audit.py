"""The audit log tells who did what to which version, and shows what was changed afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import AsyncSharedContext, Store
from sharedctx.audit import PK
from sharedctx.audit.record import digest, read
from sharedctx.backends.base import Row
from sharedctx.doctor import audits
from sharedctx.errors import ConfigError, Forbidden, InvalidValue, KeyNotFound, VersionConflict
from sharedctx.testing import ManualClock
from sharedctx.versions import codec
from sharedctx.versions.codec import Kind

KEY = b"sixteen or more bytes"
SPACE = "session:team"
KINDS = ("memory", "disk", "redis")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue("redis_url"))()
    with sharedctx.open(address, audit_key=KEY, clock=clock) as store:
        yield store


def told(store: Store) -> list[tuple[str | None, str, str, int | None]]:
    found = store.session("team").audit()
    return [(each.participant, each.action, each.key, each.version) for each in found]


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
    assert [each.hash for each in ctx.audit() if each.key == "plan"][0] == entry.hash
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


class Tampered:
    """A backend whose storage was changed by somebody who knows its format: rows of the log as ``change`` leaves them."""

    def __init__(self, backend: Any, change: Callable[[list[Row]], list[Row]]) -> None:
        self._backend = backend
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def scan(self, space: str, pk: str, lo: Any = 1, hi: Any = None, *, limit: int = 1000, **order: Any) -> list[Row]:
        if pk != PK or not isinstance(lo, int):
            return list(self._backend.scan(space, pk, lo, hi, limit=limit, **order))
        rows = [row for row in self._change(self._backend.scan(space, pk)) if int(row.sk) >= lo]
        return rows[:limit]

    def place(self, row: Row, number: int, content: bytes) -> Row:
        blob = codec.seal(codec.binding(self.id, SPACE, PK, number), Kind.BYTES, content, timestamp=1.0, compress=False)
        return row._replace(sk=number, value=blob)

    def content(self, row: Row) -> bytes:
        blob = codec.parse(codec.binding(self.id, SPACE, PK, int(row.sk)), row.value)
        return codec.content(blob, None)

    def rewritten(self, row: Row, old: str, new: str, key: bytes | None) -> Row:
        """Another content under a digest that fits, if ``key`` is that of the log."""
        line = read(self.content(row))
        payload = line.payload.replace(old.encode(), new.encode())
        assert payload != line.payload
        return self.place(row, int(row.sk), digest(line.prev, payload, key) + payload)

    def swapped(self, rows: list[Row], a: int, b: int) -> list[Row]:
        first, second = self.content(rows[a]), self.content(rows[b])
        rows[a], rows[b] = self.place(rows[a], a + 1, second), self.place(rows[b], b + 1, first)
        return rows


TAMPERING: dict[str, Callable[[Tampered, list[Row]], list[Row]]] = {
    "a row edited": lambda it, rows: [*rows[:2], it.place(rows[2], 3, it.content(rows[2]) + b" "), *rows[3:]],
    "a row edited with a digest": lambda it, rows: [
        *rows[:2],
        it.rewritten(rows[2], "coder", "xoder", None),
        *rows[3:],
    ],
    "the last row edited with a digest": lambda it, rows: [*rows[:-1], it.rewritten(rows[-1], "put", "pxt", None)],
    "a row without its checksum": lambda it, rows: [*rows[:2], rows[2]._replace(value=rows[2].value[:-1]), *rows[3:]],
    "a row deleted": lambda it, rows: rows[:2] + rows[3:],
    "a row deleted and the rest moved up": lambda it, rows: [
        *rows[:2],
        *(it.place(row, int(row.sk) - 1, it.content(row)) for row in rows[3:]),
    ],
    "the first row deleted": lambda it, rows: rows[1:],
    "the end cut": lambda it, rows: rows[:-1],
    "two rows in other order": lambda it, rows: it.swapped(rows, 2, 3),
    "all deleted but the first": lambda it, rows: rows[:1],
}


@pytest.mark.parametrize("name", TAMPERING)
def test_what_was_edited_deleted_cut_or_reordered_is_found(name: str, store: Store, clock: ManualClock) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    clock.advance(10)
    for step in range(6):
        ctx.bind("coder").put(f"key{step}", "v")
    assert audits(Tampered(store.backend, lambda rows: rows), KEY) == []  # type: ignore[arg-type]
    tampered = Tampered(store.backend, lambda rows: TAMPERING[name](tampered, rows))
    assert audits(tampered, KEY)  # type: ignore[arg-type]


def test_a_head_that_was_kept_shows_a_log_that_was_cut_with_its_versions(store: Store, clock: ManualClock) -> None:
    ctx = store.session("team")
    ctx.configure(audit=True)
    ctx.bind("coder").put("plan", "v")
    kept = str(ctx.audit_head())
    ctx.put("plan", "w")
    assert ctx.verify_audit(kept) == []
    assert [str(head) for head in store.audit_heads()] == [str(ctx.audit_head())]
    store.delete_session("team")
    assert [(each.action, each.key, each.version) for each in store.audit()][1:] == [("delete_session", "team", 3)]
    assert store.verify_audit() == []
    again = store.session("team")
    again.configure(audit=True)
    again.put("plan", "v")
    assert "row 2 is not the one whose head was kept" in again.verify_audit(kept)[0]
    later = kept.replace("@2:", "@9:")
    assert "was cut" in again.verify_audit(later)[0]
    with pytest.raises(InvalidValue, match="head"):
        ctx.verify_audit("nonsense")


def test_a_version_written_past_the_log_or_changed_in_the_store_is_found(tmp_path: Path, clock: ManualClock) -> None:
    with sharedctx.open(tmp_path, clock=clock) as store:
        ctx = store.session("team")
        ctx.configure(audit=True)
        clock.advance(10)
        ctx.put("plan", "the true text")
        log = ctx.verbs.session.log
        bound = codec.binding(store.backend.id, SPACE, "plan", 1)
        blob = codec.parse(bound, store.backend.scan(SPACE, "plan")[0].value)
        forged = codec.seal(bound, Kind.TEXT, b"the fake text", timestamp=blob.timestamp, sha256=blob.sha256)
        with sqlite3.connect(tmp_path / "cache.db") as con:
            con.execute("UPDATE Cache SET value = ? WHERE key LIKE ?", (forged, "%plan%"))
        con.close()
        assert ctx.verify_audit() == ["session:team: the audit log tells of another value in version 1 of 'plan'"]
        from sharedctx.versions.log import ContentCache, Draft, VersionLog

        silent = VersionLog(store.backend.id, SPACE, ContentCache(0))
        ctx.run(silent.append("plan", Draft(Kind.TEXT, b"unseen"), clock()))
        assert "tells nothing of version 2 of 'plan'" in ctx.verify_audit()[1]
        store.backend.reclaim(SPACE, "plan", 2)
        assert any("is gone: nothing says why" in fault for fault in ctx.verify_audit())
        assert log.space == SPACE


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
