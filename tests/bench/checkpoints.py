"""LangGraph's checkpoints: ours, the official SQLite saver and the one in memory, in turns and in one run.

python tests/bench/checkpoints.py [--quick] [--directory DIR] [--json FILE]

POSTGRES_URL=postgres://... adds the official saver there; its bytes are the server's own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures import Table, Target, in_turns, number, target_table
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from payloads import Words
from surroundings import surroundings

from sharedctx_langgraph import ContextSaver

warnings.filterwarnings("ignore", category=DeprecationWarning)
OURS, DURABLE, SQLITE, NORMAL, MEMORY, POSTGRES = (
    "sharedctx",
    "sharedctx durable",
    "sqlite",
    "sqlite, synchronous NORMAL",
    "in memory",
    "postgres",
)
THREAD: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Any]:
    """A saver over a new or the same store in ``folder``."""
    if name in (OURS, DURABLE):
        with ContextSaver.from_path(folder / "store", durable=name == DURABLE) as saver:
            yield saver
    elif name in (SQLITE, NORMAL):
        folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(folder / "saver.db", check_same_thread=False)) as con:
            official = SqliteSaver(con)
            official.setup()
            con.execute(f"PRAGMA synchronous={'NORMAL' if name == NORMAL else 'FULL'}")
            yield official
    elif name == POSTGRES:
        from langgraph.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(os.environ["POSTGRES_URL"]) as saver:
            saver.setup()
            yield saver
    else:
        yield InMemorySaver()


def bytes_of(name: str, folder: Path) -> int:
    """The bytes that a saver's files take on the disk; those of Postgres as it counts them."""
    if name == POSTGRES:
        import psycopg

        with psycopg.connect(os.environ["POSTGRES_URL"]) as con:
            tables = "('checkpoints'), ('checkpoint_blobs'), ('checkpoint_writes')"
            sum_ = f"SELECT sum(pg_total_relation_size(name)) FROM (VALUES {tables}) AS held(name)"
            (size,) = con.execute(sum_).fetchone() or (0,)
            return int(size)
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def there() -> list[str]:
    """Postgres, where there is one."""
    return [POSTGRES] if "POSTGRES_URL" in os.environ else []


def emptied() -> None:
    """Begin anew in Postgres."""
    import psycopg

    with psycopg.connect(os.environ["POSTGRES_URL"], autocommit=True) as con:
        con.execute("DROP TABLE IF EXISTS checkpoints, checkpoint_blobs, checkpoint_writes, checkpoint_migrations")


def points(root: Path, rounds: int) -> tuple[Table, dict[str, dict[str, float]]]:
    """put, put_writes, get_tuple and list of checkpoints with 1 KB of new value each."""
    names = [OURS, DURABLE, SQLITE, NORMAL, MEMORY, *there()]
    if there():
        emptied()
    medians: dict[str, dict[str, float]] = {name: {} for name in names}
    managers = {name: opened(name, root / name) for name in names}
    savers = {name: manager.__enter__() for name, manager in managers.items()}
    at: dict[str, list[Any]] = {name: [THREAD] for name in names}

    def put(name: str) -> Callable[[int], object]:
        def job(count: int) -> None:
            saver = savers[name]
            version = saver.get_next_version(None, None)
            values = {"channel_values": {"a": os.urandom(500).hex()}, "channel_versions": {"a": version}}
            made = {**empty_checkpoint(), **values}
            facts = {"source": "loop", "step": count, "parents": {}}
            at[name].append(saver.put(at[name][-1], made, facts, {"a": version}))

        return job

    def put_writes(name: str) -> Callable[[int], object]:
        return lambda count: savers[name].put_writes(
            at[name][count + 1], [("a", os.urandom(500).hex())], f"task {count}"
        )

    jobs = {
        "put": put,
        "put_writes": put_writes,
        "get_tuple": lambda name: lambda _: savers[name].get_tuple(THREAD),
        "list of 20": lambda name: lambda _: list(savers[name].list(THREAD, limit=20)),
    }
    for job, make in jobs.items():
        timed = in_turns({name: make(name) for name in names}, rounds=rounds, batch=20 if job != "list of 20" else 2)
        for name in names:
            medians[name][job] = timed[name].p(50)
    for manager in managers.values():
        manager.__exit__(None, None, None)
    rows = [[name, *(number(medians[name][job]) for job in jobs)] for name in names]
    return Table("1 KB, microseconds at the median", ["saver", *jobs], rows), medians


