"""LangChain agents in one run: what a model is sent at each call, and what it can still answer at the last one.

Run it with ``python tests/bench/langchain_agents.py [--corpus FOLDER --needles FILE]``: the tool of a scripted agent
returns the texts of the folder (default: outputs made from a seed and from this machine's sources), nine in each run,
and the tenth call answers. Facts are those of ``facts``, chosen before any view is made.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from facts import Item, given
from figures import Table, Target, target_table
from finds import finds
from langchain.agents import create_agent
from langchain.agents.middleware import ClearToolUsesEdit, ContextEditingMiddleware, SummarizationMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from pydantic import PrivateAttr
from records import records
from transcripts import transcripts

import sharedctx
from sharedctx import SharedContext
from sharedctx.tokens import counter
from sharedctx_langchain import ContextEdit, ContextOffloadMiddleware

CALLS = 10
SHOWN = (1, 2, 3, 4, 7, 10)
LARGE = 32_000
PAGE = 500
MARKER = re.compile(r'expand\("((?:[^"\\]|\\.)+)", "')

Way = Callable[[SharedContext], list[Any]]


class Played(BaseChatModel):
    """Calls the tool for each name, answers at the end, and keeps what it was sent at each call."""

    _names: list[str] = PrivateAttr()
    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = list(names)

    @property
    def _llm_type(self) -> str:
        return "played"

    @property
    def sent(self) -> list[list[BaseMessage]]:
        """The messages of each call."""
        return self._sent

    def bind_tools(self, tools: Any, **_: Any) -> Played:
        """Tools are called by script."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        at = len(self._sent)
        self._sent.append(list(messages))
        message = AIMessage("done")
        if at < len(self._names):
            call = {"type": "tool_call", "name": "fetch", "id": f"c{at}", "args": {"name": self._names[at]}}
            message = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


class Summing(Played):
    """Stands for a model that summarises: it keeps the first 2,000 characters of what it is asked to sum up."""

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        text = "\n".join(said(message) for message in messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text[-LARGE:][:2000]))])


def ways() -> dict[str, Way]:
    """The middleware of each contestant, anew for each run."""
    return {
        "none": lambda _: [],
        "ContextEditingMiddleware()": lambda _: [ContextEditingMiddleware()],
        "ClearToolUsesEdit(2000, keep=1)": lambda _: [
            ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=2000, keep=1)])
        ],
        "SummarizationMiddleware, scripted": lambda _: [
            SummarizationMiddleware(Summing([]), trigger=("tokens", 4000), keep=("messages", 2))
        ],
        "ContextOffloadMiddleware()": lambda ctx: [ContextOffloadMiddleware(ctx)],
        "ContextOffloadMiddleware(300)": lambda ctx: [ContextOffloadMiddleware(ctx, max_tokens=300)],
        "ContextEdit()": lambda ctx: [ContextEditingMiddleware(edits=[ContextEdit(ctx)])],
        "ContextEdit(max_input_tokens=1000)": lambda ctx: [
            ContextEditingMiddleware(edits=[ContextEdit(ctx, max_input_tokens=1000)])
        ],
    }


def said(message: BaseMessage) -> str:
    """What a message costs to send: its text and its calls."""
    text = message.content if isinstance(message.content, str) else json.dumps(message.content)
    return text + "".join(f"{call['name']} {json.dumps(call['args'])}" for call in getattr(message, "tool_calls", []))


class Run(NamedTuple):
    """What one run sent at each call, in characters and tokens, what was in the last one, and how long it took."""

    characters: list[int]
    tokens: list[int]
    last: str
    seconds: float


def run(context: SharedContext, way: Way, items: Sequence[Item]) -> Run:
    """Let an agent fetch each item and answer."""
    texts = {item.name: item.text for item in items}

    @tool
    def fetch(name: str) -> str:
        """Fetch a text by its name."""
        return texts[name]

    model = Played([item.name for item in items])
    agent = create_agent(model, [fetch], middleware=way(context))
    start = time.perf_counter()
    agent.invoke({"messages": [("user", "Find out what is wrong and say it.")]}, {"recursion_limit": 100})
    took = time.perf_counter() - start
    count = counter()
    sent = ["\n".join(map(said, messages)) for messages in model.sent]
    return Run([len(text) for text in sent], [count(text) for text in sent], sent[-1], took)


