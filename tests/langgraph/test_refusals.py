"""Bad input is told clearly, by errors of our own, and loses nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

from langgraph.store.base import ListNamespacesOp, PutOp, SearchOp
from pydantic import BaseModel, field_serializer

from sharedctx.errors import BackendUnavailable, ConfigError, InvalidKey, InvalidValue, SharedContextError
from sharedctx_langgraph import ContextCache, ContextSaver, ContextStore

from .made import Chain, checkpoint, config


class Unserialisable(BaseModel):
    """A model that JSON cannot have."""

    n: int = 1

    @field_serializer("n")
    def fail(self, n: int) -> int:
        raise RuntimeError("not today")


def circular() -> dict[str, Any]:
    """A value that holds itself."""
    value: dict[str, Any] = {}
    value["v"] = value
    return value


@pytest.mark.parametrize(
    "asked",
    [
        {"max_age": math.nan},
        {"max_age": "3"},
        {"max_age": True},
        {"keep_last": True},
        {"keep_last": "3"},
        {"keep_last": 1.5},
        {"keep_last": 1, "thread_ids": "t"},
        {"keep_last": 1, "thread_ids": [None]},
        {"keep_last": 1, "thread_ids": 5},
    ],
)
def test_what_is_no_number_removes_nothing(saver: ContextSaver, chain: Chain, asked: dict[str, Any]) -> None:
    chain.put("1", {"a": 1})
    chain.put("2", {"a": 2})
    with pytest.raises(ConfigError):
        saver.retain(**asked)
    assert [each.checkpoint["id"] for each in saver.list(config())] == ["2", "1"]


def test_a_text_is_no_list_of_names(saver: ContextSaver, chain: Chain) -> None:
    chain.put("1", {"a": 1}, run_id="r")
    for remove in (lambda: saver.prune("t", strategy="delete"), lambda: saver.delete_for_runs("r")):
        with pytest.raises(ConfigError, match="letters"):
            remove()
    assert saver.get_tuple(config()) is not None


def test_a_copy_of_nothing_leaves_the_target(saver: ContextSaver, chain: Chain) -> None:
    chain.put("1", {"a": 1})
    saver.copy_thread("not there", "t")
    assert saver.get_tuple(config()) is not None
    for source, target in (("t", ""), ("t", None), ("", "t")):
        with pytest.raises(InvalidKey, match="names no thread"):
            saver.copy_thread(source, target)  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [{"task_id": None}, {"task_id": "\ud800"}, {"task_id": "x", "task_path": 5}])
def test_writes_of_no_task_do_not_spoil_their_checkpoint(
    saver: ContextSaver, chain: Chain, names: dict[str, Any]
) -> None:
    at: Any = chain.put("1", {"a": 1})
    saver.put_writes(at, [("a", 1)], "task")
    with pytest.raises(InvalidKey, match="task"):
        saver.put_writes(at, [("a", 2)], **names)
    with pytest.raises(InvalidKey, match="channel"):
        saver.put_writes(at, [(5, 2)], "other")  # type: ignore[list-item]
    found = saver.get_tuple(at)
    assert found is not None
    assert found.pending_writes == [("task", "a", 1)]


@pytest.mark.parametrize("value", [lambda: 0, 2**100])
def test_what_the_serializer_refuses_is_named(saver: ContextSaver, chain: Chain, value: Any) -> None:
    at: Any = chain.put("1", {"a": 1})
    for store in (
        lambda: chain.put("2", {"odd": value}),
        lambda: saver.put_writes(at, [("odd", value)], "task"),
    ):
        with pytest.raises(InvalidValue, match="odd"):
            store()
    found = saver.get_tuple(config())
    assert found is not None
    assert (found.checkpoint["id"], found.pending_writes) == ("1", [])


@pytest.mark.parametrize(
    "call",
    [
        lambda saver: saver.get_tuple(None),
        lambda saver: saver.get_tuple(config(id=5)),  # type: ignore[arg-type]
        lambda saver: list(saver.list(config(), before="5")),
        lambda saver: saver.put(config(), {}, {}, {}),
        lambda saver: saver.put(config(), None, {}, {}),
        lambda saver: saver.put(config(), checkpoint("5"), None, {}),
        lambda saver: saver.put(config(), {**checkpoint("5"), "id": 5}, {}, {}),
        lambda saver: saver.put(config(), {"id": "5"}, {}, {}),
        lambda saver: saver.put(config(), {**checkpoint("5"), "channel_values": [1]}, {}, {}),
        lambda saver: saver.put(config(), checkpoint("5", {"": 1, "b": 2}), {}, {"": "1"}),
        lambda saver: saver.put(config(), checkpoint("5", {1: 2}), {}, {}),  # type: ignore[dict-item]
        lambda saver: list(saver.list(None, limit="3")),
        lambda saver: list(saver.list(None, filter=["source"])),
        lambda saver: saver.delete_thread(None),
        lambda saver: saver.prune(None),
        lambda saver: saver.put(config(namespace=5), checkpoint("5"), {}, {}),  # type: ignore[arg-type]
        lambda saver: saver.get_tuple(config(namespace=["a"])),  # type: ignore[arg-type]
        lambda saver: saver.put_writes(config(id="5"), [("a",)], "task"),
        lambda saver: saver.put_writes(config(id="5"), "ab", "task"),
        lambda saver: saver.put_writes(config(id="5"), None, "task"),
        lambda saver: list(saver.list(None, before=config(id=5))),  # type: ignore[arg-type]
        lambda saver: saver.retain(max_age=10**400),
        lambda saver: saver.get_delta_channel_history(config=config(), channels="ab"),
        lambda saver: saver.get_delta_channel_history(config=config(), channels=None),
        lambda saver: saver.import_threads(None),
        lambda saver: asyncio.run(saver.aimport_threads({})),
        lambda saver: ContextSaver(saver.store, serde=5),
        lambda saver: ContextCache(saver.store, serde=5),
    ],
)
def test_savers_refuse_what_names_nothing(saver: ContextSaver, call: Callable[[Any], Any]) -> None:
    with pytest.raises(SharedContextError):
        call(saver)
    assert saver.stats()["checkpoints"] == 0


@pytest.mark.parametrize(
    "op",
    [
        PutOp(("a",), None, {"v": 1}),  # type: ignore[arg-type]
        PutOp(("a",), 5, {"v": 1}),  # type: ignore[arg-type]
        PutOp("abc", "k", {"v": 1}),  # type: ignore[arg-type]
        PutOp(("a",), "k", "text"),  # type: ignore[arg-type]
        PutOp(("a",), "k", 5),  # type: ignore[arg-type]
        PutOp(("a",), "k", {"v": 1}, ttl="3"),  # type: ignore[arg-type]
        PutOp(("a",), "k", {"v": 1}, ttl=True),
        PutOp(("a",), "k", {"v": 1}, ttl=1e308),
        PutOp(("a",), "k", {"v": Unserialisable()}),
        PutOp(("a",), "k", Unserialisable()),  # type: ignore[arg-type]
        PutOp(("a",), "k", circular()),
        PutOp(("a",), "k", {"v": 1}, index="v"),  # type: ignore[arg-type]
        PutOp(("a",), "k", {"v": 1}, index=["v", 5]),  # type: ignore[list-item]
        PutOp(5, "k", {"v": 1}),  # type: ignore[arg-type]
        SearchOp(("a",), filter=[1]),  # type: ignore[arg-type]
        SearchOp(("a",), filter={1: 2}),  # type: ignore[dict-item]
        SearchOp(("a",), limit="3"),  # type: ignore[arg-type]
        SearchOp(("a",), query=5),  # type: ignore[arg-type]
        ListNamespacesOp(limit=-1),
        ListNamespacesOp(offset=-1),
        ListNamespacesOp(max_depth=-1),
        ListNamespacesOp(match_conditions=5),  # type: ignore[arg-type]
        ListNamespacesOp(match_conditions=("a",)),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("index", [None, {"dims": 1, "embed": lambda texts: [[1.0] for _ in texts]}])
def test_stores_refuse_operations_that_make_no_sense(op: Any, index: Any) -> None:
    with ContextStore.from_url("memory://", index=index) as store:
        with pytest.raises((InvalidKey, InvalidValue)) as refused:
            store.batch([PutOp(("a",), "first", {"v": 1}), op])
        assert not isinstance(op, PutOp) or repr(op.key) in str(refused.value) or "namespace" in str(refused.value)
        assert store.search(("a",)) == []
        with pytest.raises(InvalidValue, match="operations"):
            store.batch(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"ttl": 5},
        {"ttl": {"default_ttl": "x"}},
        {"ttl": {"default_ttl": math.nan}},
        {"ttl": {"sweep_interval_minutes": 0}},
        {"index": "x"},
        {"index": {"dims": 1, "embed": len, "fields": "text"}},
        {"index": {"dims": 1, "embed": len, "fields": [5]}},
        {"index": {"dims": 1, "embed": len, "fields": 5}},
        {"index": {"dims": 1, "embed": 5}},
        {"index": {"dims": 1, "embed": "no such provider"}},
        {"ttl": {"default_ttl": 1e300}},
    ],
)
def test_stores_refuse_settings_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ContextStore.from_url("memory://", **options)


def test_no_sweeper_begins_on_a_closed_store(tmp_path: Path) -> None:
    store = ContextStore.from_path(tmp_path / "store")
    store.close()
    with pytest.raises(BackendUnavailable):
        store.start_ttl_sweeper()


def test_caches_refuse_what_they_cannot_keep() -> None:
    with ContextCache.from_url("memory://") as cache:
        for key, value, ttl in (
            ("k", lambda: 0, None),
            ("k", 1, "5"),
            ("k", 1, math.nan),
            ("k", 1, 10**400),
            (5, 1, None),
            ("\ud800", 1, None),
        ):
            with pytest.raises((InvalidKey, InvalidValue)):
                cache.set({(("a",), key): (value, ttl)})  # type: ignore[dict-item]
        for pairs in (None, "ab", [(("a",), "k")], {"a": (1, None)}, {(("a",), "k"): 1}, {(("a",), "k"): (1,)}):
            with pytest.raises((InvalidKey, InvalidValue)):
                cache.set(pairs)  # type: ignore[arg-type]
        for keys in (None, 5, "ab", ["a"], [(("a",), "k", 1)]):
            with pytest.raises(InvalidKey):
                cache.get(keys)  # type: ignore[arg-type]
        with pytest.raises(InvalidKey, match="namespaces"):
            cache.clear(5)  # type: ignore[arg-type]
        assert cache.get([(("a",), "k")]) == {}


@pytest.mark.parametrize("namespace", ["ab", None, (5,)])
def test_caches_refuse_namespaces_that_are_no_texts(namespace: Any) -> None:
    with ContextCache.from_url("memory://") as cache:
        cache.set({(("a",), "k"): (1, None), (("b",), "k"): (2, None)})
        for call in (
            lambda: cache.set({(namespace, "k"): (3, None)}),
            lambda: cache.get([(namespace, "k")]),
            lambda: cache.clear([namespace]),
        ):
            with pytest.raises(InvalidKey, match="namespace"):
                call()
        assert cache.get([(("a",), "k"), (("b",), "k")]) == {(("a",), "k"): 1, (("b",), "k"): 2}
