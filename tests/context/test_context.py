"""SharedContext keeps what it is given, tells who wrote it, and loses nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.errors import (
    BackendUnavailable,
    ConfigError,
    Forbidden,
    InvalidKey,
    InvalidValue,
    KeyNotFound,
    VersionConflict,
)
from sharedctx.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture(params=["memory", "disk", "redis", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Any:
    own = {"memory": "memory://", "disk": str(tmp_path / "store")}
    address = own.get(request.param) or request.getfixturevalue(f"{request.param}_url")
    with sharedctx.open(address, clock=clock) as opened:
        yield opened


@pytest.fixture
def ctx(store: Store) -> SharedContext:
    return store.session("s")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text",
        "a\r\nb\x00c",
        b"",
        b"\xff\x00",
        {},
        [],
        None,
        True,
        0,
        1.5,
        2**70,
        {"b": [1, {"a": None}]},
        "é" * 9000,
    ],
)
def test_a_value_comes_back_as_the_type_that_was_stored(ctx: SharedContext, value: Any) -> None:
    ctx.put("k", value)
    found = ctx.get("k", full=True)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value", [(1, 2), {1: "a"}, {1, 2}, float("nan"), float("inf"), object(), "\ud800", ["\udfff"]]
)
def test_a_value_that_would_change_is_refused_and_nothing_is_written(ctx: SharedContext, value: Any) -> None:
    with pytest.raises(InvalidValue, match="'k'"):
        ctx.put("k", value)
    assert ctx.history("k") == []


@pytest.mark.parametrize("key", ["", "k\n", "a/../b", "\x00", "a\u202eb", "e\u0301", "k" * 513, "..", "\x01evicted", 7])
def test_a_key_with_a_bad_spelling_is_refused(ctx: SharedContext, key: Any) -> None:
    for verb in (lambda: ctx.put(key, "v"), lambda: ctx.get(key), lambda: ctx.delete(key), lambda: ctx.history(key)):
        with pytest.raises(InvalidKey):
            verb()


@pytest.mark.parametrize("session", ["", ".", "..", "../evil", "a/b", "s\n", "x" * 129])
def test_a_session_id_never_leaves_its_place(store: Store, session: str) -> None:
    with pytest.raises(ConfigError):
        store.session(session)


def test_large_values_and_many_versions_read_exactly(ctx: SharedContext) -> None:
    texts = [
        "\n".join(f"line {n} of {version}" if n == version * 7 else f"line {n}" for n in range(2000))
        for version in range(40)
    ]
    for text in texts:
        ctx.put("doc", text)
    for version, text in enumerate(texts, 1):
        assert ctx.get("doc", full=True, version=version) == text


def test_expect_writes_only_onto_the_version_that_was_read(ctx: SharedContext) -> None:
    ctx.put("plan", "a", agent="one", expect=0)
    with pytest.raises(VersionConflict) as caught:
        ctx.put("plan", "b", expect=0)
    assert (caught.value.expected, caught.value.actual, caught.value.agent) == (0, 1, "one")
    assert ctx.put("plan", "c", expect=1).version == 2
    assert ctx.get("plan") == "c"


def test_threads_that_expect_lose_no_update(store: Store) -> None:
    def add(name: str) -> None:
        ctx = store.session("s")
        for _ in range(20):
            while True:
                head = ctx.get_entry("n")
                value = ctx.get("n", full=True, version=head.version) if head else 0
                try:
                    ctx.put("n", value + 1, expect=head.version if head else 0)
                    break
                except VersionConflict:
                    continue

    threads = [threading.Thread(target=add, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.session("s").get("n", full=True) == 80


def test_delete_leaves_a_tombstone_and_the_count_goes_on(ctx: SharedContext) -> None:
    ctx.put("k", "1")
    ctx.put("k", "2")
    assert ctx.delete("k") == 2
    assert ctx.get("k") is None
    assert ctx.get("k", version=2) == "2"
    with pytest.raises(KeyNotFound):
        ctx.delete("k")
    assert ctx.put("k", "4", expect=0).version == 4
    assert [entry.kind for entry in ctx.history("k")] == ["text", "gone", "text", "text"]


def test_erase_removes_the_history_and_numbers_do_not_repeat(ctx: SharedContext) -> None:
    ctx.put("k", "secret")
    ctx.put("k", "secret 2")
    assert ctx.erase("k") == 2
    assert ctx.get("k", version=1) is None
    assert [(entry.kind, entry.size, entry.note) for entry in ctx.history("k")] == [("gone", 0, "erased")]
    assert ctx.keys() == []
    assert ctx.put("k", "new").version == 4


def test_rollback_writes_the_old_state_as_a_new_version(ctx: SharedContext) -> None:
    for value in ({"a": 1}, {"a": 2}, {"a": 3}):
        ctx.put("k", value)
    assert ctx.rollback("k", 1, agent="me").version == 4
    assert ctx.get("k", full=True) == {"a": 1}
    with pytest.raises(KeyNotFound):
        ctx.rollback("k", 9)


def test_diff_is_a_patch_for_json_and_unified_for_text(ctx: SharedContext) -> None:
    ctx.put("j", {"a": 1, "b": [1, 2, 3, "unchanged text that is long enough"]})
    ctx.put("j", {"a": 2, "b": [1, 2, 3, "unchanged text that is long enough"]})
    assert ctx.diff("j", 1, 2) == [{"op": "replace", "path": "/a", "value": 2}]
    ctx.put("t", "one\ntwo\n")
    ctx.put("t", "one\n2\n")
    assert "-two" in ctx.diff("t", 1, 2)


def test_the_session_can_be_read_as_of_any_revision(ctx: SharedContext) -> None:
    first = ctx.put("a", "1")
    ctx.put("b", "x")
    second = ctx.put("a", "2")
    ctx.delete("b")
    assert ctx.as_of(first.rev).keys() == ["a"]
    assert ctx.as_of(first.rev).get("a") == "1"
    assert ctx.as_of(second.rev).get("b") == "x"
    assert ctx.as_of(ctx.rev()).keys() == ["a"]


def test_an_entry_expires_exactly_and_says_so(ctx: SharedContext, clock: ManualClock) -> None:
    ctx.put("a", "stays")
    ctx.put("k", "v", ttl=10)
    clock.advance(9.5)
    assert ctx.get("k") == "v"
    clock.advance(0.5)
    assert ctx.get("k") is None
    assert ctx.get("k", version=1) is None
    assert ctx.keys() == ["a"]
    clock.set(1000.0)
    assert ctx.get("k") is None
    assert [(gone.key, gone.version, gone.why) for gone in ctx.evicted()] == [("k", 1, "expired")]
    assert ctx.put("k", "again", expect=0).version == 3


def test_changes_name_every_write_and_watch_follows(ctx: SharedContext) -> None:
    start = ctx.rev()
    ctx.put("a", "1", agent="x")
    ctx.put("b", "2")
    ctx.delete("a", agent="y")
    seen = [(event.key, event.version, event.op, event.agent) for event in ctx.changes(start)]
    assert seen == [("a", 1, "put", "x"), ("b", 1, "put", None), ("a", 2, "delete", "y")]
    assert len(list(ctx.watch(start, timeout=0))) == 3


def test_a_bound_context_speaks_for_its_participant_alone(ctx: SharedContext) -> None:
    me = ctx.bind("subagent:research")
    assert me.put("k", "v").agent == "subagent:research"
    with pytest.raises(Forbidden):
        me.put("k", "v", agent="somebody")
    with pytest.raises(Forbidden):
        me.bind("somebody")


def test_grants_hide_what_may_not_be_read_and_refuse_what_may_not_be_written(ctx: SharedContext) -> None:
    ctx.put("open/a", "1")
    ctx.put("shut/b", "2")
    ctx.grant("subagent:*", read=["open/*"], write=["open/*"])
    me = ctx.bind("subagent:x")
    assert me.keys() == ["open/a"]
    assert me.get("shut/b") is None
    assert me.history("shut/b") == []
    assert [event.key for event in me.changes(0)] == ["open/a"]
    with pytest.raises(KeyNotFound):
        me.expand("shut/b")
    for verb in (lambda: me.put("shut/b", "x"), lambda: me.delete("open/a"), lambda: me.rollback("open/a", 1)):
        with pytest.raises(Forbidden):
            verb()
    with pytest.raises(Forbidden):
        me.grant("*", read=["*"])
    assert ctx.bind("orchestrator").get("shut/b") == "2"
    ctx.revoke("subagent:*")
    assert me.get("shut/b") == "2"


def test_a_marker_of_an_old_view_gives_the_old_text(ctx: SharedContext) -> None:
    old = [f"old {n} " + "x" * 40 for n in range(2000)]
    ctx.put("log", "\n".join(old))
    view = ctx.get("log")
    assert 'expand("log", "v1:' in view
    ctx.put("log", "new")
    assert old[999] in ctx.expand("log", "v1:lines:1000")
    ctx.erase("log")
    with pytest.raises(KeyNotFound, match="log"):
        ctx.expand("log", "v1:lines:1000")


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    ctx = SharedContext("s", path=tmp_path / "store")
    ctx.put("k", "v")
    ctx.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        ctx.get("k")


def test_a_store_is_shared_until_its_last_opener_closes(tmp_path: Path) -> None:
    one, two = sharedctx.open(tmp_path / "s"), sharedctx.open(tmp_path / "s")
    one.session("a").put("k", "v")
    one.close()
    assert two.session("a").get("k") == "v"
    assert two.sessions() == ["a"]
    two.close()


def test_a_backup_is_a_whole_store(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "s") as store:
        store.session("a").put("k", "v" * 9000)
        store.backup(tmp_path / "copy")
        with pytest.raises(ConfigError):
            store.backup(tmp_path / "copy")
    with sharedctx.open(tmp_path / "copy") as copy:
        assert copy.session("a").get("k", full=True) == "v" * 9000
        assert copy.doctor() == []


def test_a_deleted_session_starts_again_from_nothing(store: Store) -> None:
    ctx = store.session("s")
    ctx.put("k", "old")
    store.session("s2").put("k", "kept")
    store.delete_session("s")
    assert store.sessions() == ["s2"]
    assert ctx.put("k", "new").version == 1
    assert ctx.get("k") == "new"
