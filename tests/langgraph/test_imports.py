"""Threads come over from other savers, whole."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from langgraph.checkpoint.memory import InMemorySaver

from sharedctx_langgraph import ContextSaver

from .made import Chain, checkpoint, config


def fill(other: Any) -> None:
    for thread in ("a", "b"):
        for namespace in ("", "inner|x"):
            chain = Chain(other, thread, namespace)
            for number in range(5):
                chain.put(f"{number}", {"text": "word " * 300 + f"{number}", "still": "same"})
            other.put_writes(chain.config, [("text", 1), ("__interrupt__", "stop")], "z", "a")
            other.put_writes(chain.config, [("text", 2)], "y", "b")
            fork = checkpoint("3fork", {"text": "fork"})
            other.put(config(thread, namespace, "1"), fork, {"source": "fork"}, fork["channel_versions"])


def facts(saver: Any, thread: str) -> Any:
    found = saver.list(config(thread, None))
    return sorted(
        (
            (each.config["configurable"]["checkpoint_ns"], each.checkpoint["id"]),
            each.checkpoint,
            each.metadata,
            each.parent_config,
            each.pending_writes,
        )
        for each in found
    )


@pytest.mark.parametrize("asynchronous", [False, True])
def test_threads_that_are_numbers_come_whole(saver: ContextSaver, asynchronous: bool) -> None:
    other = InMemorySaver()
    chain = Chain(other, 5)  # type: ignore[arg-type]
    chain.put("1", {"a": 1})
    other.put_writes(chain.config, [("a", 2)], "task")
    told: list[tuple[int, int]] = []

    def progress(count: int, of: int) -> None:
        told.append((count, of))

    if asynchronous:
        done = asyncio.run(saver.aimport_threads(other, progress=progress))
    else:
        done = saver.import_threads(other, progress=progress)
    assert done == (1, 1, 1)
    assert told == [(1, 1)]
    found = saver.get_tuple(config("5"))
    assert found is not None
    assert (found.checkpoint["channel_values"], found.pending_writes) == ({"a": 1}, [("task", "a", 2)])


def test_what_went_meanwhile_is_not_counted(saver: ContextSaver) -> None:
    other = InMemorySaver()
    fill(other)
    done = saver.import_threads(other, progress=lambda count, of: other.delete_thread("b"))
    assert done == (1, 12, 6)


def test_a_thread_reads_as_it_did_there(saver: ContextSaver) -> None:
    other = InMemorySaver()
    fill(other)
    told: list[tuple[int, int]] = []
    done = saver.import_threads(other, progress=lambda count, of: told.append((count, of)))
    assert done == (2, 24, 12)
    assert told == [(count, 24) for count in range(1, 25)]
    for thread in ("a", "b"):
        assert facts(saver, thread) == facts(other, thread)


def test_an_import_may_be_repeated_and_bounded(saver: ContextSaver) -> None:
    other = InMemorySaver()
    fill(other)
    saver.import_threads(other, thread_ids=["a"])
    before = facts(saver, "a")
    assert asyncio.run(saver.aimport_threads(other, thread_ids=["a"])) == (1, 12, 6)
    assert facts(saver, "a") == before
    assert list(saver.threads()) == ["a"]


def run(path: Path, *words: str) -> Any:
    command = [sys.executable, "-W", "ignore", "-m", "sharedctx_cli.main", "--path", str(path), "--json", *words]
    command[3:5] = ["-c", "from sharedctx_cli.main import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout), done.returncode


def test_the_command_line_imports_lists_and_prunes(tmp_path: Path) -> None:
    sqlite = pytest.importorskip("langgraph.checkpoint.sqlite", reason="langgraph-checkpoint-sqlite is missing")
    with sqlite.SqliteSaver.from_conn_string(str(tmp_path / "old.db")) as other:
        fill(other)
        expected = facts(other, "a")
    store = tmp_path / "store"
    done, code = run(store, "langgraph", "import", str(tmp_path / "old.db"))
    assert (done, code) == ({"threads": 2, "checkpoints": 24, "writes": 12}, 0)
    with ContextSaver.from_path(store) as saver:
        assert facts(saver, "a") == expected
    listed, _ = run(store, "langgraph", "threads")
    assert [(each["thread"], each["checkpoints"], each["writes"]) for each in listed] == [("a", 12, 4), ("b", 12, 4)]
    would, _ = run(store, "langgraph", "prune", "--keep-last", "2", "--thread", "a", "--dry-run")
    assert (would["checkpoints"], would["dry_run"]) == (8, True)
    gone, _ = run(store, "langgraph", "prune", "--keep-last", "2", "--max-age", "9999w", "--thread", "a")
    assert gone == {**would, "dry_run": False}
    left, _ = run(store, "langgraph", "threads")
    assert [each["checkpoints"] for each in left] == [4, 12]
    refused, code = run(store, "langgraph", "import", str(tmp_path / "nowhere"))
    assert (refused["error"], code) == ("CONFIG_ERROR", 2)
    refused, code = run(store, "langgraph", "import", str(tmp_path / "old.db"), "--thread", "a", "--thread", "nobody")
    assert (refused["error"], code) == ("KEY_NOT_FOUND", 3)
    refused, code = run(store, "langgraph", "prune", "--max-age", "soon")
    assert (refused["error"], code) == ("USAGE", 2)


def test_what_holds_no_threads_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("langgraph.checkpoint.sqlite", reason="langgraph-checkpoint-sqlite is missing")
    pytest.importorskip("langgraph.checkpoint.postgres", reason="langgraph-checkpoint-postgres is missing")
    (tmp_path / "junk.db").write_text("no database at all, but long enough to be looked at " * 20)
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    for source in ("junk.db", "empty.db", "folder"):
        refused, code = run(tmp_path / "store", "langgraph", "import", str(tmp_path / source))
        assert (refused["error"], code) == ("CONFIG_ERROR", 2)
    assert not list((tmp_path / "folder").iterdir())
    refused, code = run(tmp_path / "store", "langgraph", "import", "postgres://127.0.0.1:1/none")
    assert (refused["error"], code) == ("BACKEND_UNAVAILABLE", 1)
