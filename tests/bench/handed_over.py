"""What agents 2 and 3 of the Agents SDK receive by each way of handing over, and the facts that they can read in it."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agents import Agent, ModelResponse, RunConfig, Runner, Usage, handoff
from agents import function_tool as as_tool
from agents.extensions import ToolOutputTrimmer
from agents.extensions.handoff_filters import remove_all_tools
from agents.models.interface import Model
from facts import Item
from figures import Table, Target
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import sharedctx
from sharedctx import SharedContext
from sharedctx.tokens import counter
from sharedctx.views import compress
from sharedctx_openai_agents import ContextHandoffFilter

OURS = (100, 300, 1200, 3000, None)
TOGETHER = 4
BUDGETS = (100, 300, 600, 1200, 2000, 3000, 4500, 6000, 9000, None)
STEPS = 4000


class Played(Model):
    """Makes its turns' calls and records its first input."""

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


async def hand_over(items: Sequence[Item], **config: Any) -> tuple[list[Any], list[Any]]:
    """Agent A reads all items but the last, B that one, and C answers; returns what B and C received first."""
    texts = {item.name: item.text for item in items}

    @as_tool
    async def read_file(name: str) -> str:
        """Read a file."""
        return texts[name]

    *names, last = texts
    a = Played([call("read_file", f"a{n}", name=name) for n, name in enumerate(names)], [call("transfer_to_b", "to_b")])
    b = Played([call("read_file", "b0", name=last)], [call("transfer_to_c", "to_c")])
    c = Played([said("done")])
    third = Agent(name="C", model=c, tools=[read_file])
    second = Agent(name="B", model=b, tools=[read_file], handoffs=[handoff(third)])
    first = Agent(name="A", model=a, tools=[read_file], handoffs=[handoff(second)])
    await Runner.run(first, "Find out what is wrong and say it.", run_config=RunConfig(**config))
    return b.first, c.first


