"""Times to live: an item lives from its last use, for every face of the session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph.store", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import sharedctx
from sharedctx.errors import BackendUnavailable, ConfigError
from sharedctx.testing import ManualClock
from sharedctx_langgraph import ContextStore

TTL = {"default_ttl": 1}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "disk"])
def opened(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Any) -> Iterator[sharedctx.Store]:
    address = "memory://" if request.param == "memory" else tmp_path / "store"
    with sharedctx.open(address, clock=clock) as store:
        yield store


def test_an_item_is_gone_to_the_second(opened: sharedctx.Store, clock: ManualClock) -> None:
    store = ContextStore(opened, ttl={"default_ttl": 1, "refresh_on_read": False})
    store.put(("a",), "k", {"n": 1})
    store.put(("a",), "long", {"n": 1}, ttl=2)
    store.put(("b",), "ever", {"n": 1}, ttl=None)
    clock.advance(59.9)
    assert store.get(("a",), "k") is not None
    clock.advance(0.1)
    assert store.get(("a",), "k") is None
    assert [item.key for item in store.search(())] == ["ever", "long"]
    clock.advance(60)
    assert store.search(("a",)) == []
    assert store.list_namespaces() == [("b",)]
    assert opened.session().keys() == ["b/ever"]


@pytest.mark.parametrize("way", ["get", "search", "aget", "asearch"])
def test_reading_begins_the_time_anew(opened: sharedctx.Store, clock: ManualClock, way: str) -> None:
    store = ContextStore(opened, ttl=TTL)

    def read(**options: Any) -> Any:
        where: Any = (("a",), "k") if "get" in way else (("a",),)
        found = getattr(store, way)(*where, **options)
        return asyncio.run(found) if way.startswith("a") else found

    store.put(("a",), "k", {"n": 1})
    for _ in range(5):
        clock.advance(40)
        assert read()
    version = opened.session().get_entry("a/k")
    assert version is not None
    assert version.version == 1
    assert opened.session().get("a/k", full=True) == {"n": 1}
    assert store.sweep_ttl() == 0
    clock.advance(40)
    assert read(refresh_ttl=False)
    clock.advance(20)
    assert not read()
    assert opened.session().get("a/k") is None
    assert ContextStore(opened).get(("a",), "k") is None


def test_a_new_value_has_a_time_of_its_own(opened: sharedctx.Store, clock: ManualClock) -> None:
    store = ContextStore(opened, ttl=TTL)
    store.put(("a",), "k", {"n": 1}, ttl=10)
    clock.advance(60)
    assert store.get(("a",), "k") is not None
    store.put(("a",), "k", {"n": 2})
    clock.advance(60)
    assert store.get(("a",), "k") is None


def test_what_is_swept_is_told_and_makes_room(opened: sharedctx.Store, clock: ManualClock) -> None:
    store = ContextStore(opened, ttl=TTL)
    for key in ("used", "left"):
        store.put(("a",), key, {"n": 1})
    clock.advance(30)
    store.get(("a",), "used")
    clock.advance(30)
    assert store.sweep_ttl() == 1
    assert asyncio.run(store.asweep_ttl()) == 0
    assert [gone.key for gone in opened.session().evicted()] == ["a/left"]
    clock.advance(30)
    assert store.sweep_ttl() == 1
    assert [(gone.key, gone.why) for gone in opened.session().evicted()][1] == ("a/used", "expired")
    assert store.list_namespaces() == []
    store.put(("a",), "used", {"n": 2})
    assert [item.value for item in store.search(("a",))] == [{"n": 2}]


def test_limits_of_a_session_count_what_was_used_lately(clock: ManualClock) -> None:
    with sharedctx.open("memory://", clock=clock) as opened:
        limited = opened.session(max_entries=2)
        store = ContextStore(limited, ttl=TTL)
        store.put(("a",), "used", {"n": 1})
        store.put(("a",), "left", {"n": 1})
        clock.advance(40)
        store.get(("a",), "used")
        clock.advance(40)
        store.put(("a",), "new", {"n": 1})
        assert [item.key for item in store.search(())] == ["new", "used"]
        assert [gone.key for gone in limited.evicted()] == ["a/left"]


class Patience:
    """Stands in for the event that the sweeper waits on: as if the time were over, so many times."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.turns -= 1
        return self.turns < 0

    def set(self) -> None:
        self.turns = 0

    def is_set(self) -> bool:
        return self.turns < 1