def groups(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """Items in runs of so many; the last run is filled up from the beginning."""
    for at in range(0, len(items), size):
        yield list(islice(cycle(items[at:] + items[:at] if at else items), size))


class Answers:
    """How many facts can be read in the last call, after one expansion by their words, and in what is stored."""

    def __init__(self) -> None:
        self.counts: dict[bool, list[int]] = {True: [0, 0, 0, 0], False: [0, 0, 0, 0]}

    def add(self, context: SharedContext, last: str, items: Sequence[Item]) -> None:
        """Ask for every fact of the run's items, by means of the keys that the last call names."""
        keys = list(dict.fromkeys(json.loads(f'"{key}"') for key in MARKER.findall(last)))
        whole = {context.get(key, full=True): key for key in keys}
        for item in items:
            key = whole.get(item.text)
            for needle in item.needles:
                seen = needle.stands_in(last)
                page = stored = seen
                if not seen and key is not None:
                    found = context.expand(key, f"query:{needle.words}", max_tokens=PAGE)
                    page = needle.stands_in(found)
                    stored = needle.stands_in(item.text)
                for at, yes in enumerate((True, seen, page, stored)):
                    self.counts[needle.critical][at] += yes

    def cells(self) -> list[str]:
        """Percentages: critical facts, then others."""
        made = []
        for all_, *found in self.counts.values():
            made += [f"{100 * each / all_:.0f}%" if all_ else "" for each in found]
        return made


def ten_calls(items: Sequence[Item]) -> Table:
    """The sums over runs of nine fetches and an answer."""
    columns = ["", *(f"call {at}" for at in SHOWN), "all characters", "all tokens", "of none", "ms a run"]
    columns += [f"{kind} {how}" for kind in ("critical", "others") for how in ("read", "expanded", "kept")]
    table = Table(
        f"Characters sent per call (median of the runs), {len(items)} outputs, {sum(len(i.text) for i in items):,} "
        "characters",
        columns,
        note="Facts are asked for at the last call: read in it; found by one expand of a key that it names, with their "
        f"words, in a page of {PAGE} tokens; kept whole under such a key.",
    )
    base = 0
    for name, way in ways().items():
        runs, answers = [], Answers()
        for group in groups(items, CALLS - 1):
            with sharedctx.open("memory://") as store:
                context = store.session("bench")
                runs.append(run(context, way, group))
                answers.add(context, runs[-1].last, group)
        tokens = sum(sum(each.tokens) for each in runs)
        base = base or tokens
        calls = [f"{median(each.characters[at - 1] for each in runs):,.0f}" for at in SHOWN]
        sums = [f"{sum(sum(each.characters) for each in runs):,}", f"{tokens:,}", f"{100 * tokens / base:.2f}%"]
        table.rows.append([name, *calls, *sums, f"{1000 * median(r.seconds for r in runs):.0f}", *answers.cells()])
    return table


def three_results(items: Sequence[Item]) -> tuple[Table, Target]:
    """Three results of 32,000 characters, one after the other: what four calls are sent."""
    large = [Item(i.name, i.kind, i.text[:LARGE], i.needles) for i in items if len(i.text) >= LARGE]
    table = Table(
        f"Three results of {LARGE:,} characters ({len(large)} outputs): characters sent",
        ["", "call 1", "call 2", "call 3", "call 4", "worst call 4", "tokens, call 4"],
    )
    worst = 0
    for name, way in ways().items():
        runs = []
        for group in groups(large, 3):
            with sharedctx.open("memory://") as store:
                runs.append(run(store.session("bench"), way, group))
        calls = [f"{median(each.characters[at] for each in runs):,.0f}" for at in range(4)]
        most = max(each.characters[3] for each in runs)
        worst = most if name == "ContextOffloadMiddleware()" else worst
        table.rows.append([name, *calls, f"{most:,}", f"{median(each.tokens[3] for each in runs):,.0f}"])
    return table, Target("three results of 32 KB, call 4, worst", worst, 2000, " characters")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What agents of LangChain send to their models.")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--needles", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.corpus is not None:
        items = given(asked.corpus, asked.needles)
    else:
        items = [
            *records(asked.seed, 1.0, 2),
            *transcripts(asked.seed, 1.0, 2),
            *finds(asked.seed, 1.0, 2),
        ]
    items = [item for item in items if len(item.text) > 2000]
    print(ten_calls(items).plain())
    table, target = three_results(items)
    print(table.plain())
    print(target_table([target]).plain())


if __name__ == "__main__":
    main()
