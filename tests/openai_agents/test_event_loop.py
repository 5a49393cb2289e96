"""What filters do on the event loop, and what leaves it: views that are made, and every question over a network."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agents import HandoffInputData
from agents.run_config import CallModelData, ModelInputData

from sharedctx import SharedContext
from sharedctx.backends.memory import MemoryBackend
from sharedctx_openai_agents import ContextHandoffFilter, ContextInputFilter


async def given_by(a_filter: Any, *outputs: str) -> list[str]:
    """What a model is given for these outputs."""
    items: Any = [
        {"type": "function_call_output", "call_id": f"c{at}", "output": text} for at, text in enumerate(outputs)
    ]
    if isinstance(a_filter, ContextHandoffFilter):
        made: Any = (await a_filter(HandoffInputData(tuple(items), (), ()))).input_history
    else:
        made = (await a_filter(CallModelData(ModelInputData(items, None), None, None))).input
    return [item["output"] for item in made]


@pytest.fixture(params=[ContextHandoffFilter, ContextInputFilter, partial(ContextInputFilter, max_input_tokens=5000)])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_loop_runs_on_while_a_view_is_made(log: str, kind: Any, turning_count: Any) -> None:
    other = log.replace("worker", "helper")

    async def play() -> None:
        turning_count.watch()
        with SharedContext("team", url="memory://", count_tokens=turning_count) as context:
            a_filter = kind(context)
            [first] = await given_by(a_filter, log)
            seen, new = await given_by(a_filter, log, other)
            assert seen == first
            assert max(map(len, (seen, new))) < len(log) / 4

    asyncio.run(play())


@pytest.mark.parametrize("where", ["memory", "disk"])
@pytest.mark.parametrize("kind", [ContextHandoffFilter, ContextInputFilter])
def test_what_was_seen_stays_on_the_loop_where_the_store_is_on_this_machine(
    log: str, kind: Any, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        with SharedContext("team", url="memory://" if where == "memory" else str(tmp_path / "store")) as context:
            a_filter = kind(context)
            first = await given_by(a_filter, log, "small")
            [key] = context.keys("output/")
            left: list[Any] = []
            leave = context.store.driver.leave_loop
            monkeypatch.setattr(context.store.driver, "leave_loop", lambda *work: left.append(work) or leave(*work))
            assert await given_by(a_filter, (log + " ")[:-1], "small") == first
            assert not left
            [served] = context.savings()
            assert served.calls == 2
            context.delete(key)
            assert f'expand("{key}", "v3:' in (await given_by(a_filter, log))[0]
            assert left

    asyncio.run(play())


def test_a_store_over_a_network_is_never_asked_on_the_loop(
    log: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[int] = set()

    def watched(name: str) -> Any:
        inner = getattr(MemoryBackend, name)

        def ask(self: MemoryBackend, *given: Any, **options: Any) -> Any:
            asked.add(threading.get_ident())
            return inner(self, *given, **options)

        return ask

    async def play() -> None:
        a_filter = kind(context)
        asked.clear()
        first = await given_by(a_filter, log)
        assert asked
        assert threading.get_ident() not in asked
        asked.clear()
        assert await given_by(a_filter, log) == first
        assert asked
        assert threading.get_ident() not in asked

    monkeypatch.setattr(MemoryBackend, "local", property(lambda self: False))
    for name in ("commit", "commit_many", "scan", "newest", "now", "expired", "rev", "pks", "changes"):
        monkeypatch.setattr(MemoryBackend, name, watched(name))
    with SharedContext("team", url="memory://") as context:
        asyncio.run(play())
