"""Results of nodes are kept for all processes, until their time is over or they are cleared."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest

pytest.importorskip("langgraph.cache.base", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.testing import ManualClock
from sharedctx_langgraph import ContextCache


class Odd:
    """What only pickle takes."""


KEY = (("node", "a/b"), "k")


@pytest.fixture
def cache(address: str) -> Iterator[ContextCache]:
    with ContextCache.from_url(address) as opened:
        yield opened


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, cache: ContextCache) -> Callable[..., Any]:
    def sync(name: str, *args: Any) -> Any:
        return getattr(cache, name)(*args)

    def through_a_loop(name: str, *args: Any) -> Any:
        return asyncio.run(getattr(cache, f"a{name}")(*args))

    return sync if request.param == "sync" else through_a_loop


def test_what_is_set_is_got_until_it_is_cleared(call: Callable[..., Any]) -> None:
    values = {((f"n{at % 3}",), f"k{at}"): {"at": at, "text": "word " * at * 50} for at in range(100)}
    call("set", {key: (value, None) for key, value in values.items()})
    assert call("get", [*values, (("n0",), "missing")]) == values
    assert call("get", []) == {}
    call("set", {(("n0",), "k0"): ("new", None)})
    call("clear", [("n1",), ("never",)])
    left = {key: value for key, value in values.items() if key[0] != ("n1",)}
    assert call("get", list(values)) == {**left, (("n0",), "k0"): "new"}
    call("clear")
    assert call("get", list(values)) == {}


def test_namespaces_are_told_apart(call: Callable[..., Any]) -> None:
    odd: list[Any] = [((), "k"), (("a",), "k"), (("a", "b"), "k"), (("a,b",), "k"), (('a","b',), "k"), (("a",), "")]
    call("set", {key: (at, None) for at, key in enumerate(odd) if key[1]})
    assert call("get", odd) == {key: at for at, key in enumerate(odd) if key[1]}
    call("clear", [("a",)])
    assert len(call("get", odd)) == 4


def test_a_result_is_gone_to_the_second_and_makes_room() -> None:
    clock = ManualClock()
    with sharedctx.open("memory://", clock=clock) as store:
        cache = ContextCache(store)
        cache.set({KEY: (1, 10), (("b",), "k"): (2, None), (("b",), "now"): (3, 0)})
        clock.advance(9.9)
        assert cache.get([KEY, (("b",), "now")]) == {KEY: 1}
        clock.advance(0.1)
        assert cache.get([KEY]) == {}
        assert cache.sweep() == 2
        assert cache.sweep() == 0
        assert cache.get([(("b",), "k")]) == {(("b",), "k"): 2}
        for at in range(300):
            cache.set({(("old",), f"{at}"): (at, 1)})
            clock.advance(1)
        assert cache.sweep() < 60


def test_nothing_is_pickled_or_unpickled(caplog: Any) -> None:
    with sharedctx.open("memory://") as store:
        pickling = ContextCache(store, serde=JsonPlusSerializer(pickle_fallback=True))
        with pytest.raises(InvalidValue, match="pickle"):
            pickling.set({(("a",), "good"): (1, None), KEY: (Odd(), None)})
        assert pickling.get([(("a",), "good")]) == {}
        cache = ContextCache(store)
        cache.set({KEY: (1, None)})
        space = next(space for space in store.backend.spaces() if space.startswith("cache:"))
        (pk,) = store.backend.pks(space)
        for planted in (pickle.dumps(1), b"", b"\xc5\x72\x01" + b"0" * 20):
            store.backend.commit(space, [Put(pk, planted, "k")])
            assert cache.get([KEY]) == {}
        assert caplog.text.count("not used") == 3


def test_another_serializers_results_are_misses(caplog: Any) -> None:
    class Other:
        def dumps_typed(self, value: Any) -> tuple[str, bytes]:
            return "mine", b"?"

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return data

    with sharedctx.open("memory://") as store:
        ContextCache(store, serde=Other()).set({KEY: (1, None)})
        assert ContextCache(store, serde=Other()).get([KEY]) == {KEY: ("mine", b"?")}
        assert ContextCache(store).get([KEY]) == {}
        assert "serializer cannot read it" in caplog.text


def test_caches_of_a_name_are_one_and_others_apart(tmp_path: Path) -> None:
    with ContextCache.from_path(tmp_path / "store") as cache:
        cache.set({KEY: ([1, [2, 3]], None)})
    with (
        ContextCache.from_conn_string(str(tmp_path / "store")) as again,
        ContextCache(path=tmp_path / "store", name="b") as b,
    ):
        assert again.get([KEY]) == {KEY: [1, [2, 3]]}
        assert b.get([KEY]) == {}
        b.set({KEY: (1, None)})
        b.clear()
        assert again.get([KEY]) != {}
    with sharedctx.open(tmp_path / "store") as store:
        assert store.doctor() == []
        assert store.sessions() == []
        with pytest.raises(ConfigError, match="name"):
            ContextCache(store, name="a/b")


class State(TypedDict):
    x: int
    y: int


def test_a_node_runs_once_for_the_same_input(tmp_path: Path) -> None:
    ran: list[int] = []

    def slow(state: State) -> dict[str, int]:
        ran.append(state["x"])
        return {"y": state["x"] * 2}

    builder = StateGraph(State)
    builder.add_node("slow", slow, cache_policy=CachePolicy(ttl=60))
    builder.add_edge(START, "slow")
    for _ in range(2):
        with ContextCache.from_path(tmp_path / "store") as cache:
            graph = builder.compile(cache=cache)
            assert graph.invoke({"x": 3, "y": 0})["y"] == 6
            assert asyncio.run(graph.ainvoke({"x": 3, "y": 0}))["y"] == 6
    assert ran == [3]
    with ContextCache.from_path(tmp_path / "store") as cache:
        graph = builder.compile(cache=cache)
        graph.clear_cache()
        graph.invoke({"x": 3, "y": 0})
    assert ran == [3, 3]
