"""LangChain's own standard tests on every tool, the byte store and the cache, sync and async."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed: pip install langchain-tests")

from langchain_core.caches import BaseCache
from langchain_core.stores import BaseStore
from langchain_core.tools import BaseTool
from langchain_tests import integration_tests, unit_tests
from langchain_tests.integration_tests import base_store, cache

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx_langchain import ContextByteStore, ContextLLMCache, ContextOffloadMiddleware, ContextToolkit

EXAMPLES: dict[str, dict[str, Any]] = {
    "context_list": {"prefix": "p", "limit": 3},
    "context_read": {"key": "plan", "max_tokens": 100},
    "context_write": {"key": "found", "value": "a disk", "expected_version": 0},
    "context_delete": {"key": "plan", "expected_version": 1},
    "context_expand": {"key": "plan", "ref": "lines:1-1"},
    "context_search": {"query": "disk", "limit": 1},
    "context_history": {"key": "plan"},
}


class _OfTheToolkit:
    """One tool of a toolkit, over a context that holds what the examples name."""

    name: str

    @property
    def tool_constructor(self) -> BaseTool:
        context = sharedctx.open("memory://").session("team")
        context.put("plan", "mend the disk", agent="planner")
        made = ContextToolkit(context, "agent-a", names=[self.name.removeprefix("context_")]).get_tools()
        return made[0]

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return EXAMPLES[self.name]


class _OfTheMiddleware(_OfTheToolkit):
    """The tool that the middleware brings."""

    @property
    def tool_constructor(self) -> BaseTool:
        context = sharedctx.open("memory://").session("team")
        context.put("plan", "mend the disk", agent="planner")
        return ContextOffloadMiddleware(context, participant="agent-a").tools[0]


def _suites() -> Iterator[type]:
    homes = dict.fromkeys(EXAMPLES, _OfTheToolkit)
    for name, home in [*homes.items(), ("context_expand", _OfTheMiddleware)]:
        for suite in (unit_tests.ToolsUnitTests, integration_tests.ToolsIntegrationTests):
            title = f"Test{home.__name__.strip('_')}{name.title().replace('_', '')}{suite.__name__}"
            yield type(title, (home, suite), {"name": name, "__module__": __name__})


globals().update({suite.__name__: suite for suite in _suites()})


class _Bytes:
    @pytest.fixture
    def kv_store(self, store: Store) -> BaseStore[str, bytes]:
        return ContextByteStore(store)

    @pytest.fixture
    def three_values(self) -> tuple[bytes, bytes, bytes]:
        return b"foo", b"\x00\xff", b""


class TestByteStore(_Bytes, base_store.BaseStoreSyncTests[bytes]):
    pass


class TestByteStoreForEventLoops(_Bytes, base_store.BaseStoreAsyncTests[bytes]):
    pass


class _Answers:
    @pytest.fixture
    def cache(self, context: SharedContext) -> BaseCache:
        return ContextLLMCache(context)


class TestCache(_Answers, cache.SyncCacheTestSuite):
    pass


class TestCacheForEventLoops(_Answers, cache.AsyncCacheTestSuite):
    pass
