"""Several processes on one store, and processes that die."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import select
from collections.abc import Callable
from pathlib import Path

import sharedctx
from sharedctx_langgraph import ContextSaver

from .made import checkpoint, config

STEPPER = Path(__file__).with_name("stepper.py")


@pytest.fixture
def server(fork_server: Callable[[str], Any]) -> Any:
    """What starts processes that have imported LangGraph."""
    return fork_server("import langgraph.graph, sharedctx_langgraph; sharedctx_langgraph.ContextSaver")


def check(saver: ContextSaver, thread: str, steps: int) -> None:
    """Every checkpoint of the thread reads, and none of its work is missing or done twice."""
    found = list(saver.list(config(thread)))
    assert found[0].checkpoint["channel_values"]["done"] == list(range(steps))
    for each in found:
        done = each.checkpoint["channel_values"].get("done", [])
        assert done == list(range(len(done)))
        if done:
            assert each.checkpoint["channel_values"]["text"] == "".join(f"step {number} " * 20 for number in done)


def test_four_processes_at_once_on_a_new_store(tmp_path: Path, server: Any) -> None:
    path = tmp_path / "store"
    for process in [server.start(STEPPER, path, f"thread {number}", 30) for number in range(4)]:
        process.finish()
    with ContextSaver.from_path(path) as saver:
        for number in range(4):
            check(saver, f"thread {number}", 30)
        assert saver.store.doctor() == []


def test_four_processes_on_one_thread(tmp_path: Path, server: Any) -> None:
    path = tmp_path / "store"
    sharedctx.open(path).close()
    script = (
        "import sys; from sharedctx_langgraph import ContextSaver\n"
        "who = sys.argv[2]\n"
        "with ContextSaver.from_path(sys.argv[1]) as saver:\n"
        "  at = {'configurable': {'thread_id': 't', 'checkpoint_ns': ''}}\n"
        "  for n in range(40):\n"
        "    id = f'{n:03d}{who}'; text = [f'{m} ' * 50 for m in range(n)]\n"
        "    made = {'v': 4, 'id': id, 'ts': '', 'channel_values': {'a': text}, 'channel_versions': {'a': id},\n"
        "            'versions_seen': {}, 'updated_channels': None}\n"
        "    newest = saver.get_tuple({'configurable': {'thread_id': 't'}})\n"
        "    if newest: at = newest.config\n"
        "    at = saver.put(at, made, {}, {'a': id})\n"
        "    saver.put_writes(newest.config if newest else at, [('a', text)], who + id)\n"
    )
    for process in [server.start(script, path, who) for who in "abcd"]:
        process.finish()
    with ContextSaver.from_path(path) as saver:
        found = list(saver.list(config()))
        assert len(found) == 160
        for each in found:
            number = int(each.checkpoint["id"][:3])
            assert each.checkpoint["channel_values"] == {"a": [f"{m} " * 50 for m in range(number)]}
        assert sum(len(each.pending_writes or ()) for each in found) == 160


def test_a_graph_goes_on_after_kill_9(tmp_path: Path, server: Any) -> None:
    path = tmp_path / "store"
    steps, said = 40, 0
    for kill_after in (3, 9, 10, 22, 31):
        process = server.start(STEPPER, path, "t", steps)
        while said < kill_after:
            select.select([process.stdout], [], [], 60)
            line = process.stdout.readline()
            assert line, process.end()
            said = max(said, int(line))
        process.kill()
        process.end()
    server.start(STEPPER, path, "t", steps).finish()
    with ContextSaver.from_path(path) as saver:
        check(saver, "t", steps)
        assert saver.store.doctor() == []


def test_what_another_process_thinned_is_written_on(tmp_path: Path, server: Any) -> None:
    path = tmp_path / "store"
    with ContextSaver.from_path(path) as saver:
        at: Any = config()
        for number in range(20):
            made = checkpoint(
                f"{number:03d}", {"a": ["word " * 500, number], "b": "kept"}, {"a": f"{number}", "b": "1"}
            )
            at = saver.put(at, made, {}, {"a": f"{number}", **({} if number else {"b": "1"})})
        prune = f"from sharedctx_langgraph import ContextSaver as S; S.from_path({str(path)!r}).prune(['t'])"
        server.start(prune).finish()
        made = checkpoint("100", {"a": ["word " * 500, 100], "b": "kept"}, {"a": "100", "b": "1"})
        saver.put(at, made, {}, {"a": "100"})
    with ContextSaver.from_path(path) as fresh:
        assert [each.checkpoint["channel_values"]["a"][1] for each in fresh.list(config())] == [100, 19]
        assert fresh.get_tuple(config()).checkpoint["channel_values"]["b"] == "kept"
