"""Every class that stands on a store opens one by path or URL, and closes only what it opened."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx.errors import BackendUnavailable, ConfigError, PackageNotInstalled

CLASSES = {
    "sharedctx_langgraph": ("ContextSaver", "ContextStore", "ContextCache"),
    "sharedctx_crewai": ("ContextMemory", "ContextKnowledge", "ContextFlowPersistence", "ContextCheckpoints"),
    "sharedctx_openai_agents": ("ContextSession",),
    "sharedctx_langchain": ("ContextByteStore", "ContextLLMCache"),
}


@pytest.fixture(params=[f"{module}.{name}" for module, names in CLASSES.items() for name in names])
def kind(request: pytest.FixtureRequest) -> Any:
    module, _, name = request.param.partition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except PackageNotInstalled as error:
        pytest.skip(str(error))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sharedctx.Store]:
    """The stores that were opened so far."""
    found: list[sharedctx.Store] = []

    def watched(*names: Any, **options: Any) -> sharedctx.Store:
        found.append(sharedctx.open(*names, **options))
        return found[-1]

    monkeypatch.setattr("sharedctx.opening.open_store", watched)
    return found


def closed(store: sharedctx.Store) -> bool:
    try:
        store.check_open()
    except BackendUnavailable:
        return True
    return False


def test_a_with_block_closes_the_store_that_a_path_opened(
    kind: Any, tmp_path: Path, opened: list[sharedctx.Store]
) -> None:
    with kind.from_path(tmp_path / "store") as made:
        assert isinstance(made, kind)
        assert not closed(opened[0])
    assert [closed(store) for store in opened] == [True]


def test_an_async_with_block_closes_it_too(kind: Any, tmp_path: Path, opened: list[sharedctx.Store]) -> None:
    async def block() -> None:
        async with kind.from_url(f"disk://{tmp_path}/store"):
            assert not closed(opened[0])

    asyncio.run(block())
    assert [closed(store) for store in opened] == [True]


def test_a_store_that_was_given_stays_open(kind: Any, tmp_path: Path, opened: list[sharedctx.Store]) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        with kind(store):
            pass
        assert not closed(store)
    assert not opened


def test_a_store_is_named_once(kind: Any, tmp_path: Path, opened: list[sharedctx.Store]) -> None:
    with pytest.raises(ConfigError, match="once"):
        kind.from_path(tmp_path / "store", url="memory://")
    assert not opened
