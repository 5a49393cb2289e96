"""The Agents SDK in one run: what agents 2 and 3 receive, what the filter costs, and sessions beside SQLiteSession.

Run it with ``python tests/bench/openai_agents.py [FOLDER] [--needles FILE]``: the tools return the files of FOLDER
(default: this repository's). With a file of needles (a JSON list of ``{"item": file name, "crit": bool, "near":
[words], "any": [words], "win": characters}``) it also says how many of the critical ones the second agent receives.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from agents import Agent, HandoffInputData, ModelResponse, RunConfig, Runner, Usage, handoff, set_tracing_disabled
from agents import function_tool as as_tool
from agents.extensions import ToolOutputTrimmer
from agents.extensions.handoff_filters import remove_all_tools
from agents.memory import SQLiteSession
from agents.models.interface import Model
from figures import Table
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import sharedctx
from sharedctx import SharedContext
from sharedctx.tokens import counter
from sharedctx_openai_agents import ContextHandoffFilter, ContextSession

ROOT = Path(__file__).resolve().parents[2]
OURS = (100, 300, 1200, 3000, None)
TOGETHER = 4
SESSION_ITEMS = 400


class Played(Model):
    """Makes its turns' calls and records the bytes and tokens of each input."""

    def __init__(self, *turns: list[Any]) -> None:
        self.turns = list(turns)
        self.first: list[Any] = []

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        self.first = self.first or copy.deepcopy(input)
        return ModelResponse(output=self.turns.pop(0), usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        """Runs here are not streamed."""
        raise NotImplementedError


def call(tool: str, call_id: str, **arguments: Any) -> ResponseFunctionToolCall:
    """One call of a tool."""
    return ResponseFunctionToolCall(
        type="function_call", name=tool, call_id=call_id, id=f"fc_{call_id}", arguments=json.dumps(arguments)
    )


def said(words: str) -> ResponseOutputMessage:
    """One message of the assistant."""
    part = ResponseOutputText(type="output_text", text=words, annotations=[], logprobs=[])
    return ResponseOutputMessage(id="msg", type="message", role="assistant", status="completed", content=[part])


def material(folder: Path | None) -> dict[str, str]:
    """The files that the tools return."""
    paths = sorted(folder.iterdir()) if folder else sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("core/**/*.py")])
    found = {}
    for path in paths:
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        if len(text) > 5000 and path.name != "manifest.json":
            found[path.relative_to(folder or ROOT).as_posix()] = text
    return found


async def hand_over(files: dict[str, str], **config: Any) -> tuple[list[Any], list[Any]]:
    """Agent A reads all files but the last, B that one, and C answers; returns what B and C received first."""

    @as_tool
    async def read_file(name: str) -> str:
        """Read a file."""
        return files[name]

    *names, last = files
    a = Played([call("read_file", f"a{n}", name=name) for n, name in enumerate(names)], [call("transfer_to_b", "to_b")])
    b = Played([call("read_file", "b0", name=last)], [call("transfer_to_c", "to_c")])
    c = Played([said("done")])
    third = Agent(name="C", model=c, tools=[read_file])
    second = Agent(name="B", model=b, tools=[read_file], handoffs=[handoff(third)])
    first = Agent(name="A", model=a, tools=[read_file], handoffs=[handoff(second)])
    await Runner.run(first, "Find out what is wrong and say it.", run_config=RunConfig(**config))
    return b.first, c.first


def groups(files: dict[str, str]) -> Iterator[dict[str, str]]:
    """A few files for each run."""
    names = list(files)
    for at in range(0, len(names) - 1, TOGETHER):
        chosen = names[at : at + TOGETHER]
        yield {name: files[name] for name in (chosen if len(chosen) > 1 else [*names[:1], *chosen])}