def chat(root: Path, name: str, invokes: int, length: int) -> dict[str, float]:
    """A chat through a graph: bytes while it is open and after, seconds in all, of the first and the last invoke, and
    milliseconds to read one of its checkpoints in a fresh saver, at the median and the slowest of twelve."""
    words, folder = Words(), root / f"chat {name} {invokes}"
    folder.mkdir()
    if name == POSTGRES:
        emptied()
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda _: {"messages": [AIMessage(words.text(length))]})
    graph.add_edge(START, "model")
    took = []
    with opened(name, folder) as saver:
        app = graph.compile(checkpointer=saver)
        for _ in range(invokes):
            since = time.perf_counter()
            app.invoke({"messages": [HumanMessage(words.text(length))]}, THREAD)
            took.append(time.perf_counter() - since)
        live = bytes_of(name, folder)
    found = {"seconds": sum(took), "first ms": took[0] * 1e3, "last ms": took[-1] * 1e3}
    found |= {"live MB": live / 1e6, "closed MB": bytes_of(name, folder) / 1e6}
    if name != MEMORY:
        with opened(name, folder) as saver:
            ids = [each.config for each in saver.list(THREAD)]
        cold = sorted(cold_read(name, folder, config) for config in random.Random(1).sample(ids, min(12, len(ids))))
        found |= {"cold read ms": cold[len(cold) // 2] * 1e3, "slowest cold ms": cold[-1] * 1e3}
    return found


def cold_read(name: str, folder: Path, config: Any) -> float:
    """Seconds to read a checkpoint in a fresh saver, the best of three. Python's collection of garbage is off, as
    timeit has it: a full one walks all that the benchmark's process holds, ten times as long as the read."""
    took = []
    for _ in range(3):
        with opened(name, folder) as saver:
            gc.disable()
            try:
                since = time.perf_counter()
                saver.get_tuple(config)
                took.append(time.perf_counter() - since)
            finally:
                gc.enable()
    return min(took)


def copied(root: Path) -> float:
    """Milliseconds to copy a thread of 500 rows, at best of five."""
    words = Words()
    with opened(OURS, root / "copy") as saver:
        at = THREAD
        for count in range(250):
            values = {"channel_values": {"a": words.text(1000)}, "channel_versions": {"a": str(count)}}
            made = {**empty_checkpoint(), **values}
            at = saver.put(at, made, {}, {"a": str(count)})
            saver.put_writes(at, [("a", words.text(1000))], "task")
        took = []
        for count in range(5):
            since = time.perf_counter()
            saver.copy_thread("t", f"copy {count}")
            took.append(time.perf_counter() - since)
    return min(took) * 1e3


def stepping(name: str, folder: str, thread: str, seconds: float) -> None:
    """Put checkpoints and writes for some seconds and print how many and the longest wait."""
    words, steps, longest = Words(), 0, 0.0
    at: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    with opened(name, Path(folder)) as saver:
        end = time.perf_counter() + seconds
        while (since := time.perf_counter()) < end:
            version = f"{steps:09d}"
            values = {"channel_values": {"a": words.text(1000)}, "channel_versions": {"a": version}}
            made = {**empty_checkpoint(), **values}
            at = saver.put(at, made, {"step": steps}, {"a": version})
            saver.put_writes(at, [("a", words.text(1000))], "task")
            steps += 1
            longest = max(longest, time.perf_counter() - since)
    print(json.dumps([steps / seconds, longest * 1e3]))


def crowd(root: Path, name: str, seconds: float) -> dict[str, float]:
    """Four processes, a thread each: steps per second of all, and the longest that one step took."""
    folder = root / f"crowd {name}"
    with opened(name, folder):
        pass
    command = [sys.executable, "-W", "ignore", __file__, "--stepping", name, str(folder)]
    running = [
        subprocess.Popen([*command, f"t{each}", str(seconds)], stdout=subprocess.PIPE, text=True) for each in range(4)
    ]
    found = [json.loads(process.communicate()[0]) for process in running]
    return {"steps a second": sum(each[0] for each in found), "longest ms": max(each[1] for each in found)}


def tabled(title: str, found: dict[str, dict[str, float]]) -> Table:
    """The figures of several savers."""
    columns = list(dict.fromkeys(column for each in found.values() for column in each))
    rows = [[name, *(number(each[one]) if one in each else "" for one in columns)] for name, each in found.items()]
    return Table(title, ["saver", *columns], rows)


def main() -> None:
    """Run the cases and print what they found."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="some seconds, for a first look")
    words.add_argument("--directory", type=Path, help="where the stores are made (default: the temporary directory)")
    words.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    words.add_argument("--stepping", nargs=4, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.stepping:
        stepping(*asked.stepping[:3], float(asked.stepping[3]))
        return
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.directory))
    try:
        facts = surroundings(root)
        point_table, at = points(root, 2 if asked.quick else 20)
        size = (10, 2000) if asked.quick else (100, 2000)
        long_size = (20, 500) if asked.quick else (500, 500)
        chats = {name: chat(root, name, *size) for name in (SQLITE, OURS, DURABLE, MEMORY, *there())}
        long = {OURS: chat(root, OURS, *long_size)}
        copying = copied(root)
        crowds = {name: crowd(root, name, 0.5 if asked.quick else 6) for name in (SQLITE, OURS, *there())}
    finally:
        shutil.rmtree(root, ignore_errors=True)
    ours, theirs, durable, normal = (at[name] for name in (OURS, SQLITE, DURABLE, NORMAL))
    steps, waits = (crowds[OURS][what] / crowds[SQLITE][what] for what in ("steps a second", "longest ms"))
    targets = [
        Target("put, of the sqlite saver's", ours["put"] / theirs["put"], 0.6, " x"),
        Target("durable put, of the sqlite saver's", durable["put"] / theirs["put"], 1.0, " x"),
        Target("put, of sqlite's at NORMAL", ours["put"] / normal["put"], 2.5, " x"),
        Target("get_tuple, of the sqlite saver's", ours["get_tuple"] / theirs["get_tuple"], 0.85, " x"),
        Target("chat, while it is open", chats[OURS]["live MB"], 1.0, " MB"),
        Target("chat, closed", chats[OURS]["closed MB"], 0.85, " MB"),
        Target("chat, of the sqlite saver's time", chats[OURS]["seconds"] / chats[SQLITE]["seconds"], 0.8, " x"),
        Target("chat, slowest cold read", chats[OURS]["slowest cold ms"], 5.0, " ms"),
        Target("1,000 messages of 500, closed", long[OURS]["closed MB"], 2.0, " MB"),
        Target("copy of 500 rows", copying, 10.0, " ms"),
        Target("four processes, of sqlite's steps", steps, 1.0, " x", least=True),
        Target("four processes, of sqlite's longest step", waits, 0.5, " x"),
    ]
    tables = [
        point_table,
        tabled(f"A chat of {2 * size[0]} messages of {size[1]:,} characters", chats),
        tabled(f"A chat of {2 * long_size[0]:,} messages of {long_size[1]:,} characters", long),
        tabled("Four processes", crowds),
        target_table(targets),
        Table("Run", ["what", "value"], [[name, value] for name, value in facts.items()]),
    ]
    for table in tables:
        print(table.plain())
    if asked.json is not None:
        figures = {"points": at, "chat": chats, "long": long, "copy ms": copying, "crowd": crowds}
        whole = {"run": facts, "targets": [asdict(target) for target in targets], "figures": figures}
        asked.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
