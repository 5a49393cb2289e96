"""Queries: by meaning where there is an embedder, by words where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("langgraph.store", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")
pytest.importorskip("numpy", reason="numpy is missing: pip install 'sharedctx[vectors]'")

from langgraph.store.base import PutOp
from pydantic import BaseModel

import sharedctx
from sharedctx.errors import InvalidValue
from sharedctx.testing import ManualClock
from sharedctx_langgraph import ContextStore


class Model(BaseModel):
    text: str = "red"


WORDS = ["apple", "car", "red", "green", "blue", "dog"]


class Counting:
    """An embedder: a dimension for each known word. Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [[float(text.count(word)) for word in WORDS] + [0.1] for text in texts]


def config(embed: Any = None, **more: Any) -> dict[str, Any]:
    return {"dims": len(WORDS) + 1, "embed": embed or Counting(), **more}


def keys(items: Any) -> list[str]:
    return [item.key for item in items]


@pytest.fixture(params=["sync", "async"])
def search(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def ask(store: ContextStore, *where: Any, **options: Any) -> Any:
        if request.param == "sync":
            return store.search(*where, **options)
        return asyncio.run(store.asearch(*where, **options))

    return ask


def test_the_nearest_come_first_within_filter_and_namespace(address: str, search: Callable[..., Any]) -> None:
    with ContextStore.from_url(address, index=config()) as store:
        for key, text, n in [("a", "red apple", 1), ("b", "red car", 2), ("c", "green apple", 3), ("d", "blue car", 4)]:
            store.put(("docs", key), key, {"text": text, "n": n})
        store.put(("other",), "e", {"text": "red apple"})
        found = search(store, ("docs",), query="red apple")
        assert keys(found)[0] == "a"
        assert found[0].score == pytest.approx(1.0, abs=0.05)
        assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
        assert keys(search(store, ("docs",), query="apple", filter={"n": {"$gt": 1}}))[0] == "c"
        assert keys(search(store, ("docs", "d"), query="apple")) == ["d"]
        store.put(("docs", "a"), "a", {"text": "blue dog", "n": 1})
        assert keys(search(store, ("docs",), query="apple"))[0] == "c"
        store.delete(("docs", "c"), "c")
        assert "c" not in keys(search(store, ("docs",), query="apple"))
    if address != "memory://":
        with ContextStore.from_url(address, index=config()) as again:
            assert keys(search(again, ("docs",), query="dog"))[0] == "a"
            assert again.context.store.doctor() == []


@pytest.mark.parametrize("size", [3, 10])
def test_pages_follow_one_another(search: Callable[..., Any], size: int) -> None:
    with ContextStore.from_url("memory://", index=config()) as store:
        for n in range(30):
            text = " ".join(["dog"] * (n % 4) + ["car"] * (n % 3))
            store.put(("a",), f"k{n:02d}", {"text": text, "even": n % 2 == 0}, index=None if n < 25 else False)
        whole = keys(search(store, ("a",), query="dog", limit=100))
        assert len(set(whole)) == 30
        pages = [keys(search(store, ("a",), query="dog", limit=size, offset=at)) for at in range(0, 30, size)]
        assert [key for page in pages for key in page] == whole
        even = keys(search(store, ("a",), query="dog", filter={"even": True}, limit=100))
        assert keys(search(store, ("a",), query="dog", filter={"even": True}, limit=5, offset=10)) == even[10:15]


def test_what_is_not_indexed_is_never_found_by_meaning(search: Callable[..., Any]) -> None:
    with ContextStore.from_url("memory://", index=config()) as store:
        store.put(("a",), "out", {"text": "dog"}, index=False)
        store.put(("a",), "far", {"text": "car"})
        store.context.put("a/plain", "dog")
        found = search(store, ("a",), query="dog")
        assert keys(found) == ["far", "plain", "out"]
        assert [item.score is None for item in found] == [False, True, True]
        store.put(("a",), "far", {"text": "car"}, index=False)
        assert all(item.score is None for item in search(store, ("a",), query="dog"))


def test_a_vector_counts_only_for_the_text_it_was_made_of(search: Callable[..., Any]) -> None:
    with ContextStore.from_url("memory://", index=config()) as store:
        store.put(("a",), "k", {"text": "dog"})
        store.context.put("a/k", {"text": "car"})
        assert search(store, ("a",), query="dog")[0].score is None
        ContextStore(store.context).put(("a",), "k", {"text": "dog"})
        assert search(store, ("a",), query="dog")[0].score is None
        ContextStore(store.context).delete(("a",), "k")
        assert search(store, ("a",), query="dog") == []


def test_fields_are_embedded_one_by_one_and_each_text_once() -> None:
    embed = Counting()
    with ContextStore.from_url("memory://", index=config(embed, fields=["title", "parts[*].text"])) as store:
        value = {"title": "red", "parts": [{"text": "dog"}, {"text": "car"}, {"text": "dog"}], "rest": "apple"}
        store.batch([PutOp(("a",), "k", value), PutOp(("a",), "same", value)])
        assert sorted(embed.asked) == ["car", "dog", "red"]
        for word in ("red", "dog", "car"):
            assert store.search(("a",), query=word)[0].score == pytest.approx(1.0, abs=0.05)
        assert store.search(("a",), query="apple")[0].score == pytest.approx(0.0, abs=0.05)
        store.put(("a",), "k", value, index=["rest"])
        assert keys(store.search(("a",), query="apple", limit=1)) == ["k"]


def test_an_embedder_for_coroutines_is_awaited() -> None:
    counting = Counting()

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(0)
        return counting(texts)

    async def use() -> Any:
        async with ContextStore.from_url("memory://", index=config(embed)) as store:
            await store.aput(("a",), "k", {"text": "dog"})
            return await store.asearch(("a",), query="dog")

    assert asyncio.run(use())[0].score == pytest.approx(1.0, abs=0.05)


def test_an_embedder_that_fails_or_does_not_fit_changes_nothing() -> None:
    def fail(texts: Sequence[str]) -> list[list[float]]:
        raise RuntimeError("no answer")

    with sharedctx.open("memory://") as opened:
        store = ContextStore(opened, index=config(fail))
        with pytest.raises(RuntimeError, match="no answer"):
            store.put(("a",), "k", {"text": "dog"})
        store = ContextStore(opened, index={**config(), "dims": 3})
        with pytest.raises(InvalidValue, match=r"gives 7 dimensions, index\['dims'\] says 3"):
            store.put(("a",), "k", {"text": "dog"})
        assert store.get(("a",), "k") is None


def test_without_an_embedder_words_are_found(search: Callable[..., Any]) -> None:
    with ContextStore.from_url("memory://") as store:
        store.put(("a",), "boat", {"text": "a boat on the lake"})
        store.put(("a",), "lake", {"text": "the lake, the lake"})
        store.put(("a",), "hill", {"text": "hills"})
        store.put(("b",), "other", {"text": "a boat"})
        found = search(store, ("a",), query="boat")
        assert keys(found) == ["boat", "hill", "lake"]
        assert found[0].score > 0
        assert found[1].score is None
        assert keys(search(store, ("a",), query="boat lake", filter={"text": {"$ne": "hills"}}, limit=2)) == [
            "boat",
            "lake",
        ]
        assert keys(search(store, ("a",), query="!!!")) == ["hill", "lake", "boat"]


def test_languages_are_found() -> None:
    with ContextStore.from_url("memory://") as store:
        for n, text in enumerate(["这是中文", "Это русский", "यह हिंदी है"]):
            store.put(("a",), f"{n}", {"text": text})
        assert keys(store.search(("a",), query="русский"))[0] == "1"


@pytest.mark.parametrize("fields", [None, ["at", "model.text"]])
def test_what_is_embedded_is_what_is_stored(fields: list[str] | None) -> None:
    embed = Counting()
    with ContextStore.from_url("memory://", index=config(embed, **({"fields": fields} if fields else {}))) as store:
        store.put(("a",), "k", {"at": datetime(2026, 1, 2), "model": Model()})
        assert store.search(("a",), query="red")[0].score
    whole = '{"at": "2026-01-02T00:00:00", "model": {"text": "red"}}'
    assert embed.asked == ([whole, "red"] if fields is None else ["2026-01-02T00:00:00", "red", "red"])


@pytest.mark.parametrize("vectors", [None, [None], [1.0], "ab"])
def test_what_is_no_vector_is_refused(vectors: Any) -> None:
    with ContextStore.from_url("memory://", index={"dims": 1, "embed": lambda texts: vectors}) as store:
        with pytest.raises(InvalidValue, match=r"embedder|not a row"):
            store.put(("a",), "k", {"text": "one"})
        assert store.get(("a",), "k") is None


@pytest.mark.parametrize("emptied", ["delete", "remove", "expire", "sweep"])
def test_a_store_that_was_emptied_takes_another_embedder(emptied: str) -> None:
    clock = ManualClock(1.0)
    with sharedctx.open("memory://", clock=clock) as opened:
        old = ContextStore(opened, index={"dims": 2, "embed": lambda texts: [[1.0, 0.0] for _ in texts]})
        old.put(("a",), "k", {"text": "one"}, ttl=1)
        new = ContextStore(opened, index={"dims": 3, "embed": lambda texts: [[0.0, 1.0, 0.0] for _ in texts]})
        with pytest.raises(InvalidValue, match="empty it"):
            new.put(("a",), "other", {"text": "two"})
        assert keys(new.search(("a",))) == ["k"]
        if emptied == "delete":
            new.delete(("a",), "k")
            assert new.search(("a",), query="two") == []
        elif emptied == "remove":
            opened.session().delete("a/k")
        else:
            clock.advance(61.0)
            if emptied == "sweep":
                new.sweep_ttl()
        new.put(("a",), "other", {"text": "two"})
        assert [(item.key, item.score) for item in new.search(("a",), query="two")] == [("other", 1.0)]