def groups(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """A few items for each run."""
    starts = [at for at in range(0, len(items), TOGETHER) if at == 0 or len(items) - at > 1]
    for at, end in zip(starts, [*starts[1:], len(items)], strict=True):
        yield items[at:end]


def ways() -> dict[str, Callable[[SharedContext], dict[str, Any]]]:
    """The ways of handing over, by what the page calls them."""
    found: dict[str, Callable[[SharedContext], dict[str, Any]]] = {
        "nothing": lambda _: {},
        "ToolOutputTrimmer": lambda _: {"call_model_input_filter": ToolOutputTrimmer()},
        "nest_handoff_history": lambda _: {"nest_handoff_history": True},
        "remove_all_tools": lambda _: {"handoff_input_filter": remove_all_tools},
    }
    for most in OURS:
        found[f"max_tokens={most}"] = lambda ctx, most=most: {  # type: ignore[misc]
            "handoff_input_filter": ContextHandoffFilter(ctx, max_tokens=most)
        }
    return found


def received(items: Sequence[Item]) -> tuple[Table, list[Target]]:
    """Sums over all runs; what is read is what C was given of an output, which for its first ones is what B was."""
    count = counter()
    facts = sum(needle.critical for item in items for needle in item.needles)
    table = Table(
        f"What agents 2 and 3 receive of {len(items)} outputs, {sum(len(i.text) for i in items) / 1e6:.1f} MB",
        ["handed over by", "bytes to 2", "tokens", "bytes to 3", "tokens", "of nothing's bytes", "facts", "expanded"],
        note=f"Four outputs a run. Of {facts} facts that matter, those that agent 3 reads, and those that it can have.",
    )
    targets: list[Target] = []
    base = 0
    for name, config in ways().items():
        sums = [0, 0, 0, 0]
        read, had = 0, 0
        for group in groups(items):
            with sharedctx.open("memory://") as store:
                context = store.session("bench")
                to_b, to_c = asyncio.run(hand_over(group, **config(context)))
                whole = {context.expand(key, "all") for key in context.keys("output/")}
            for at, given in enumerate((to_b, to_c)):
                text = json.dumps(given, ensure_ascii=False)
                sums[2 * at] += len(text.encode("utf-8", "replace"))
                sums[2 * at + 1] += count(text)
            spoken = "\n".join(str(item["content"]) for item in to_c if "content" in item)
            outputs = {
                item["call_id"]: str(item["output"]) for item in to_c if item.get("call_id") and "output" in item
            }
            for each, item in zip([*(f"a{n}" for n in range(len(group) - 1)), "b0"], group, strict=True):
                view = outputs.get(each, spoken)
                seen = [needle.stands_in(view) for needle in item.needles if needle.critical]
                read += sum(seen)
                had += len(seen) if item.text in whole else sum(seen)
        base = base or sums[0]
        share = 100 * sums[0] / base
        table.rows.append([name, *(f"{each:,}" for each in sums), f"{share:.2f}%", f"{read:,}", f"{had:,}"])
        if name == "max_tokens=300":
            targets = [
                Target("bytes to agent 2, max_tokens=300", share, 10, "% of nothing's"),
                Target("facts read, max_tokens=300", 100 * read / max(facts, 1), 90, "%", least=True),
                Target("facts after expanding", 100 * had / max(facts, 1), 100, "%", least=True),
            ]
    return table, targets


def bounds(items: Sequence[Item]) -> Table:
    """What somebody who knew which facts will be asked for could hand over at the most."""
    count = counter()
    table = Table(
        "What could be handed over by somebody who knew the facts beforehand",
        ["what", "facts", "of all"],
        note="No view knows them: they were chosen before, by rules that are not the views' own.",
    )
    wanted = [[needle for needle in item.needles if needle.critical] for item in items]
    all_ = sum(map(len, wanted))
    for what, context in (
        ("the shortest stretches of text, 300 tokens an output", 0),
        ("whole lines, 300 tokens", 400),
    ):
        most = 0
        for item, needles in zip(items, wanted, strict=True):
            costs, kept = [], []
            for needle in needles:
                begin, end = needle.stretch(item.text)
                if context:
                    begin, end = _line(item.text, begin, end, context)
                costs.append((count(item.text[begin:end]), begin, end))
            left = 300
            for cost, begin, end in sorted(costs):
                if any(first <= begin and end <= last for first, last in kept):
                    most += 1
                elif cost < left:
                    left -= cost + 1
                    kept.append((begin, end))
                    most += 1
        table.rows.append([what, f"{most:,}", f"{100 * most / max(all_, 1):.0f}%"])
    most = _best(items, count)
    what = "our views, each with the best max_tokens, a tenth of all bytes"
    table.rows.append([what, f"{most:,}", f"{100 * most / max(all_, 1):.0f}%"])
    return table


def _line(text: str, begin: int, end: int, most: int) -> tuple[int, int]:
    """The lines that a stretch lies in; of a very long line a little around it."""
    first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
    last = len(text) if last < 0 else last
    return (first, last) if last - first <= most else (max(first, begin - most // 4), min(last, end + most // 4))


def _best(items: Sequence[Item], count: Callable[[str], int]) -> int:
    """The facts in views whose budgets are chosen so that all together hold the most within a tenth of the bytes."""
    unit = max(sum(len(item.text.encode("utf-8", "replace")) for item in items) // 10 // STEPS, 1)
    best = [0] * (STEPS + 1)
    for item in items:
        needles = [needle for needle in item.needles if needle.critical]
        options = []
        for most in BUDGETS:
            view = compress(item.text, key="k", version=1, max_tokens=most, count=count).text
            options.append((-(-len(view.encode("utf-8", "replace")) // unit), sum(n.stands_in(view) for n in needles)))
        best = [
            max((best[at - cost] + found for cost, found in options if cost <= at), default=best[at])
            for at in range(STEPS + 1)
        ]
    return best[-1]
