"""Tenants do not see each other's evolutions; participants do what the owner granted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import sharedctx
from sharedctx.errors import ConfigError, Forbidden, KeyNotFound
from sharedctx.evolution import EvolutionStore

Story = Callable[[EvolutionStore], Awaitable[None]]


def tell(story: Story) -> None:
    async def main() -> None:
        async with EvolutionStore("memory") as owner:
            await owner.create_context("src", ["speed"])
            await owner.store_original_analysis(["a.py"], {"lines": 9}, [], [])
            await owner.store_external_research(["small steps"], [], [])
            await story(owner)

    asyncio.run(main())


def test_tenants_see_nothing_of_each_other(tmp_path: Path) -> None:
    async def main() -> None:
        with sharedctx.open(tmp_path / "store") as store:
            acme, other = EvolutionStore(store=store, tenant="acme", max_contexts=1), EvolutionStore(store=store)
            own = await acme.create_context("src", [])
            theirs = await other.create_context("src", [], evolution_id=own)
            assert own == theirs
            await acme.add_error("only here")
            assert [line["has_errors"] for line in await other.get_all_contexts()] == [False]
            assert await EvolutionStore(store=store, tenant="b").get_context(own) is None
            assert await other.delete_context(own)
            context = await acme.get_context(own)
            assert context is not None
            assert len(context.error_log) == 1

    asyncio.run(main())


@pytest.mark.parametrize("tenant", ["", "a/b", "..", "x" * 129, 5])
def test_a_tenant_has_a_plain_name(tenant: str) -> None:
    with pytest.raises(ConfigError, match="tenant"):
        EvolutionStore("memory", tenant=tenant)


def test_who_may_write_one_section_writes_no_other() -> None:
    async def story(owner: EvolutionStore) -> None:
        await owner.grant("researcher", read=["*"], write=["external_research"])
        researcher = owner.bind("researcher")
        assert await researcher.store_external_research(["measure first"], [], [])
        for refused in (
            researcher.store_original_analysis([], {}, [], []),
            researcher.update_context("metrics_after", {"lines": 1}),
            researcher.update_phase("plan"),
            researcher.add_error("x"),
            researcher.create_context("src", []),
            researcher.delete_context(owner.current_evolution_id or ""),
            researcher.grant("researcher", write=["*"]),
        ):
            with pytest.raises(Forbidden, match="researcher"):
                await refused
        (update,) = [each for each in await owner.history("external_research") if each.agent == "researcher"]
        assert update.data["best_practices"] == ["measure first"]

    tell(story)


def test_what_may_not_be_read_is_empty_everywhere(tmp_path: Path) -> None:
    async def story(owner: EvolutionStore) -> None:
        await owner.grant("guest", read=["state", "external_research"])
        guest = owner.bind("guest")
        context = await guest.get_context()
        assert context is not None
        assert context.original_analysis == {}
        assert context.metrics_before == {}
        assert context.external_research["best_practices"] == ["small steps"]
        assert await guest.history("original_analysis") == []
        assert (await guest.find_contexts())[0]["metrics"] == {}
        assert (await guest.get_comparison_data())["before"] == {}
        seen = [update.section async for update in guest.watch(since=0, timeout=0)]
        assert set(seen) == {"state", "external_research"}
        with pytest.raises(Forbidden):
            await guest.export_context(file_path=tmp_path / "out.json")

    tell(story)


def test_who_may_not_read_the_state_sees_no_evolution() -> None:
    async def story(owner: EvolutionStore) -> None:
        await owner.grant("stranger")
        stranger = owner.bind("stranger")
        assert await stranger.get_context() is None
        assert await stranger.get_all_contexts() == []
        with pytest.raises(KeyNotFound):
            async for _ in stranger.watch(timeout=0):
                pass

    tell(story)
