"""What hostile participants and hostile bytes try: each a clear error, and nothing lost or shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import (
    BudgetExceeded,
    DecodeError,
    Forbidden,
    InvalidValue,
    KeyNotFound,
    ValueTooLarge,
    VersionConflict,
)
from sharedctx.notes import SharedContextStore, handle
from sharedctx.versions import codec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WORD = "zanzibar"
SECRET = f"{WORD} is the word that nobody else may see"


@pytest.fixture(params=["memory", "disk", "redis"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SharedContext]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue("redis_url"))()
    with sharedctx.open(address) as store:
        ctx = store.session("team")
        ctx.configure(audit=True)
        ctx.put("shut/key", "the first state")
        ctx.put("shut/key", SECRET)
        ctx.put("open/key", "for all")
        ctx.grant("spy", read=["open/*"], write=["open/*"], admin=["open/*"])
        yield ctx


def exported(spy: SharedContext, folder: Path) -> str:
    spy.export(folder / "spy.zip")
    with sharedctx.open("memory://") as store:
        store.import_session(folder / "spy.zip")
        return repr(store.session("team").keys())


READS: dict[str, Callable[[SharedContext, Path], Any]] = {
    "get": lambda spy, _: spy.get("shut/key"),
    "get full": lambda spy, _: spy.get("shut/key", full=True),
    "get a version": lambda spy, _: spy.get("shut/key", full=True, version=1),
    "get_entry": lambda spy, _: spy.get_entry("shut/key"),
    "keys": lambda spy, _: spy.keys(),
    "keys by prefix": lambda spy, _: spy.keys("shut"),
    "nearest": lambda spy, _: spy.nearest("shut/keys"),
    "history": lambda spy, _: spy.history("shut/key"),
    "as_of": lambda spy, _: [spy.as_of(spy.rev()).keys(), spy.as_of(spy.rev()).get("shut/key")],
    "search": lambda spy, _: [(hit.key, hit.snippet) for hit in spy.search(WORD)],
    "window": lambda spy, _: spy.window(2000).text,
    "packet": lambda spy, _: spy.packet(for_agent="spy", task="find the word", max_tokens=2000).text,
    "changes": lambda spy, _: spy.changes(0),
    "watch": lambda spy, _: list(spy.watch(0, timeout=0)),
    "stats": lambda spy, _: spy.stats().entries - 1,
    "evicted": lambda spy, _: spy.evicted(),
    "stale": lambda spy, _: spy.stale(diffs=True),
    "audit": lambda spy, _: spy.audit(),
    "export": exported,
}


@pytest.mark.parametrize("name", READS)
def test_no_verb_shows_what_may_not_be_read(name: str, ctx: SharedContext, tmp_path: Path) -> None:
    ctx.search(WORD)  # the index holds it, for those who may
    found = repr(READS[name](ctx.bind("spy"), tmp_path))
    assert "shut" not in found
    assert WORD not in found
    assert found in ("None", "[]", "0") or "open/key" in found or "for all" in found or "spy" in found


def test_what_fails_says_the_same_of_a_hidden_key_as_of_none(ctx: SharedContext) -> None:
    spy = ctx.bind("spy")
    for verb in (
        lambda key: spy.expand(key),
        lambda key: spy.expand(key, "v1:all"),
        lambda key: spy.diff(key, 1, 2),
    ):
        told = []
        for key in ("shut/key", "shut/nil"):
            with pytest.raises(KeyNotFound) as error:
                verb(key)
            told.append(error.value.message.replace(key, "KEY"))
        assert told[0] == told[1]


def test_who_may_only_write_neither_rolls_back_nor_removes(ctx: SharedContext) -> None:
    ctx.grant("writer", write=["*"])
    writer = ctx.bind("writer")
    for verb in (
        lambda: writer.rollback("shut/key", 1),
        lambda: writer.delete("shut/key"),
        lambda: writer.erase("shut/key"),
        lambda: writer.trim("shut/key", 1),
    ):
        with pytest.raises(Forbidden, match="writer"):
            verb()
    assert ctx.get("shut/key", full=True) == SECRET
    assert len(ctx.history("shut/key")) == 2


def test_a_rollback_over_a_newer_write_is_a_conflict_where_the_writer_says_what_it_knows(ctx: SharedContext) -> None:
    ctx.put("shut/key", "newer", agent="coder")
    with pytest.raises(VersionConflict, match="version 3 by 'coder'"):
        ctx.rollback("shut/key", 1, expect=2)
    assert ctx.rollback("shut/key", 1, expect=3).version == 4
    assert ctx.get("shut/key", full=True, version=3) == "newer"


def test_nobody_writes_under_another_name(ctx: SharedContext) -> None:
    spy = ctx.bind("spy")
    for verb in (
        lambda: spy.put("open/key", "v", agent="lead"),
        lambda: spy.bind("lead"),
        lambda: spy.rollback("open/key", 1, agent="lead"),
        lambda: spy.delete("open/key", agent="lead"),
        lambda: spy.erase("open/key", agent="lead"),
        lambda: spy.clear(agent="lead"),
    ):
        with pytest.raises(Forbidden, match="spy"):
            verb()
    notes = SharedContextStore("team", store=ctx.store)
    request = {"action": "write", "key": "scope", "value": "v", "written_by": "lead"}
    assert handle(notes, request, participant="coder")["written_by"] == "coder"
    notes.close()


def test_names_that_look_alike_are_kept_apart(ctx: SharedContext) -> None:
    store = ctx.store
    store.session("team1").put("a", "one")
    store.session("team10").put("a", "ten")
    ctx.put("a:b/c", "1")
    ctx.put("a/b:c", "2")
    ctx.grant("reader", read=["a:b/*"])
    assert ctx.bind("reader").keys() == ["a:b/c"]
    assert store.session("team1").get("a") == "one"
    store.delete_session("team1")
    assert store.session("team10").get("a") == "ten"
    ctx.put("glob*?[x]%_", "v")
    assert [ctx.keys(prefix) for prefix in ("glob*", "glob?", "g%", "g_", "*", "glob*?[")] == [
        ["glob*?[x]%_"], [], [], [], [], ["glob*?[x]%_"],
    ]  # fmt: skip


def test_each_budget_and_one_more(ctx: SharedContext) -> None:
    own = ctx.store.session(
        "small", max_value_tokens=10, max_store_tokens=25, max_entries=3, count_tokens=len, count_originals=True
    )
    own.put("a", "x" * 10)
    with pytest.raises(ValueTooLarge, match="'b'"):
        own.put("b", "x" * 11)
    own.put("b", "x" * 10)
    own.put("c", "x" * 5)
    with pytest.raises(BudgetExceeded, match="'c'"):
        own.put("c", "x" * 6)
    assert [own.get(key, full=True) for key in "abc"] == ["x" * 10, "x" * 10, "x" * 5]
    with pytest.raises(ValueTooLarge, match="split it"):
        ctx.put("big", b"x" * (64 * 2**20 + 1))
    assert ctx.history("big") == []


CONSTRUCTOR = {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}}


@pytest.mark.parametrize("value", [CONSTRUCTOR, {"__class__": "os.system"}, {"$ref": "file:///etc/passwd"}, "!!x"])
def test_a_value_that_looks_like_a_program_stays_a_value(value: Any, ctx: SharedContext) -> None:
    ctx.put("k", value)
    assert ctx.get("k", full=True) == value
    assert isinstance(ctx.get("k"), str)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


UNFIT: dict[str, Callable[[], Any]] = {
    "too deep": lambda: nested(100_000),
    "infinite": lambda: {"a": 1e999},
    "a number as name": lambda: {"a": {1: 2}},
    "a tuple": lambda: {"a": (1,)},
    "a number without end": lambda: 10**5000,
    "a surrogate as name": lambda: {"\ud800": 1},
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_value_that_json_cannot_hold_is_refused_by_name(name: str, ctx: SharedContext) -> None:
    value = UNFIT[name]()
    with pytest.raises(InvalidValue, match="'k'"):
        ctx.put("k", value)
    assert ctx.history("k") == []


def test_a_stored_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zstd.compress(bytes(2**30))[4:]  # without the magic number
    with sharedctx.open(tmp_path) as store, monkeypatch.context() as patched:
        ctx = store.session("team")
        ctx.put("other", "stays")
        patched.setattr(codec, "deflate", lambda data: bomb)
        ctx.put("k", "x" * (len(bomb) + 1))
    with sharedctx.open(tmp_path) as store:
        ctx = store.session("team")
        with pytest.raises(DecodeError, match="'k'"):
            ctx.get("k", full=True)
        assert ctx.get("other") == "stays"
        assert any("'k'" in fault for fault in store.doctor())
