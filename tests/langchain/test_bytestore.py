"""ContextByteStore: bytes by key, shared with the other faces of a context."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sharedctx import SharedContext, Store
from sharedctx.errors import ConfigError, InvalidKey, InvalidValue
from sharedctx.testing.clock import ManualClock
from sharedctx_langchain import ContextByteStore

ODD = ["a/b", "a..b", "..", "../x", "x\ny", "über", "u\u0308ber", "50%", "%35", "a\ud800b", " ", "", "名前"]


def test_any_text_is_a_key(store: Store) -> None:
    bytestore = ContextByteStore(store)
    bytestore.mset([(key, key.encode("utf-8", "surrogatepass")) for key in ODD])
    assert bytestore.mget(ODD) == [key.encode("utf-8", "surrogatepass") for key in ODD]
    assert sorted(bytestore.yield_keys()) == sorted(ODD)
    assert sorted(bytestore.yield_keys(prefix="a.")) == ["a..b"]
    assert sorted(bytestore.yield_keys(prefix="u")) == ["u\u0308ber"]
    assert sorted(bytestore.yield_keys(prefix="..")) == ["..", "../x"]


def test_values_are_versions_of_entries(context: SharedContext) -> None:
    bytestore = ContextByteStore(context, participant="embedder")
    bytestore.mset([("doc", b"one")])
    bytestore.mset([("doc", b"two")])
    assert context.get("bytes/doc", full=True, version=1) == b"one"
    assert context.get_entry("bytes/doc").agent == "embedder"
    bytestore.mdelete(["doc"])
    assert bytestore.mget(["doc"]) == [None]
    assert len(context.history("bytes/doc")) == 3


def test_what_other_faces_wrote_is_read_as_bytes(context: SharedContext) -> None:
    context.put("bytes/text", "über")
    context.put("bytes/table", {"b": 1, "a": [2]})
    assert ContextByteStore(context).mget(["text", "table"]) == ["über".encode(), b'{"a":[2],"b":1}']


def test_one_bad_pair_and_nothing_is_written(context: SharedContext) -> None:
    bytestore = ContextByteStore(context)
    with pytest.raises(InvalidValue, match="'bad' is str"):
        bytestore.mset([("good", b"x"), ("bad", "text")])  # type: ignore[list-item]
    with pytest.raises(InvalidKey, match="512"):
        bytestore.mset([("good", b"x"), ("long" * 200, b"x")])
    with pytest.raises(InvalidValue, match="a key is text"):
        asyncio.run(bytestore.amset([("good", b"x"), (7, b"x")]))  # type: ignore[list-item]
    assert list(bytestore.yield_keys()) == []


def test_what_has_expired_is_gone(store: Store, clock: ManualClock) -> None:
    bytestore = ContextByteStore(store, ttl=60)
    bytestore.mset([("doc", b"one")])
    clock.advance(59)
    assert bytestore.mget(["doc"]) == [b"one"]
    clock.advance(1)
    assert bytestore.mget(["doc"]) == [None]
    assert list(bytestore.yield_keys()) == []


def test_a_store_of_its_own_is_kept_on_disk(tmp_path: Path) -> None:
    with ContextByteStore.from_path(tmp_path / "store", session="docs") as bytestore:
        bytestore.mset([("doc", bytes(range(256)) * 1000)])
    with ContextByteStore.from_url(f"disk://{tmp_path}/store", session="docs") as bytestore:
        assert bytestore.mget(["doc"]) == [bytes(range(256)) * 1000]
    with pytest.raises(ConfigError, match="name the store once"):
        ContextByteStore(path=tmp_path, url="memory://")


def test_many_are_written_and_removed_together(store: Store) -> None:
    bytestore = ContextByteStore(store)
    pairs = [(f"doc{number}", str(number).encode()) for number in range(300)]

    async def work() -> list[bytes | None]:
        await bytestore.amset(pairs)
        await bytestore.amdelete(["doc7", "doc7", "missing"])
        return await bytestore.amget([key for key, _ in pairs])

    assert asyncio.run(work()) == [None if key == "doc7" else value for key, value in pairs]


def test_one_text_is_no_list_of_keys(context: SharedContext) -> None:
    store = ContextByteStore(context)
    store.mset([("a", b"1"), ("b", b"2")])
    for odd in ("ab", b"ab", None, 5, {"a": b"1"}):
        for ask in (store.mget, store.mdelete, store.mset):
            with pytest.raises(InvalidValue, match="pass a list, also of one"):
                ask(odd)  # type: ignore[arg-type, operator]
        for later in (store.amget, store.amdelete, store.amset):
            with pytest.raises(InvalidValue, match="pass a list, also of one"):
                asyncio.run(later(odd))  # type: ignore[arg-type, operator]
    for odd in (["ab"], [("a",)], [None]):
        with pytest.raises(InvalidValue, match="no pair of a key and its value"):
            store.mset(odd)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="a prefix is text"):
        list(store.yield_keys(prefix=5))  # type: ignore[arg-type]
    assert store.mget(["a", "b"]) == [b"1", b"2"]
