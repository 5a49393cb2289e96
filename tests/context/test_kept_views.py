"""The view of a large value is made once for all processes, and goes with the value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.backends.base import Put
from sharedctx.testing import ManualClock

TEXT = "\n".join(f"line {n}: the quick brown fox jumps over the lazy dog number {n * 7}" for n in range(2000))
SPACE = "views:team"


@pytest.fixture(params=["memory", "disk", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    places = {"memory": lambda: "memory://", "disk": lambda: str(tmp_path / "store")}
    address = places.get(request.param, lambda: request.getfixturevalue("redis_url"))()
    with sharedctx.open(address, clock=clock) as store:
        yield store


def kept(store: Store) -> list[str]:
    return [str(row.sk) for key in store.backend.pks(SPACE) for row in store.backend.scan(SPACE, key, "")]


def test_a_second_reader_compresses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.session("team")
    rev = first.put("log", TEXT).rev
    assert kept(store) == []  # a put pays for no view
    shown = first.get("log")
    assert len(kept(store)) == 1

    def compressing(*_: Any, **__: Any) -> Any:
        raise AssertionError("the view was made again")

    monkeypatch.setattr("sharedctx.views.compress", compressing, raising=False)
    second = store.session("team")
    assert second.get("log") == shown
    assert second.get_entry("log").transforms == first.get_entry("log").transforms  # type: ignore[union-attr]
    assert second.rev() >= rev
    assert [event.key for event in second.changes(0)] == ["log"]


def test_what_depends_on_the_reader_is_not_kept(store: Store) -> None:
    ctx = store.session("team")
    ctx.put("log", TEXT)
    ctx.put("short", "few words")
    ctx.get("log", query="fox 77")
    ctx.get("short")
    store.session("team", count_tokens=len).get("log")
    store.session("team", compressors={"text": lambda text: text[:50]}).get("log")
    assert kept(store) == []


@pytest.mark.parametrize("how", ["erase", "evict", "expire", "delete_session"])
def test_a_view_goes_with_its_value(how: str, store: Store, clock: ManualClock) -> None:
    ctx = store.session("team", max_entries=1)
    ctx.put("log", TEXT, ttl=60 if how == "expire" else None)
    ctx.get("log")
    ctx.get("log", max_tokens=300)
    assert len(kept(store)) == 2
    clock.advance(60)
    if how == "erase":
        ctx.erase("log")
    elif how == "evict":
        ctx.put("other", "v")
    elif how == "expire":
        ctx.sweep()
    else:
        store.delete_session("team")
    assert kept(store) == []


def test_a_value_of_the_same_name_and_number_gets_a_view_of_its_own(store: Store) -> None:
    ctx = store.session("team")
    ctx.put("log", TEXT)
    ctx.get("log")
    rows = store.backend.scan(SPACE, "log", "")
    store.delete_session("team")
    again = store.session("team")
    again.put("log", TEXT.replace("fox", "cat"))
    store.backend.commit(SPACE, [Put("log", rows[0].value, str(rows[0].sk))])
    assert "cat" in (again.get("log") or "")
    assert "fox" not in (again.get("log") or "")


def test_a_damaged_view_is_made_anew(store: Store) -> None:
    ctx = store.session("team")
    ctx.put("log", TEXT)
    shown = ctx.get("log")
    (place,) = kept(store)
    store.backend.commit(SPACE, [Put("log", b"rubbish", place)])
    assert store.session("team").get("log") == shown
    assert store.doctor() == []  # it was written anew
