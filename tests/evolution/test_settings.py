"""Settings of evolution stores, in code and by environment, and the store of the process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sharedctx.errors import (
    BackendUnavailable,
    ConfigError,
)
from sharedctx.evolution import EvolutionStore, get_context_store


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTEXT_STORE_BACKEND", "memory")
    monkeypatch.setenv("CONTEXT_STORE_MAX_SIZE", "7")
    monkeypatch.setenv("CONTEXT_STORE_TTL", "12.5")
    monkeypatch.setenv("CONTEXT_STORE_COMPRESSION", "false")

    async def main() -> None:
        async with EvolutionStore() as store:
            found = store.settings
            assert (found.address, found.max_contexts, found.ttl) == ("memory://", 7, 12.5)
            assert found.enable_compression is False
        async with EvolutionStore("memory", max_contexts=2, ttl=None, enable_compression=True) as store:
            found = store.settings
            assert (found.max_contexts, found.ttl, found.enable_compression) == (2, None, True)
        for name in ("BACKEND", "MAX_SIZE", "TTL", "COMPRESSION"):
            monkeypatch.delenv(f"CONTEXT_STORE_{name}")
        async with EvolutionStore() as store:
            found = store.settings
            assert (found.max_contexts, found.ttl, found.enable_compression) == (1000, 86400, True)
            assert store.store.address.endswith("/.sharedctx")
        monkeypatch.setenv("CONTEXT_STORE_TTL", "never")
        assert EvolutionStore("memory").settings.ttl is None

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BACKEND", "postgres"),
        ("BACKEND", "redis"),
        ("BACKEND", "dynamodb"),
        ("MAX_SIZE", "many"),
        ("MAX_SIZE", "0"),
        ("TTL", "-1"),
        ("TTL", "nan"),
        ("COMPRESSION", "maybe"),
    ],
)
def test_settings_that_make_no_sense(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"CONTEXT_STORE_{name}", text)
    with pytest.raises(ConfigError):
        EvolutionStore()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"path": 3}, {"path": b"x"}, {"export_path": 3}])
def test_paths_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="names no directory"):
        EvolutionStore(**wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_backend_dynamodb_takes_its_address_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, dynamodb_url: str
) -> None:
    monkeypatch.setenv("SHAREDCTX_URL", dynamodb_url)

    async def main() -> None:
        async with EvolutionStore(backend="dynamodb") as store:
            await store.create_context("src", ["speed"], evolution_id="one")
            await store.store_external_research(["small steps"], [], [])
        async with EvolutionStore(backend=dynamodb_url) as again:
            found = await again.get_context("one")
            assert found is not None
            assert "small steps" in str(found.to_dict())

    asyncio.run(main())


def test_one_store_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTEXT_STORE_BACKEND", "memory")

    async def main() -> None:
        store = get_context_store()
        assert get_context_store() is store
        await store.close()
        with pytest.raises(BackendUnavailable):
            await store.get_all_contexts()
        fresh = get_context_store()
        assert fresh is not store
        await fresh.close()

    asyncio.run(main())