def survives(needle: dict[str, Any], text: str) -> bool:
    """Whether the words of a needle stand near each other in the text."""

    def places(word: str) -> list[int]:
        return [found.start() for found in re.finditer(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", text)]

    near = [places(word) for word in needle["near"]]
    if not all(near) or not all(places(word) for word in needle["any"]):
        return False
    return any(
        all(any(abs(other - at) <= needle["win"] for other in each) for each in near) for at in min(near, key=len)
    )


def recall(files: dict[str, str], given: Callable[[str], str], needles: dict[str, list[Any]]) -> tuple[int, int]:
    """How many critical needles are in what is given for each file."""
    wanted = [(needle, name) for name in files for needle in needles.get(name, []) if needle["crit"]]
    views = {name: given(name) for name in {name for _, name in wanted}}
    return sum(survives(needle, views[name]) for needle, name in wanted), len(wanted)


def received(files: dict[str, str], needles: dict[str, list[Any]]) -> Table:
    """What agents B and C receive by each way of handing over."""
    count = counter()
    table = Table(
        f"What agents 2 and 3 receive of {len(files)} outputs, {sum(map(len, files.values())) / 1e6:.1f} MB",
        ["", "B bytes", "B tokens", "C bytes", "C tokens", "of nothing's bytes", "critical in C", "after expanding"],
    )
    ways: dict[str, Callable[[SharedContext], dict[str, Any]]] = {
        "nothing": lambda _: {},
        "ToolOutputTrimmer": lambda _: {"call_model_input_filter": ToolOutputTrimmer()},
        "nest_handoff_history": lambda _: {"nest_handoff_history": True},
        "remove_all_tools": lambda _: {"handoff_input_filter": remove_all_tools},
    }
    for most in OURS:
        ways[f"ContextHandoffFilter({most})"] = lambda ctx, most=most: {  # type: ignore[misc]
            "handoff_input_filter": ContextHandoffFilter(ctx, max_tokens=most)
        }
    base = 0
    for name, config in ways.items():
        sums = [0, 0, 0, 0]
        found: dict[str, str] = {}
        with sharedctx.open("memory://") as store:
            context = store.session("bench")
            whole: dict[str, str] = {}
            for group in groups(files):
                to_b, to_c = asyncio.run(hand_over(group, **config(context)))
                for at, given in enumerate((to_b, to_c)):
                    text = json.dumps(given, ensure_ascii=False)
                    sums[2 * at] += len(text.encode("utf-8", "replace"))
                    sums[2 * at + 1] += count(text)
                said_in = "\n".join(str(item["content"]) for item in to_c if "content" in item)
                outputs = {
                    item["call_id"]: str(item["output"]) for item in to_c if item.get("call_id") and "output" in item
                }
                for each, file in zip([*(f"a{n}" for n in range(len(group) - 1)), "b0"], group, strict=True):
                    found[file] = outputs.get(each, said_in)
            for key in context.keys("output/"):
                text = context.expand(key, "all")
                whole[text] = text
        base = base or sums[0] + sums[2]
        mine, all_ = recall(files, lambda file: found[file], needles)  # noqa: B023
        redeemed, _ = recall(files, lambda file: found[file] + whole.get(files[file], ""), needles)  # noqa: B023
        cells = [f"{mine}/{all_}", f"{redeemed}/{all_}"] if all_ else ["", ""]
        share = f"{100 * (sums[0] + sums[2]) / base:.2f}%"
        table.rows.append([name, *(f"{each:,}" for each in sums), share, *cells])
    return table


def overhead(files: dict[str, str]) -> Table:
    """Milliseconds of one hand-off per 100 KB of outputs."""
    table = Table("Filter overhead, ms per 100 KB", ["", "all together", "median of a file", "worst"])
    size = sum(map(len, files.values())) / 1e5
    with tempfile.TemporaryDirectory() as folder, sharedctx.open(folder + "/store") as store:
        context = store.session("bench")
        ContextHandoffFilter(context)(_data("warm", "warm up " * 2000))
        for name, prepare in (("first time", False), ("views made ahead by hooks()", True)):
            handoff_filter = ContextHandoffFilter(context, participant=name.split()[0])
            if prepare:
                hooks = handoff_filter.hooks()
                for text in files.values():
                    tool = type("T", (), {"name": "read_file"})()
                    asyncio.run(hooks.on_tool_end(None, None, tool, text))
            times = _times(handoff_filter, files)
            table.rows.append(_row(name, times, files, size))
        table.rows.append(_row("seen before", _times(handoff_filter, files), files, size))
    return table


def _data(name: str, text: str) -> HandoffInputData:
    history = (
        {"type": "function_call", "call_id": "c", "name": "read_file", "arguments": json.dumps({"name": name})},
        {"type": "function_call_output", "call_id": "c", "output": text},
    )
    return HandoffInputData(history, (), ())  # type: ignore[arg-type]


def _times(handoff_filter: ContextHandoffFilter, files: dict[str, str]) -> dict[str, float]:
    times = {}
    for name, text in files.items():
        data = _data(name, text)
        start = time.perf_counter()
        handoff_filter(data)
        times[name] = (time.perf_counter() - start) * 1e3
    return times


def _row(name: str, times: dict[str, float], files: dict[str, str], size: float) -> list[str]:
    each = [took / len(files[file]) * 1e5 for file, took in times.items()]
    return [name, f"{sum(times.values()) / size:.2f}", f"{median(each):.2f}", f"{max(each):.2f}"]


async def sessions(folder: str) -> Table:
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
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Hand-offs and sessions of the Agents SDK.")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--needles", type=Path)
    given = parser.parse_args()
    set_tracing_disabled(True)
    files = material(given.folder)
    needles: dict[str, list[Any]] = defaultdict(list)
    for needle in json.loads(given.needles.read_text("utf-8")) if given.needles else []:
        needles[needle["item"]].append(needle)
    print(received(files, needles).plain(), "\n")
    print(overhead(files).plain(), "\n")
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(sessions(folder)).plain())


if __name__ == "__main__":
    main()
