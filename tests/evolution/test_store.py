"""An evolution store: live updates, histories, compression, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sharedctx import Store
from sharedctx.errors import (
    Forbidden,
    InvalidValue,
    KeyNotFound,
    VersionConflict,
)
from sharedctx.evolution import EvolutionStore, Update


def test_updates_are_streamed_live_and_from_where_one_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with EvolutionStore(path=tmp_path / "s") as store:
            own = await store.create_context("src", [])
            seen: list[Update] = []
            ready = asyncio.Event()

            async def listen() -> None:
                ready.set()
                async for update in store.watch():
                    seen.append(update)

            listener = asyncio.create_task(listen())
            await ready.wait()
            while not seen:
                await store.update_phase("plan")
            before = len(seen)
            await store.bind("me").add_error("x", own)
            await store.store_original_analysis([], {"n": 1}, [], [])
            while len(seen) < before + 3:
                await asyncio.sleep(0)
            error, *analysis = seen[-3:]
            assert (error.section, error.version, error.agent, error.evolution_id) == ("error_log", 1, "me", own)
            assert {each.section for each in analysis} == {"original_analysis", "metrics_before"}
            assert len({each.rev for each in analysis}) == 1, "what belongs together is one commit"
            assert seen[0].data["status"] == "running_plan"

            missed = [update async for update in store.watch(own, since=error.rev, timeout=0)]
            assert missed == analysis
            every = [update async for update in store.watch(own, since=0, timeout=0)]
            assert [each.section for each in every][:1] == ["state"]
            context = await store.get_context(as_of=error.rev)
            assert context is not None
            assert (context.error_log != [], context.original_analysis) == (True, {})
            assert await store.get_context(as_of=0) is None
            await store.delete_context(own)
            await asyncio.wait_for(listener, 10)
            with pytest.raises(KeyNotFound):
                [update async for update in store.watch("nobody")]

    asyncio.run(main())


def test_histories_of_fields(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        await store.create_context("src", [])
        for phase in ("a", "a", "b"):
            await store.update_phase(phase)
            await store.update_context("objectives", [phase])
        statuses = [update.data for update in await store.history("status")]
        assert statuses == ["initialized", "running_a", "running_b"]
        assert [update.data for update in await store.history("objectives")] == [["a"], ["a"], ["b"]]
        assert await store.history("nonsense") == []

    asyncio.run(main())


@pytest.mark.parametrize("compress", [True, False])
def test_compression_can_be_turned_off(opened: Store, compress: bool) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, enable_compression=compress)
        own = await store.create_context("src", [])
        issues = [f"the same long sentence, number {n}, again and again" for n in range(200)]
        for n in range(3):
            assert await store.store_original_analysis([n], {}, issues, [])
        rows = opened.backend.scan(f"evolution:{own}", "original_analysis")
        assert [b"number 150, again" in row.value for row in rows] == [not compress] * 3
        context = await store.get_context()
        assert context is not None
        assert context.original_analysis["issues"] == issues

    asyncio.run(main())


def test_current_belongs_to_the_object(opened: Store) -> None:
    async def main() -> None:
        first, second = EvolutionStore(store=opened), EvolutionStore(store=opened)
        a, b = await first.create_context("a", []), await second.create_context("b", [])
        assert (await first.get_context()).target_path == "a"  # type: ignore[union-attr]
        assert (first.current_evolution_id, second.current_evolution_id) == (a, b)
        bound = first.bind("x")
        with pytest.raises(Forbidden):
            bound.bind("y")
        with pytest.raises(VersionConflict, match="already"):
            await first.create_context("a", [], evolution_id=b)
        await first.close()
        assert await second.get_context() is not None, "the store belongs to its opener"

    asyncio.run(main())


def test_wrong_types_are_refused_and_change_nothing(opened: Store) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        wrong: Any
        for wrong in (("", []), (7, []), ("src", "abc"), ("src", [1]), ("src", None)):
            with pytest.raises(InvalidValue):
                await store.create_context(*wrong)
        with pytest.raises(InvalidValue):
            await store.create_context("src", [], evolution_id="a/b")
        await store.create_context("src", [])
        before = await store.get_context()
        for section, wrong in (
            ("objectives", {}),
            ("improvements", []),
            ("improvements", {"a": {1, 2}}),
            ("improvements", {1: "number"}),
            ("improvements", {"a": float("nan")}),
            ("error_log", [1]),
            ("status", ""),
            ("cycle", -1),
            ("cycle", True),
            ("success_rate", 2),
            (7, {}),
        ):
            with pytest.raises(InvalidValue):
                await store.update_context(section, wrong)  # type: ignore[arg-type]
        for call in (
            lambda: store.update_phase(None),  # type: ignore[arg-type]
            lambda: store.add_error(""),
            lambda: store.store_original_analysis([], [], [], []),  # type: ignore[arg-type]
            lambda: store.store_original_analysis("a.py", {}, [], []),
            lambda: store.store_external_research("x", [], []),
            lambda: store.store_improvement_plan(["t1"], {}, {}),  # type: ignore[list-item]
            lambda: store.store_improvement_plan("t1", {}, {}),  # type: ignore[arg-type]
            lambda: store.store_improvement_plan([], {}, {}, [1]),
            lambda: store.store_implementation_log([], "changes", []),
            lambda: store.get_context("../x"),
            lambda: store.get_context(as_of="1"),  # type: ignore[arg-type]
            lambda: store.get_context(as_of=-1),
            lambda: anext(store.watch(since="1")),  # type: ignore[arg-type]
            lambda: anext(store.watch(timeout="1")),  # type: ignore[arg-type]
            lambda: store.delete_context(""),
        ):
            with pytest.raises(InvalidValue):
                await call()
        assert await store.get_context() == before
        assert len(await store.get_all_contexts()) == 1

    asyncio.run(main())
