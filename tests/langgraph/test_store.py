"""Items of a store: what is written is read, in order, by page, and by filter, from threads and event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("langgraph.store", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, MatchCondition, PutOp, SearchOp

import sharedctx
from sharedctx.errors import ConfigError, InvalidKey, InvalidValue
from sharedctx.testing import ManualClock
from sharedctx_langgraph import ContextStore

Call = Callable[..., Any]


@pytest.fixture
def store(address: str) -> Iterator[ContextStore]:
    """A store on each backend in turn."""
    with ContextStore.from_url(address) as opened:
        yield opened


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, store: ContextStore) -> Call:
    """Calls a method of the store, or its twin for coroutines."""

    def sync(name: str, *args: Any, **options: Any) -> Any:
        return getattr(store, name)(*args, **options)

    def through_a_loop(name: str, *args: Any, **options: Any) -> Any:
        return asyncio.run(getattr(store, f"a{name}")(*args, **options))

    return sync if request.param == "sync" else through_a_loop


def _text(key: str) -> str:
    return key.encode("utf-8", "replace").decode()


def keys(items: Any) -> list[str]:
    return [item.key for item in items]


def test_what_was_put_is_there_until_it_is_deleted(call: Call) -> None:
    call("put", ("users", "1"), "prefs", {"theme": "dark", "seen": [1, {"a": None}]})
    item = call("get", ("users", "1"), "prefs")
    assert (item.namespace, item.key) == (("users", "1"), "prefs")
    assert item.value == {"theme": "dark", "seen": [1, {"a": None}]}
    call("delete", ("users", "1"), "prefs")
    assert call("get", ("users", "1"), "prefs") is None
    assert call("search", ("users",)) == []
    assert call("list_namespaces") == []
    call("delete", ("users", "1"), "prefs")


def test_values_are_copies(store: ContextStore) -> None:
    value = {"list": [1]}
    store.put(("a",), "k", value)
    value["list"].append(2)
    first, second = store.get(("a",), "k"), store.search(("a",))[0]
    assert first is not None
    first.value["list"].append(3)
    second.value["list"].append(4)
    assert store.get(("a",), "k").value == store.search(("a",), filter={"list": [1]})[0].value == {"list": [1]}  # type: ignore[union-attr]


def test_an_item_is_as_old_as_its_first_write_since_it_was_deleted() -> None:
    clock = ManualClock(1_000_000.0)

    def times(store: ContextStore) -> tuple[datetime, datetime]:
        item = store.get(("a",), "k")
        assert item is not None
        assert store.search(("a",))[0].created_at == item.created_at
        return item.created_at, item.updated_at

    def at(seconds: float) -> datetime:
        return datetime.fromtimestamp(1_000_000 + seconds, UTC)

    with sharedctx.open("memory://", clock=clock) as opened:
        store = ContextStore(opened)
        store.put(("a",), "k", {"n": 1})
        assert times(store) == (at(0), at(0))
        for _ in range(3):
            clock.advance(10)
            store.put(("a",), "k", {"n": 2})
        assert times(store) == (at(0), at(30))
        clock.advance(10)
        opened.session().put("a/k", {"n": 3})
        assert times(ContextStore(opened)) == (at(0), at(40))
        opened.session().trim("a/k", 1)
        clock.advance(10)
        store.delete(("a",), "k")
        store.put(("a",), "k", {"n": 4})
        assert times(ContextStore(opened)) == (at(50), at(50))
        opened.session().put("b", "text")
        clock.advance(10)
        opened.session().put("b", "other text")
        found = ContextStore(opened).get((), "b")
        assert found is not None
        assert (found.created_at, found.updated_at) == (at(50), at(60))


def test_reads_of_a_batch_see_what_was_there_before_and_the_last_put_wins(call: Call) -> None:
    call("put", ("a",), "old", {"n": 0})
    results = call(
        "batch",
        [
            PutOp(("a",), "old", None),
            PutOp(("a",), "new", {"n": 1}),
            GetOp(("a",), "old"),
            SearchOp(("a",)),
            ListNamespacesOp(),
            PutOp(("a",), "new", {"n": 2}),
            GetOp(("a",), "new"),
        ],
    )
    assert results[:2] == [None, None]
    assert results[2].value == {"n": 0}
    assert keys(results[3]) == ["old"]
    assert results[4:] == [[("a",)], None, None]
    assert [(item.key, item.value) for item in call("search", ("a",))] == [("new", {"n": 2})]


def test_a_batch_with_a_bad_operation_changes_nothing(call: Call) -> None:
    for bad in (PutOp(("a.b",), "k", {}), PutOp(("a",), "k", {"n": float("nan")}), PutOp(("a",), "k", {1: 2})):  # type: ignore[dict-item]
        with pytest.raises((InvalidNamespaceError, InvalidValue)):
            call("batch", [PutOp(("a",), "good", {"n": 1}), bad])
        assert call("get", ("a",), "good") is None
    with pytest.raises(InvalidValue):
        call("batch", [*(PutOp(("a",), f"{n}", {"n": n}) for n in range(200)), PutOp(("a",), "bad", {"n": {1}})])
    assert call("search", ("a",)) == []
    with pytest.raises(InvalidKey, match="512"):
        call("put", ("a",), "k" * 600, {})
    with pytest.raises(InvalidValue, match="operation"):
        call("batch", [("get", "k")])


def test_large_batches_are_written_whole(call: Call) -> None:
    call("batch", [PutOp(("many", str(n % 7)), f"k{n}", {"n": n, "text": "x" * 20_000}) for n in range(300)])
    found = call("search", ("many",), limit=1000)
    assert sorted(item.value["n"] for item in found) == list(range(300))
    call("batch", [PutOp(("many", str(n % 7)), f"k{n}", None) for n in range(300)])
    assert call("search", ("many",)) == []


LABELS = ["a", "a/b", "A", "ä", "e\u0301", "%", "%2F", "a%2Fb", "\x01", "\n", "*", "a b", "\u202e", "名前", "~"]


def test_any_label_and_key_is_its_own(call: Call) -> None:
    odd = ["", ".", "..", "a.b", "v1%2E2", "\x00", "\ud800", *LABELS]
    ops = [PutOp((label, label), key, {"at": [label, _text(key)]}) for label in LABELS for key in odd]
    call("batch", ops)
    assert call("list_namespaces", limit=1000) == sorted((label, label) for label in LABELS)
    for label in LABELS:
        assert sorted(keys(call("search", (label,), limit=1000))) == sorted(odd)
        for key in odd:
            item = call("get", (label, label), key)
            assert item.value["at"] == [label, _text(key)]


def test_pages_are_cut_from_one_order_newest_first(call: Call) -> None:
    for n in range(25):
        call("put", ("a", str(n % 3)), f"k{n:02d}", {"n": n, "even": n % 2 == 0})
    call("put", ("a", "0"), "k00", {"n": 0, "even": True})
    whole = keys(call("search", ("a",), limit=100))
    assert whole == ["k00", *(f"k{n:02d}" for n in range(24, 0, -1))]
    assert [key for at in range(0, 25, 7) for key in keys(call("search", ("a",), limit=7, offset=at))] == whole
    even = keys(call("search", ("a",), filter={"even": True}, limit=100))
    assert keys(call("search", ("a",), filter={"even": True}, limit=4, offset=10)) == even[10:14]
    assert call("search", ("a",), limit=0) == []
    assert call("search", ("a",), offset=25) == []
    with pytest.raises(InvalidValue, match="limit"):
        call("search", ("a",), limit=-1)


VALUE = {
    "n": 5,
    "text": "m",
    "yes": True,
    "none": None,
    "list": [1, {"a": 2}],
    "deep": {"x": {"y": 1}},
    "a.b": 1,
    "$odd": 2,
}


@pytest.mark.parametrize(
    ("filter", "fits"),
    [
        ({}, True),
        ({"n": 5}, True),
        ({"n": 5.0, "text": "m"}, True),
        ({"n": "5"}, False),
        ({"yes": True}, True),
        ({"yes": 1}, False),
        ({"none": None, "missing": None}, True),
        ({"missing": 1}, False),
        ({"list": [1, {"a": 2}]}, True),
        ({"list": (1, {"a": 2})}, True),
        ({"list": [1]}, False),
        ({"list": [1, {"a": {"$gt": 1}}]}, True),
        ({"list": [1, {"a": {"$gt": 2}}]}, False),
        ({"deep": {"x": {"y": 1}}}, True),
        ({"deep": {"x": {"y": {"$lt": 2}}}}, True),
        ({"deep": {"x": 1}}, False),
        ({"text": {"x": 1}}, False),
        ({"deep.x.y": 1}, True),
        ({"deep.x.z": 1}, False),
        ({"a.b": 1}, True),
        ({"$odd": 2}, True),
        ({"n') OR 1=1 --": 5}, False),
        ({"n": {"$eq": 5}}, True),
        ({"n": {"$ne": 5}}, False),
        ({"missing": {"$ne": 5}}, True),
        ({"list": {"$eq": [1, {"a": 2}]}}, True),
        ({"list": {"$eq": (1, {"a": 2})}}, True),
        ({"list": {"$eq": [True, {"a": 2}]}}, False),
        ({"deep": {"$eq": {"x": {"y": 1}}}}, True),
        ({"deep": {"$eq": {"x": {"y": True}}}}, False),
        ({"n": {"$eq": {"x": 1}}}, False),
        ({"n": {"$gt": 4, "$lte": 5}}, True),
        ({"n": {"$gte": 5.5}}, False),
        ({"text": {"$gt": "a", "$lt": "z"}}, True),
        ({"missing": {"$gt": 0}}, False),
        ({"text": {"$gt": 0}}, False),
        ({"n": {"$lt": "9"}}, False),
        ({"none": {"$lte": 0}}, False),
        ({"yes": {"$gt": 0}}, False),
        ({"deep": {"$gt": 0}}, False),
        ({"n": {"$lt": float("inf")}}, True),
        ({"n": {"$eq": float("nan")}}, False),
    ],
)
def test_filters(filter: dict[str, Any], fits: bool) -> None:
    with ContextStore.from_url("memory://") as store:
        store.put(("a",), "k", VALUE)
        assert bool(store.search(("a",), filter=filter)) is fits


def test_an_unknown_operator_is_told() -> None:
    with ContextStore.from_url("memory://") as store, pytest.raises(InvalidValue, match=r"\$in.*use \$eq"):
        store.search((), filter={"n": {"$in": [1]}})


def test_namespaces_are_matched_label_by_label(call: Call) -> None:
    for namespace in [("a", "b", "c"), ("a", "b"), ("ab", "b"), ("a", "x", "c"), ("b",), ("a", "b", "c", "d")]:
        call("put", namespace, "k", {})
    listed = [("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d"), ("a", "x", "c"), ("ab", "b"), ("b",)]
    assert call("list_namespaces") == listed
    assert call("list_namespaces", prefix=("a", "*", "c")) == [listed[1], listed[2], listed[3]]
    assert call("list_namespaces", suffix=("b",)) == [("a", "b"), ("ab", "b"), ("b",)]
    assert call("list_namespaces", suffix=("*", "c")) == [("a", "b", "c"), ("a", "x", "c")]
    assert call("list_namespaces", prefix=("a",), suffix=("c",)) == [("a", "b", "c"), ("a", "x", "c")]
    assert call("list_namespaces", max_depth=2) == [("a", "b"), ("a", "x"), ("ab", "b"), ("b",)]
    assert call("list_namespaces", max_depth=1, limit=2, offset=1) == [("ab",), ("b",)]
    assert len(call("search", ("a",))) == 4
    assert len(call("search", ("a", "b"))) == 3
    with pytest.raises(InvalidValue, match="infix"):
        call("batch", [ListNamespacesOp((MatchCondition("infix", ("a",)),))])  # type: ignore[arg-type]


def test_what_orjson_would_keep_is_kept(store: ContextStore) -> None:
    store.put(("a",), "k", {"pair": (1, 2), "when": datetime(2026, 1, 2, tzinfo=UTC)})
    assert store.get(("a",), "k").value == {"pair": [1, 2], "when": "2026-01-02T00:00:00+00:00"}  # type: ignore[union-attr]


def test_a_store_closes_only_what_it_opened(tmp_path: Any) -> None:
    with sharedctx.open(tmp_path / "store") as opened:
        with ContextStore(opened) as store:
            store.put(("a",), "k", {"n": 1})
        with ContextStore(opened.session()) as store:
            assert store.get(("a",), "k") is not None
        assert opened.doctor() == []
    with ContextStore.from_conn_string(str(tmp_path / "store")) as store:
        store.setup()
        assert store.get(("a",), "k") is not None

    async def again() -> Any:
        async with ContextStore.from_path(tmp_path / "store") as opened:
            await opened.setup()
            return await opened.aget(("a",), "k")

    assert asyncio.run(again()).value == {"n": 1}
    with pytest.raises(ConfigError, match="dims"):
        ContextStore(path=tmp_path / "store", index={"embed": lambda texts: []})