def test_the_sweeper_sweeps_until_it_is_stopped(
    opened: sharedctx.Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Patience] = []

    def event() -> Patience:
        made.append(Patience(3))
        return made[-1]

    monkeypatch.setattr("sharedctx_langgraph.store.sweeper.Event", event)
    store = ContextStore(opened, ttl={**TTL, "sweep_interval_minutes": 7})
    store.put(("a",), "k", {"n": 1})
    clock.advance(60)
    store.start_ttl_sweeper().result(timeout=60)
    assert made[0].waited == [420] * 4
    assert [gone.key for gone in opened.session().evicted()] == ["a/k"]
    assert store.stop_ttl_sweeper() is True


def test_the_sweeper_stops_at_once(opened: sharedctx.Store) -> None:
    store = ContextStore(opened)
    assert store.stop_ttl_sweeper() is True
    running = store.start_ttl_sweeper(60)
    assert not running.done()
    assert store.stop_ttl_sweeper(timeout=60) is True
    assert running.result(timeout=60) is None
    cancelled = store.start_ttl_sweeper()
    assert cancelled.cancel()
    again, second = store.start_ttl_sweeper(), store.start_ttl_sweeper()
    assert not again.done()
    assert store.stop_ttl_sweeper(timeout=60) is True
    assert again.done()
    assert second.done()
    assert store.stop_ttl_sweeper(timeout=60) is True
    with ContextStore(opened) as closing:
        last = closing.start_ttl_sweeper()
    assert last.done()
    first, second = store.start_ttl_sweeper(60), store.start_ttl_sweeper(60)
    assert store.stop_ttl_sweeper(timeout=60) is True
    assert first.done()
    assert second.done()


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), 1e308, "5", True])
def test_how_often_to_sweep_and_how_long_to_wait_are_times(opened: sharedctx.Store, wrong: Any) -> None:
    store = ContextStore(opened)
    with pytest.raises(ConfigError, match="sweep_interval_minutes"):
        store.start_ttl_sweeper(wrong)
    if wrong != 0:
        with pytest.raises(ConfigError, match="timeout"):
            store.stop_ttl_sweeper(wrong)


def test_failed_sweeps_do_not_end_the_sweeper(
    opened: sharedctx.Store, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    store = ContextStore(opened)
    monkeypatch.setattr("sharedctx_langgraph.store.sweeper.Event", lambda: Patience(2))

    def away(*_: Any) -> Any:
        raise BackendUnavailable("away")

    monkeypatch.setattr(opened.backend, "pks", away)
    store.start_ttl_sweeper().result(timeout=60)
    assert caplog.text.count("not removed") == 2


def test_the_end_of_an_item_is_known_to_other_processes(tmp_path: Path, clock: ManualClock) -> None:
    with sharedctx.open(tmp_path, clock=clock) as one, sharedctx.open(tmp_path, clock=clock) as other:
        assert one.backend is not other.backend
        ContextStore(one, ttl=TTL).put(("a",), "k", {"n": 1})
        assert other.session().get_entry("a/k").expires_at == clock() + 60
        clock.advance(60)
        assert ContextStore(other).get(("a",), "k") is None
        assert other.session().keys() == []


@pytest.mark.parametrize("sweeping", [False, True])
def test_the_sweeper_ends_quietly_with_the_store_that_its_opener_closes(
    opened: sharedctx.Store, monkeypatch: pytest.MonkeyPatch, caplog: Any, sweeping: bool
) -> None:
    store, patience = ContextStore(opened), Patience(5)
    pks = opened.backend.pks

    def closing(*given: Any, **options: Any) -> Any:
        opened.close()
        return pks(*given, **options)

    if sweeping:
        monkeypatch.setattr(opened.backend, "pks", closing)
    monkeypatch.setattr("sharedctx_langgraph.store.sweeper.Event", lambda: patience)
    if not sweeping:
        monkeypatch.setattr(patience, "wait", lambda seconds: opened.close())
    store.start_ttl_sweeper().result(timeout=60)
    assert opened.closed
    assert caplog.text == ""
    assert len(patience.waited) <= 1
