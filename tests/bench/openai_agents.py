"""The Agents SDK in one run: what agents 2 and 3 receive, what the filter costs, and sessions beside SQLiteSession.

python tests/bench/openai_agents.py [--corpus FOLDER --needles FILE] [--seed N] [--markdown docs/openai_agents.md]

The tools return generated texts with known facts in them, or those of a folder: its ``manifest.json`` names each with
its kind, and the needles are its facts (``facts.given``). With ``--markdown`` the page's tables are replaced.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from agents import HandoffInputData, function_tool, set_tracing_disabled
from agents.memory import SQLiteSession
from facts import given
from figures import Table, Target, replace_section, target_table
from finds import finds
from handed_over import bounds, received
from records import records
from transcripts import transcripts

import sharedctx
from sharedctx_openai_agents import ContextHandoffFilter, ContextSession

SESSION_ITEMS = 400
LEAST = 5000
"""Characters of the smallest output."""
_TOOL = function_tool(lambda: "", name_override="read_file", description_override="Read a file.")


def overhead(files: dict[str, str]) -> tuple[Table, list[Target]]:
    """Milliseconds of one hand-off per 100 KB of outputs."""
    table = Table("Filter overhead, ms per 100 KB", ["", "all together", "median of a file", "worst"])
    size = sum(map(len, files.values())) / 1e5
    with tempfile.TemporaryDirectory() as folder, sharedctx.open(folder + "/store") as store:
        context = store.session("bench")
        asyncio.run(ContextHandoffFilter(context)(_data("warm", "warm up " * 2000)))
        sums = {}
        for name, prepare in (("first time", False), ("views made ahead by hooks()", True)):
            handoff_filter = ContextHandoffFilter(context, participant=name.split()[0])
            if prepare:
                hooks = handoff_filter.hooks()
                for text in files.values():
                    asyncio.run(hooks.on_tool_end(None, None, _TOOL, text))
            times = asyncio.run(_times(handoff_filter, files))
            table.rows.append(_row(name, times, files, size))
            sums[name] = sum(times.values()) / size
        times = asyncio.run(_times(handoff_filter, files))
        table.rows.append(_row("seen before", times, files, size))
        sums["seen before"] = sum(times.values()) / size
    limits = (("first time", 5.0), ("views made ahead by hooks()", 5.0), ("seen before", 0.5))
    return table, [Target(f"filter, {name}", sums[name], limit, " ms per 100 KB") for name, limit in limits]


def _data(name: str, text: str) -> HandoffInputData:
    history = (
        {"type": "function_call", "call_id": "c", "name": "read_file", "arguments": json.dumps({"name": name})},
        {"type": "function_call_output", "call_id": "c", "output": text},
    )
    return HandoffInputData(history, (), ())  # type: ignore[arg-type]


async def _times(handoff_filter: ContextHandoffFilter, files: dict[str, str]) -> dict[str, float]:
    times = {}
    for name, text in files.items():
        data = _data(name, text)
        start = time.perf_counter()
        await handoff_filter(data)
        times[name] = (time.perf_counter() - start) * 1e3
    return times


def _row(name: str, times: dict[str, float], files: dict[str, str], size: float) -> list[str]:
    each = [took / len(files[file]) * 1e5 for file, took in times.items()]
    return [name, f"{sum(times.values()) / size:.2f}", f"{median(each):.2f}", f"{max(each):.2f}"]


async def sessions(folder: str) -> tuple[Table, list[Target]]:
    """Adding two items at a time and reading all, in turns."""
    table = Table("Sessions on disk, microseconds (p50)", ["", "SQLiteSession", "ContextSession", "ratio"])
    ours, theirs = ContextSession(None, "bench", path=f"{folder}/ours"), SQLiteSession("bench", f"{folder}/theirs.db")
    large = "a line of some tool's output\n" * 700
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(SESSION_ITEMS):
        text = large if number % 10 == 9 else "short " * 20
        items: list[Any] = [
            {"role": "user", "content": f"question {number}"},
            {"type": "function_call_output", "call_id": f"c{number}", "output": text},
        ]
        for name, session in (
            (("theirs", theirs), ("ours", ours)) if number % 2 else (("ours", ours), ("theirs", theirs))
        ):
            start = time.perf_counter()
            await session.add_items(items)
            times[name, "add_items"].append(time.perf_counter() - start)
            if number % 20 == 0:
                for what, limit in (("get_items, all", None), ("get_items, latest 10", 10)):
                    start = time.perf_counter()
                    await session.get_items(limit)
                    times[name, what].append(time.perf_counter() - start)
            if number % 50 == 0:
                start = time.perf_counter()
                await session.pop_item()
                times[name, "pop_item"].append(time.perf_counter() - start)
    for what in ("add_items", "get_items, all", "get_items, latest 10", "pop_item"):
        a, b = median(times["theirs", what]) * 1e6, median(times["ours", what]) * 1e6
        table.rows.append([what, f"{a:.0f}", f"{b:.0f}", f"{b / a:.2f}"])
    assert await ours.get_items() == await theirs.get_items()
    ours.close()
    theirs.close()
    ratio = median(times["ours", "add_items"]) / median(times["theirs", "add_items"])
    return table, [Target("add_items / SQLiteSession", ratio, 1, "")]


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description="Hand-offs and sessions of the Agents SDK.")
    words.add_argument("--corpus", type=Path)
    words.add_argument("--needles", type=Path)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--markdown", type=Path, metavar="FILE", help="replace the tables of that page")
    asked = words.parse_args()
    if (asked.corpus is None) != (asked.needles is None):
        words.error("--corpus and --needles go together")
    set_tracing_disabled(True)
    if asked.corpus is not None:
        items = given(asked.corpus, asked.needles)
    else:
        items = [*records(asked.seed, 1.0, 2), *transcripts(asked.seed, 1.0, 2), *finds(asked.seed, 1.0, 2)]
    items = [item for item in items if len(item.text) > LEAST]
    with tempfile.TemporaryDirectory() as folder:
        parts = (received(items), overhead({item.name: item.text for item in items}), asyncio.run(sessions(folder)))
    tables = [parts[0][0], bounds(items), parts[1][0], parts[2][0]]
    tables.append(target_table([target for _, targets in parts for target in targets]))
    for table in tables:
        print(table.plain(), "\n")
    if asked.markdown is not None:
        replace_section(asked.markdown, "openai_agents", tables)


if __name__ == "__main__":
    main()
