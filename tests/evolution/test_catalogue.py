"""Many evolutions: room for them, how long they live, what is listed, found and learned."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sharedctx import Store
from sharedctx.backends.base import Put
from sharedctx.backends.steps import run
from sharedctx.errors import (
    BudgetExceeded,
    DiskFull,
    InvalidValue,
)
from sharedctx.evolution import EvolutionStore
from sharedctx.evolution.record import Record
from sharedctx.testing.clock import ManualClock
from sharedctx.versions.collection import Collection


async def ids(store: EvolutionStore) -> list[str]:
    return [line["evolution_id"] for line in await store.get_all_contexts()]


def test_at_the_limit_the_oldest_finished_one_goes(opened: Store, clock: ManualClock, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, max_contexts=3)
        made = []
        for _ in range(3):
            made.append(await store.create_context("src", []))
            clock.advance(1)
        with pytest.raises(BudgetExceeded, match="none is finished"):
            await store.create_context("src", [])
        assert await ids(store) == made
        await store.update_context("status", "completed", made[2])
        await store.update_context("status", "failed", made[1])
        made.append(await store.create_context("src", []))
        assert await ids(store) == [made[0], made[2], made[3]]
        assert await store.get_context(made[1]) is None
        assert await store.history("status", made[1]) == []
        assert await store.bind("x").update_phase("more", made[2])
        with pytest.raises(BudgetExceeded):
            await store.import_context(await store.export_context(file_path=tmp_path / "a.json"))
        assert await ids(store) == [made[0], made[2], made[3]]

    asyncio.run(main())


def test_many_creators_stay_within_the_limit(tmp_path: Path) -> None:
    async def main() -> None:
        async with EvolutionStore(path=tmp_path / "s", max_contexts=5) as store:
            made = await asyncio.gather(*(store.create_context("src", []) for _ in range(12)), return_exceptions=True)
            assert sum(isinstance(each, BudgetExceeded) for each in made) == 7
            assert sorted(await ids(store)) == sorted(each for each in made if isinstance(each, str))

    asyncio.run(main())


def test_a_context_lives_from_its_last_update(opened: Store, clock: ManualClock) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        kept = await store.create_context("src", [])
        gone = await store.create_context("src", [])
        clock.advance(86399)
        assert await store.add_error("late", kept)
        clock.advance(1)
        assert await ids(store) == [kept]
        assert await store.get_context(gone) is None
        assert not await store.update_phase("x", gone)
        assert await EvolutionStore(store=opened, ttl=None).get_context(gone) is not None
        assert await store.prune() == 1
        assert await EvolutionStore(store=opened, ttl=None).get_context(gone) is None
        assert await store.prune() == 0
        assert await store.get_context(kept) is not None
        full = EvolutionStore(store=opened, max_contexts=1)
        clock.advance(86400)
        await asyncio.sleep(0)  # the clock is read once for each turn of the loop
        assert await ids(full) == []
        fresh = await full.create_context("src", [])
        assert await ids(full) == [fresh]

    asyncio.run(main())


def test_a_killed_writers_work_is_listed_and_its_leftovers_go(opened: Store, clock: ManualClock) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, ttl=None)
        own = await store.create_context("src", [])
        backend = opened.backend
        marks = Collection("evolutions:all", "marks")
        backend.commit("evolutions:all", (marks.put(f"{own}/1", clock()),))
        record = Record(backend.id, opened.contents, own, space=f"evolution:{own}")
        run(backend, record.edit((), lambda held, _: {"state": {**held["state"], "status": "completed"}}))
        backend.commit("evolutions:all", (Put("rows", b"", sk="never"), marks.put("never/2", clock())))
        assert [line["status"] for line in await store.get_all_contexts()] == ["completed"]
        clock.advance(601)
        for _ in range(2):
            assert [line["status"] for line in await store.get_all_contexts()] == ["completed"]
            assert all(row.expires is not None for row in backend.scan("evolutions:all", "marks", ""))
        assert [row.sk for row in backend.scan("evolutions:all", "rows", "")] == [own]
        backend.commit("evolutions:all", (Put("rows", b"{]", sk=own),))
        assert [line["status"] for line in await store.get_all_contexts()] == ["completed"]

    asyncio.run(main())


def test_queries_and_what_was_learned(opened: Store, clock: ManualClock) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        for n, (target, area, rate) in enumerate([("a/x", "speed", 0.9), ("a/y", "types", 0.5), ("b", "speed", 0.7)]):
            await store.create_context(target, [area])
            await store.store_original_analysis([], {"lines": 100 + n}, [], [])
            await store.store_external_research([], [], ["extract", f"own{n}"])
            await store.store_improvement_plan([{"id": "t1", "type": "refactor"}, {"id": "t2"}], {}, {})
            await store.store_implementation_log([], [{"task": "t1"}], [])
            await store.store_current_state([], {"lines": 90 + 10 * n}, [], [])
            await store.store_evaluation_results([], {}, rate)
            await store.update_context("status", "completed" if n else "running_x")
            clock.advance(1)
        await store.create_context("c", [])
        await store.add_error("x")

        async def targets(**wanted: Any) -> list[str]:
            return [line["target_path"] for line in await store.find_contexts(**wanted)]

        assert await targets() == ["a/x", "a/y", "b", "c"]
        assert await targets(target_path="a/*") == ["a/x", "a/y"]
        assert await targets(focus_area="speed") == ["a/x", "b"]
        assert await targets(status="running_*") == ["a/x"]
        assert await targets(metric="lines") == ["a/x", "a/y", "b"]
        assert await targets(metric="lines", at_least=100, at_most=105) == ["a/y"]
        assert await targets(metric="success_rate", at_least=0.7, focus_area="speed") == ["a/x", "b"]
        wrong: list[Any] = [
            *({"at_least": 1}, {"metric": "x", "at_most": "1"}, {"metric": "x", "at_least": float("nan")}),
            *({"status": ""}, {"focus_area": 1}, {"metric": []}, {"status": "\ud800"}),
        ]
        for each in wrong:
            with pytest.raises(InvalidValue):
                await store.find_contexts(**each)
        nonsense: Any = {"target": "a/x"}
        for ask in (store.find_contexts, store.learning_summary):
            with pytest.raises(InvalidValue, match="by 'target': by target_path"):
                await ask(**nonsense)

        learned = await store.learning_summary()
        assert (learned["evolutions"], learned["finished"], learned["evaluated"], learned["errors"]) == (4, 2, 3, 1)
        assert learned["success_rate"] == pytest.approx(0.7)
        assert learned["verdicts"] == {"success": 2, "partial": 1}
        assert learned["focus_areas"] == {
            "speed": {"evolutions": 2, "success_rate": pytest.approx(0.8)},
            "types": {"evolutions": 1, "success_rate": 0.5},
        }
        assert next(iter(learned["patterns"].items())) == (
            "extract",
            {"evolutions": 3, "success_rate": pytest.approx(0.7)},
        )
        assert learned["tasks"] == {"other": {"planned": 3, "done": 0}, "refactor": {"planned": 3, "done": 3}}
        assert learned["metrics"] == {"lines": {"evolutions": 3, "mean_delta": pytest.approx(-1), "up": 1, "down": 2}}
        assert (await store.learning_summary(target_path="none"))["success_rate"] is None

    asyncio.run(main())


def test_what_was_written_when_the_disk_became_full_is_acknowledged(
    opened: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened.backend
    commit_many, reclaim = backend.commit_many, backend.reclaim
    room = True

    def fills_up(commits: Any, grounds: Any = ()) -> Any:
        nonlocal room
        if not room:
            return [DiskFull("the disk is full") for _ in commits]
        done = commit_many(commits, grounds)
        room = not any(space.startswith("evolution:") for space, _, _ in commits)
        return done

    def refuses(*given: Any, **more: Any) -> int:
        if not room:
            raise DiskFull("the disk is full")
        return reclaim(*given, **more)

    async def main() -> None:
        nonlocal room
        monkeypatch.setattr(backend, "commit_many", fills_up)
        monkeypatch.setattr(backend, "reclaim", refuses)
        store = EvolutionStore(store=opened)
        own = await store.create_context("src", [])
        with pytest.raises(DiskFull):
            await store.add_error("before anything was written")
        room = True
        assert await store.add_error("once")
        (line,) = await store.get_all_contexts()
        assert (line["evolution_id"], line["has_errors"]) == (own, True)
        context = await store.get_context(own)
        assert context is not None
        assert len(context.error_log) == 1
        room = True
        assert await store.delete_context(own)
        assert await store.get_all_contexts() == []
        assert backend.pks(f"evolution:{own}")
        room = True
        clock.advance(601)
        assert await store.get_all_contexts() == []
        assert backend.pks(f"evolution:{own}") == []

    asyncio.run(main())


def test_metrics(opened: Store, clock: ManualClock, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, export_path=tmp_path)
        await store.create_context("src", [])
        for phase, seconds in (("plan", 2), ("work", 3), ("plan", 5)):
            await store.update_phase(phase)
            await store.update_context("cycle", 1)
            clock.advance(seconds)
        await store.update_context("status", "completed")
        clock.advance(100)
        await store.get_comparison_data()
        await store.import_context(await store.export_context())
        assert await EvolutionStore(store=opened).metrics() == await store.metrics(), "they are the store's"
        assert (await EvolutionStore(store=opened, tenant="other").metrics())["contexts_created"] == 0
        found = dict(await store.metrics())
        assert 100 < found.pop("average_size") < 1000
        assert found == {
            "contexts_created": 1,
            "comparisons": 1,
            "exports": 1,
            "imports": 1,
            "contexts": 2,
            "phase_durations": {
                "initialization": {"count": 2, "total": 0, "mean": 0},
                "plan": {"count": 2, "total": 14, "mean": 7},
                "work": {"count": 2, "total": 6, "mean": 3},
            },
        }

    asyncio.run(main())


def test_metrics_read_the_catalogue_alone(opened: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        stores = [EvolutionStore(store=opened) for _ in range(2)]
        for _ in range(5):
            own = await stores[0].create_context("src", [])
            for number in range(6):
                await stores[number % 2].update_phase(f"phase{number % 3}", own)
                clock.advance(number)
        read: list[str] = []
        scan = opened.backend.scan

        def counted(space: str, *given: Any, **more: Any) -> Any:
            read.append(space)
            return scan(space, *given, **more)

        monkeypatch.setattr(opened.backend, "scan", counted)
        durations = (await stores[1].metrics())["phase_durations"]
        assert {phase: found["total"] for phase, found in durations.items()} == {
            "initialization": 0,
            "phase0": 5 * (0 + 3),
            "phase1": 5 * (1 + 4),
            "phase2": 5 * 2,  # its second run goes on
        }
        assert not [space for space in read if space.startswith("evolution:")], "no evolution is read"

    asyncio.run(main())
