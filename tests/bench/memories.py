"""LangGraph's long-term memory: ours beside the official stores in memory and on SQLite, in turns and in one run.

python tests/bench/memories.py [--quick] [--directory DIR] [--json FILE]

POSTGRES_URL=postgres://... adds the official store there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from figures import Table, in_turns, number
from langgraph.store.base import PutOp
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from surroundings import surroundings

from sharedctx_langgraph import ContextStore

warnings.filterwarnings("ignore", category=DeprecationWarning)
OURS, SQLITE, NORMAL, MEMORY, POSTGRES = (
    "sharedctx",
    "sqlite",
    "sqlite, synchronous NORMAL",
    "in memory",
    "postgres",
)
DIMENSIONS = 256
USERS = 50


@cache
def embedded(text: str) -> tuple[float, ...]:
    """A vector of chance, the same for the same text."""
    chance = random.Random(text)
    return tuple(chance.uniform(-1, 1) for _ in range(DIMENSIONS))


def embed(texts: list[str]) -> list[list[float]]:
    """Vectors that cost nothing the second time."""
    return [list(embedded(text)) for text in texts]


def index() -> Any:
    """How texts are embedded."""
    return {"dims": DIMENSIONS, "embed": embed, "fields": ["text"]}


@contextmanager
def opened(name: str, folder: Path, indexed: bool) -> Iterator[Any]:
    """A new store in ``folder``."""
    config = index() if indexed else None
    folder.mkdir(parents=True, exist_ok=True)
    if name == OURS:
        with ContextStore.from_path(folder / "store", index=config) as ours:
            yield ours
    elif name in (SQLITE, NORMAL):
        with closing(sqlite3.connect(folder / "store.db", check_same_thread=False, isolation_level=None)) as con:
            official = SqliteStore(con, index=config)
            official.setup()
            con.execute(f"PRAGMA synchronous={'NORMAL' if name == NORMAL else 'FULL'}")
            yield official
    elif name == POSTGRES:
        from langgraph.store.postgres import PostgresStore

        with PostgresStore.from_conn_string(os.environ["POSTGRES_URL"]) as there:
            there.setup()
            yield there
    else:
        yield InMemoryStore(index=config)


def value(number_: int) -> dict[str, Any]:
    """About 300 bytes of JSON."""
    return {"text": f"memory {number_} " + "words " * 40, "n": number_, "kind": f"kind {number_ % 10}"}


def measured(root: Path, items: int, rounds: int, *, indexed: bool) -> tuple[Table, dict[str, dict[str, float]]]:
    """put, get, batches, filters and queries over so many items, in turns."""
    names = [OURS, SQLITE, NORMAL, MEMORY, *([POSTGRES] if "POSTGRES_URL" in os.environ else [])]
    if indexed:  # the official ones want extensions for vectors, which many builds of Python cannot load
        names = [OURS, *([SQLITE] if hasattr(sqlite3.Connection, "enable_load_extension") else []), MEMORY]
    managers = {name: opened(name, root / f"{name} {indexed}", indexed) for name in names}
    stores = {name: manager.__enter__() for name, manager in managers.items()}
    for store in stores.values():
        for first in range(0, items, 500):
            last = min(first + 500, items)
            store.batch([PutOp(("users", str(n % USERS)), f"k{n}", value(n)) for n in range(first, last)])

    def job(make: Callable[[Any], Callable[[int], object]]) -> dict[str, Callable[[int], object]]:
        return {name: make(store) for name, store in stores.items()}

    jobs: dict[str, Callable[[Any], Callable[[int], object]]] = {
        "get": lambda store: lambda n: store.get(("users", str(n % USERS)), f"k{n % items}"),
        "newest 10": lambda store: lambda n: store.search(("users", str(n % USERS)), limit=10),
        "filter": lambda store: lambda n: store.search(("users",), filter={"kind": f"kind {n % 10}", "n": {"$gt": 5}}),
        "namespaces": lambda store: lambda n: store.list_namespaces(prefix=("users",), limit=20),
        "put": lambda store: lambda n: store.put(("users", str(n % USERS)), f"k{n % items}", value(n)),
        "put of 50": lambda store: (
            lambda n: store.batch([PutOp(("batch", str(n % USERS)), f"b{n}-{each}", value(each)) for each in range(50)])
        ),
    }
    if indexed:
        jobs = {
            "query": lambda store: lambda n: store.search(("users",), query=f"memory {n % 20}"),
            "query and filter": lambda store: (
                lambda n: store.search(("users",), query=f"memory {n % 20}", filter={"kind": f"kind {n % 10}"})
            ),
        }
    medians: dict[str, dict[str, float]] = {name: {} for name in names}
    for title, make in jobs.items():
        timed = in_turns(job(make), rounds=rounds, batch=20 if title in ("get", "put") else 2)
        for name in names:
            medians[name][title] = timed[name].p(50)
    for manager in managers.values():
        manager.__exit__(None, None, None)
    rows = [[name, *(number(medians[name][title]) for title in jobs)] for name in names]
    what = f"{items:,} items{f' with vectors of {DIMENSIONS}' if indexed else ''}, microseconds at the median"
    return Table(what, ["store", *jobs], rows), medians


def main() -> None:
    """Run the cases and print what they found."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="some seconds, for a first look")
    words.add_argument("--directory", type=Path, help="where the stores are made (default: the temporary directory)")
    words.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    asked = words.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.directory))
    items, rounds = (500, 2) if asked.quick else (5000, 10)
    try:
        facts = surroundings(root)
        plain, figures = measured(root, items, rounds, indexed=False)
        meaning, found = measured(root, items // 5, rounds, indexed=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for table in (plain, meaning, Table("Run", ["what", "value"], [[name, value] for name, value in facts.items()])):
        print(table.plain())
    if asked.json is not None:
        asked.json.write_text(json.dumps({"run": facts, "plain": figures, "meaning": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
