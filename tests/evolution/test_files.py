"""Exports and imports: equal with their history, and nothing half done."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sharedctx
from sharedctx import Store
from sharedctx.errors import ConfigError, InvalidValue, KeyNotFound
from sharedctx.evolution import EvolutionStore, Update
from sharedctx.evolution.context import FIELDS, SECTIONS, STATE
from sharedctx.testing.clock import ManualClock

ALL = ("state", *SECTIONS)


async def filled(store: EvolutionStore, clock: ManualClock) -> str:
    own = await store.create_context("src", ["a"])
    for n in range(3):
        clock.advance(1)
        await store.bind("agent:x").store_original_analysis([n], {"n": n}, ["é" * 3000], [], own)
        await store.update_phase(f"p{n}")
        await store.add_error(f"e{n}")
    await store.store_evaluation_results([], {}, 0.5)
    return own


def told(updates: list[Update]) -> list[Any]:
    return [(each.section, each.version, each.timestamp, each.agent, each.data) for each in updates]


def test_an_export_comes_back_equal_with_its_history(opened: Store, clock: ManualClock, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        own = await filled(store, clock)
        path = await store.export_context(file_path=tmp_path / "sub" / "a.json")
        with sharedctx.open("memory://", clock=clock) as elsewhere:
            other = EvolutionStore(store=elsewhere)
            assert await other.import_context(path) == own == other.current_evolution_id
            assert await other.get_context() == await store.get_context()
            assert await other.get_all_contexts() == await store.get_all_contexts()
            for section in ALL:
                assert told(await other.history(section)) == told(await store.history(section))
            again = await other.export_context(file_path=tmp_path / "b.json")
            assert json.loads(Path(again).read_text())["error_log"] == (await store.get_context()).error_log  # type: ignore[union-attr]

    asyncio.run(main())


def test_an_id_that_is_there_gives_a_copy_which_becomes_current(
    opened: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, export_path=tmp_path)
        own = await filled(store, clock)
        path = await store.export_context()
        copy = await store.import_context(path)
        assert copy != own
        assert store.current_evolution_id == copy
        first, second = await store.get_context(own), await store.get_context()
        assert first is not None
        assert second is not None
        assert {**second.to_dict(), "evolution_id": own} == first.to_dict()
        for section in ALL:
            assert told(await store.history(section, own)) == told(await store.history(section, copy))
        assert len(await store.get_all_contexts()) == 2
        assert await store.delete_context(own)
        assert await store.import_context(path) == own

    asyncio.run(main())


def test_as_of_works_in_an_import(opened: Store, clock: ManualClock, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, export_path=tmp_path)
        own = await filled(store, clock)
        copy = await store.import_context(await store.export_context())
        seen = {}
        for each in (own, copy):
            states = []
            for update in await store.history("original_analysis", each):
                context = await store.get_context(each, as_of=update.rev)
                assert context is not None
                states.append((context.metrics_before, context.status, len(context.error_log)))
            seen[each] = states
        assert seen[own] == seen[copy] == [({"n": n}, f"running_p{n - 1}" if n else "initialized", n) for n in range(3)]

    asyncio.run(main())


def test_a_file_without_history_and_an_old_file(opened: Store, clock: ManualClock, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, ttl=100)
        await filled(store, clock)
        path = Path(await store.export_context(file_path=tmp_path / "a.json"))
        whole = json.loads(path.read_text())
        del whole["history"]
        path.write_text(json.dumps(whole))
        clock.advance(1000)
        assert await store.get_context() is None
        copy = await store.import_context(path)
        context = await store.get_context(copy)
        assert context is not None, "an import is an update"
        assert {**context.to_dict(), "evolution_id": 0} == {**whole, "evolution_id": 0}
        assert [update.version for update in await store.history("error_log")] == [1]

    asyncio.run(main())


def break_file(whole: Any, how: str) -> str:
    history = whole["history"]
    match how:
        case "cut":
            return json.dumps(whole)[:-20]
        case "list":
            return "[]"
        case "nan":
            return json.dumps(whole).replace('"cycle": 0', '"cycle": NaN')
        case "deep":
            return "[" * 100_000
        case "field":
            whole["error_log"] = "none"
        case "missing":
            del whole["target_path"]
        case "id":
            whole["evolution_id"] = "../../evil"
        case "time":
            whole["created_at"] = "yesterday"
        case "gap":
            del history["error_log"][1]
        case "unknown":
            history["secrets"] = []
        case "disagrees":
            whole["error_log"] = ["other"]
        case "no state":
            history["state"] = []
        case "late state":
            for line in history["state"]:
                line["rev"] += 1000
        case "surrogate":
            whole["objectives"] = ["\ud800"]
            history["objectives"] = [{"version": 1, "rev": 999, "timestamp": 1.0, "agent": "", "data": ["\ud800"]}]
        case "agent":
            history["error_log"][0]["agent"] = 1
        case "nobody":
            history["error_log"][0]["agent"] = "\ud800"
        case "value":
            history["error_log"][0]["data"] = {"a": 1}
        case "rev":
            history["error_log"][0]["rev"] = True
        case "stamp":
            history["error_log"][0]["timestamp"] = 1e300
        case "history":
            whole["history"] = []
        case "line":
            history["error_log"][0] = 3
        case "binary":
            return "\udcff"
    return json.dumps(whole)


FAULTS = (
    "cut list nan deep field missing id time gap unknown disagrees surrogate agent nobody value rev stamp history line"
)


@pytest.mark.parametrize("how", [*FAULTS.split(), "binary", "no state", "late state", "absent", "folder"])
def test_a_broken_file_is_refused_and_nothing_changes(
    opened: Store, clock: ManualClock, tmp_path: Path, how: str
) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened, export_path=tmp_path)
        own = await filled(store, clock)
        path = Path(await store.export_context())
        text = break_file(json.loads(path.read_text()), how)
        bad = tmp_path if how == "folder" else tmp_path / "bad.json"
        if how not in ("absent", "folder"):
            bad.write_bytes(text.encode("utf-8", "surrogateescape" if how == "binary" else "strict"))
        await store.delete_context(own)
        before = opened.backend.spaces("")
        with pytest.raises(InvalidValue):
            await store.import_context(bad)
        assert await store.get_all_contexts() == []
        assert opened.backend.spaces("") == before
        assert await store.import_context(path) == own

    asyncio.run(main())


@pytest.mark.parametrize(
    "path", ["../x.json", "/etc/x.json", "a/../../x.json", ".", "", "link/x.json", "a\0b", "\ud800", 7]
)
def test_exports_stay_in_their_folder(opened: Store, tmp_path: Path, path: Any) -> None:
    async def main() -> None:
        folder = tmp_path / "exports"
        folder.mkdir()
        (folder / "link").symlink_to(tmp_path)
        store = EvolutionStore(store=opened, export_path=folder)
        await store.create_context("src", [])
        for verb in (lambda: store.export_context(file_path=path), lambda: store.import_context(path)):
            with pytest.raises(InvalidValue):
                await verb()
        assert [each.name for each in tmp_path.iterdir()] == ["exports"]
        assert [each.name for each in folder.iterdir()] == ["link"]

    asyncio.run(main())


def test_exports_that_cannot_be(opened: Store, tmp_path: Path) -> None:
    async def main() -> None:
        store = EvolutionStore(store=opened)
        with pytest.raises(KeyNotFound):
            await store.export_context(file_path=tmp_path / "x")
        with pytest.raises(KeyNotFound, match="nobody"):
            await store.export_context("nobody", tmp_path / "x")
        await store.create_context("src", [])
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigError, match="file"):
            await store.export_context(file_path=tmp_path / "file" / "x.json")
        assert [each.name for each in tmp_path.iterdir()] == ["file"]

    asyncio.run(main())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)
LISTS = [name for name in SECTIONS if name in ("objectives", "changes_made", "patterns_learned", "rollback_points")]
WRITES = st.lists(
    st.tuples(st.sampled_from(["improvements", "metrics_after"]), st.dictionaries(st.text("ab", min_size=1), JSON))
    | st.tuples(st.sampled_from(LISTS), st.lists(JSON, max_size=3))
    | st.tuples(st.sampled_from(["phase", "status"]), st.text("ab", min_size=1)),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=WRITES)
def test_whatever_is_written_reads_and_moves_as_a_plain_dict_would(tmp_path: Path, writes: list[Any]) -> None:
    async def main() -> None:
        async with EvolutionStore("memory", export_path=tmp_path) as store:
            await store.create_context("src", [])
            context = await store.get_context()
            assert context is not None
            model = context.to_dict()
            for section, data in writes:
                assert await store.update_context(section, data)
                model[section] = {**model[section], **data} if isinstance(data, dict) else data
            found = await store.get_context()
            assert found is not None
            assert found.to_dict() == model
            copy = await store.import_context(await store.export_context())
            moved = await store.get_context()
            assert moved is not None
            assert moved.to_dict() == {**model, "evolution_id": copy}

    asyncio.run(main())


def test_the_fields_are_what_the_tables_say() -> None:
    assert {*STATE, *SECTIONS} < set(FIELDS)
