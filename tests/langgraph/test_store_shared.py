"""Items are entries: other frameworks read and write them, several processes share them, grants apply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph.store", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

from langgraph.store.base import PutOp

import sharedctx
from sharedctx.errors import DecodeError, Forbidden
from sharedctx.tools import call
from sharedctx_langgraph import ContextStore


def test_a_session_reads_what_langgraph_wrote(address: str) -> None:
    with sharedctx.open(address) as opened:
        ContextStore(opened).put(("users", "a/b"), "prefs", {"theme": "dark"})
        ctx = opened.session()
        assert ctx.get("users/a%2Fb/prefs", full=True) == {"theme": "dark"}
        assert ctx.keys("users/") == ["users/a%2Fb/prefs"]
        assert "dark" in (ctx.get("users/a%2Fb/prefs") or "")
        assert ctx.search("dark")[0].key == "users/a%2Fb/prefs"
        ContextStore(opened, participant="researcher").put(("users", "a/b"), "prefs", {"theme": "light"})
        assert [entry.agent for entry in ctx.history("users/a%2Fb/prefs")] == ["researcher", None]
        ctx.rollback("users/a%2Fb/prefs", 1)
        assert ContextStore(opened).get(("users", "a/b"), "prefs").value == {"theme": "dark"}  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["some text", b"\x00\xff", [1, 2], 5, None, True])
def test_a_value_that_is_no_mapping_keeps_its_type(address: str, value: Any) -> None:
    with sharedctx.open(address) as opened:
        ctx, store = opened.session(), ContextStore(opened)
        ctx.put("plan", value)
        ctx.put("deep/plan", value)
        for namespace in ((), ("deep",)):
            item = store.get(namespace, "plan")
            assert item is not None
            assert item.value == {"value": value}
            store.batch([PutOp(namespace, "plan", item.value)])
        assert store.search((), filter={"value": value})
        assert [entry.kind for entry in ctx.history("plan")] == [ctx.history("plan")[1].kind] * 2
        assert ctx.get("plan", full=True) == ctx.get("deep/plan", full=True) == value
        store.put(("deep",), "plan", {"value": value, "more": 1} if not isinstance(value, bytes) else {"more": 1})
        assert isinstance(ctx.get("deep/plan", full=True), dict)
        store.put(("deep",), "own", {"value": 5})
        assert ctx.get("deep/own", full=True) == {"value": 5}


def test_labels_with_periods_are_reached(address: str) -> None:
    with sharedctx.open(address) as opened:
        opened.session().put("docs/v1.2/a.md", "text")
        store = ContextStore(opened)
        (item,) = store.search(("docs",))
        assert (item.namespace, item.key) == (("docs", "v1%2E2"), "a.md")
        assert store.list_namespaces() == [item.namespace]
        assert store.get(item.namespace, item.key) is not None
        store.delete(item.namespace, item.key)
        assert opened.session().keys() == []


def test_crews_and_graphs_read_each_other(tmp_path: Path) -> None:
    memory = pytest.importorskip("crewai.memory.types", reason="crewai is missing: pip install 'sharedctx[crewai]'")
    from sharedctx_crewai import ContextMemory

    with sharedctx.open(tmp_path / "store") as opened:
        crew = ContextMemory(opened)
        crew.save(
            [memory.MemoryRecord(id="r1", content="The port is 8080", scope="/project/api", embedding=[0.1, 0.2])]
        )
        store = ContextStore(opened)
        (item,) = store.search(("memory", "project"), filter={"content": "The port is 8080"})
        assert (item.namespace, item.key) == (("memory", "project", "api"), "r1")
        store.put(item.namespace, item.key, {**item.value, "content": "The port is 9090"})
        assert crew.get_record("r1").content == "The port is 9090"


def test_tools_read_and_write_items() -> None:
    with sharedctx.open("memory://") as opened:
        ctx, store = opened.session().bind("agent"), ContextStore(opened)
        store.put(("facts",), "port", {"number": 8080})
        assert "8080" in call(ctx, "read", {"key": "facts/port"}).text
        call(ctx, "write", {"key": "facts/port", "value": "9090"})
        assert "9090" in str(store.get(("facts",), "port").value)  # type: ignore[union-attr]


def test_grants_bind_searches_too(address: str) -> None:
    with sharedctx.open(address) as opened:
        ContextStore(opened).put(("open",), "a", {"n": 1})
        ContextStore(opened).put(("secret",), "b", {"n": 1})
        opened.session().grant("guest", read=["open/*"], write=["open/*"])
        guest = ContextStore(opened, participant="guest")
        assert [item.key for item in guest.search(())] == ["a"]
        assert [item.key for item in asyncio.run(guest.asearch((), filter={"n": 1}))] == ["a"]
        assert guest.list_namespaces() == [("open",)]
        assert guest.get(("secret",), "b") is None
        with pytest.raises(Forbidden, match="guest"):
            guest.put(("secret",), "b", {"n": 2})
        with pytest.raises(Forbidden, match="guest"):
            guest.batch([PutOp(("open",), "a", {"n": 2}), PutOp(("secret",), "c", {"n": 2})])
        assert guest.get(("open",), "a").value == {"n": 1}  # type: ignore[union-attr]


def test_searches_see_what_others_did(address: str) -> None:
    with sharedctx.open(address) as opened:
        one, other, ctx = ContextStore(opened), ContextStore(opened), opened.session()
        assert one.search(()) == []
        for n in range(3):
            other.put(("a",), f"k{n}", {"n": n})
            assert [item.value["n"] for item in one.search(("a",))] == [*range(n, -1, -1)]
        ctx.erase("a/k0")
        assert len(one.search(("a",))) == 2
        opened.delete_session("default")
        assert one.search(()) == []
        assert one.list_namespaces() == []
        other.put(("a",), "new", {"n": 1})
        assert [item.key for item in one.search(())] == ["new"]


def test_a_damaged_item_is_an_error_of_its_own(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with ContextStore.from_path(tmp_path / "store") as store:
        for key in ("good", "bad"):
            store.put(("a",), key, {"text": key})
    with closing(sqlite3.connect(tmp_path / "store" / "cache.db")) as con, con:
        (row,) = con.execute("SELECT rowid, value FROM Cache WHERE key LIKE 'session:default-a/bad-%'").fetchall()
        con.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (row[1][:-1] + b"?", row[0]))
    with ContextStore.from_path(tmp_path / "store") as store:
        with pytest.raises(DecodeError, match="a/bad"):
            store.get(("a",), "bad")
        assert [item.key for item in store.search(("a",))] == ["good"]
        store.put(("a",), "bad", {"text": "mended"})
        assert len(store.search(("a",))) == 2


WRITER = """
import sys
from sharedctx_langgraph import ContextStore
who = sys.argv[2]
embed = lambda texts: [[float(len(text)), 1.0] for text in texts]
with ContextStore.from_path(sys.argv[1], index={"dims": 2, "embed": embed, "fields": ["text"]}) as store:
    for n in range(40):
        store.put(("shared",), f"{n % 10}", {"text": who * n, "n": n})
        store.put(("own", who), f"{n}", {"text": who * n, "n": n})
        store.search(("shared",), query=who, limit=3)
    assert len(store.search(("own", who), limit=100)) == 40
"""


def test_four_processes_share_one_store(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    server = fork_server("import langgraph.graph, sharedctx_langgraph; sharedctx_langgraph.ContextSaver")
    for process in [server.start(WRITER, tmp_path / "store", who) for who in "abcd"]:
        process.finish()
    with ContextStore.from_path(tmp_path / "store") as store:
        assert len(store.search((), limit=1000)) == 170
        assert sorted(item.value["n"] for item in store.search(("shared",))) == list(range(30, 40))
        assert len(store.context.history("shared/0")) == 16
        assert store.context.store.doctor() == []
