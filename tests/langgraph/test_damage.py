"""Damaged rows are errors of the entries that need them, and of no others."""

from __future__ import annotations

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import sqlite3
from contextlib import closing
from pathlib import Path

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.errors import DecodeError
from sharedctx_langgraph import ContextSaver

from .made import Chain, config


def grow(path: Path) -> None:
    with ContextSaver.from_path(path) as saver:
        chain = Chain(saver)
        for number in range(6):
            chain.put(f"{number}", {"text": "word " * 1000 + f"{number}"})
        saver.put_writes(chain.config, [("text", "word " * 500)], "task")
        Chain(saver, "other").put("0", {"text": "whole"})


def damage(path: Path, where: str) -> None:
    """Flip a bit in the last byte of a row."""
    with closing(sqlite3.connect(path / "cache.db")) as con, con:
        rows = con.execute("SELECT rowid, value FROM Cache WHERE key LIKE ?", (where,)).fetchall()
        assert len(rows) == 1
        rowid, value = rows[0]
        con.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (value[:-1] + bytes([value[-1] ^ 1]), rowid))


@pytest.mark.parametrize(
    ("row", "lost"),
    [("thread:t-%-~5-%", {"5"}), ("thread:t-%-~2-%", {"2", "3", "4", "5"}), ("thread:t-%-~5%0000-%", {"5"})],
)
def test_what_does_not_need_a_damaged_row_reads_on(tmp_path: Path, row: str, lost: set[str]) -> None:
    path = tmp_path / "store"
    grow(path)
    damage(path, row)
    with ContextSaver.from_path(path) as saver:
        for number in range(6):
            if f"{number}" in lost:
                with pytest.raises(DecodeError, match=f"'{number}'|state"):
                    saver.get_tuple(config(id=f"{number}"))
            else:
                found = saver.get_tuple(config(id=f"{number}"))
                assert found.checkpoint["channel_values"]["text"].endswith(f"{number}")
        assert saver.get_tuple(config("other")).checkpoint["channel_values"] == {"text": "whole"}
        assert len(saver.store.doctor()) == 1
        saver.prune(["t"], strategy="delete")
        assert saver.store.doctor() == []


def test_a_prune_leaves_what_is_damaged(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store, ContextSaver(store) as saver:
        chain = Chain(saver)
        chain.put("1", {"a": 1})
        store.backend.commit("thread:t", [Put("c:", b"x" * 40, "2")])
        chain.put("3", {"a": 3})
        saver.prune(["t"])
        assert saver.get_tuple(config(id="1")) is None
        assert saver.get_tuple(config(id="3")).checkpoint["channel_values"] == {"a": 3}
        with pytest.raises(DecodeError):
            saver.get_tuple(config(id="2"))


def test_a_thread_with_a_damaged_newest_checkpoint_is_written_on(tmp_path: Path) -> None:
    path = tmp_path / "store"
    grow(path)
    damage(path, "thread:t-%-~5-%")
    with ContextSaver.from_path(path) as saver:
        chain = Chain(saver)
        chain.config = config(id="5")
        chain.put("6", {"text": "after"})
        assert saver.get_tuple(config()).checkpoint["channel_values"] == {"text": "after"}


@pytest.mark.parametrize("value", [b"", b"\x80\x04K\x01.", b"\xc5\x72\x01" + b"0" * 12 + b"{}", b"x" * 40])
def test_foreign_rows_are_not_believed(tmp_path: Path, value: bytes) -> None:
    with sharedctx.open(tmp_path / "store") as store, ContextSaver(store) as saver:
        Chain(saver).put("1", {"a": 1})
        store.backend.commit("thread:t", [Put("c:", value, "2")])
        with pytest.raises(DecodeError):
            saver.get_tuple(config())
        assert saver.get_tuple(config(id="1")).checkpoint["channel_values"] == {"a": 1}


def test_a_row_moved_to_another_thread_does_not_read(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store, ContextSaver(store) as saver:
        Chain(saver).put("1", {"a": 1})
        (row,) = store.backend.scan("thread:t", "c:", "")
        store.backend.commit("thread:u", [Put("c:", row.value, "1")])
        with pytest.raises(DecodeError, match="damaged"):
            saver.get_tuple(config("u"))
